"""Makes a Python and a TypeScript client of openapi.yaml, and counts what they have: everything.

    clients.py OPENAPI_YAML SCRATCH_DIRECTORY OPENAPI_PYTHON_CLIENT NODE_MODULES
"""

import importlib
import re
import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

METHODS = {"get", "put", "post", "delete", "patch"}
# openapi-python-client has no word for a body of lines. The same batch goes as JSON.
UNTOLD = ["Unsupported content type application/x-ndjson"]


def run(*command):
    """What a command says; it must end well."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def counted(document):
    """How many operations there are, and how many of their answers are problems."""
    operations = [
        operation
        for item in document["paths"].values()
        for method, operation in item.items()
        if method in METHODS
    ]
    responses = document["components"]["responses"]
    problems = 0
    for operation in operations:
        for response in operation["responses"].values():
            response = responses[response["$ref"].rsplit("/", 1)[1]] if "$ref" in response else response
            problems += "application/problem+json" in response.get("content", {})
    return len(operations), problems


def python_client(yaml, scratch, generator):
    """Operations and problem answers of the Python client, of which every module can be loaded."""
    package = scratch / "onhand_client"
    config = Path(__file__).with_name("python-client.yaml")
    said = run(generator, "generate", "--path", yaml, "--output-path", package, "--overwrite", "--meta", "none",
               "--config", config)
    complaints = re.findall(r"^(?:Unsupported|Unable|Cannot|Could not|Invalid).*", said, re.MULTILINE)
    if complaints != UNTOLD or said.count("WARNING") != len(UNTOLD):
        sys.exit(f"openapi-python-client left something out:\n{said}")
    sys.path.insert(0, str(scratch))
    modules = [path for path in (package / "api").rglob("*.py") if path.name != "__init__.py"]
    for path in modules:
        importlib.import_module(".".join(path.relative_to(scratch).with_suffix("").parts))
    return len(modules), sum(path.read_text().count("= Problem.from_dict(response.json())") for path in modules)


def typescript_client(yaml, scratch, node_modules):
    """Operations and problem answers of the TypeScript types, which compile."""
    types = scratch / "onhand.d.ts"
    run(node_modules / ".bin/openapi-typescript", yaml, "--output", types)
    # For each operation, each of its statuses from 400 on whose answer is a Problem.
    (scratch / "count.ts").write_text("""
        import type { components, operations } from './onhand';
        type Problem = components['schemas']['Problem'];
        type Refusals<O> = O extends { responses: infer R }
          ? { [S in keyof R]: R[S] extends { content: { 'application/problem+json': Problem } } ? S : never }[keyof R]
          : never;
        export const refusals: { [O in keyof operations]: { [S in Refusals<operations[O]>]: true } } = REFUSALS;
    """.replace("REFUSALS", refusals_of(yaml)))
    run(node_modules / ".bin/tsc", "--noEmit", "--strict", "--skipLibCheck", "false", scratch / "count.ts")


def refusals_of(yaml):
    """The problem statuses of each operation, as a TypeScript object, which only the right types take."""
    document = YAML(typ="safe").load(yaml)
    responses = document["components"]["responses"]
    lines = []
    items = list(document["paths"].values()) + list(document.get("webhooks", {}).values())
    for item in items:
        for method, operation in item.items():
            if method not in METHODS:
                continue
            statuses = []
            for status, response in operation["responses"].items():
                response = responses[response["$ref"].rsplit("/", 1)[1]] if "$ref" in response else response
                if "application/problem+json" in response.get("content", {}):
                    statuses.append(f"{status}: true")
            lines.append(f"{operation['operationId']}: {{ {', '.join(statuses)} }}")
    return "{ " + ",\n".join(lines) + " }"


def main(yaml, scratch, generator, node_modules):
    scratch.mkdir(parents=True, exist_ok=True)
    there = counted(YAML(typ="safe").load(yaml))
    made = python_client(yaml, scratch, generator)
    if made != there:
        sys.exit(f"openapi.yaml has {there} operations and problem answers, the Python client {made}")
    typescript_client(yaml, scratch, node_modules)
    print(f"{there[0]} operations and {there[1]} problem answers, in Python and in TypeScript")


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
