//! The rules of the project, checked on every source file. Each rule also shows that it can fail.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::circles::{Arrows, MAY_CLOSE_A_CIRCLE};
use crate::source::{code_lines, functions, mask, paths, without_tests, words};

/// Packages of the project that a package may depend on, where `Cargo.toml` could list more than it should.
const MAY_DEPEND_ON: [(&str, &[&str]); 12] = [
    ("src/domain", &[]),
    ("src/planted", &[]),
    ("src/resilience", &[]),
    ("src/telemetry", &[]),
    ("src/app", &["domain", "planted", "resilience"]),
    ("src/adapters/disk", &["app", "domain", "planted"]),
    ("src/adapters/file", &["app", "disk", "domain", "planted", "resilience", "telemetry"]),
    ("src/adapters/console", &[]),
    (
        "src/adapters/http",
        &["app", "config", "console", "domain", "planted", "resilience", "spreadsheet", "telemetry"],
    ),
    ("src/adapters/remote", &["app", "config", "domain"]),
    ("src/adapters/vault", &["app", "disk", "domain", "planted", "telemetry"]),
    ("src/adapters/audit", &["app", "disk", "domain", "telemetry"]),
];

/// Names that must not occur in the pure core, not even in its tests.
const BANNED_IN_DOMAIN: [&str; 3] = ["std::fs", "async fn", "SystemTime"];

/// Names that do not describe their contents.
const BANNED_MODULE_NAMES: [&str; 4] = ["util", "helpers", "common", "types"];

const FILE_CODE_LINES_MAX: usize = 250;
const FUNCTION_CODE_LINES_MAX: usize = 70;

/// Files (`src/a.rs`) and functions (`src/a.rs::name`) that may be longer, with the reason. The list only shrinks.
const MAY_BE_LONGER: [(&str, &str); 0] = [];

/// Source files by their path in the project.
type Tree = BTreeMap<String, String>;

#[test]
fn packages_depend_only_on_what_they_may() {
    for (folder, allowed) in MAY_DEPEND_ON {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join("Cargo.toml");
        let manifest = fs::read_to_string(&path).unwrap();
        assert_tidy(&wrong_dependencies(folder, &manifest, allowed));
    }
}

#[test]
fn the_domain_is_pure() {
    assert_tidy(&impurities(&project()));
}

#[test]
fn every_file_says_what_it_is() {
    assert_tidy(&files_without_a_word(&project()));
}

#[test]
fn files_and_functions_fit_into_a_head() {
    assert_tidy(&too_long(&project(), &MAY_BE_LONGER));
}

#[test]
fn module_files_are_named_by_one_convention() {
    assert_tidy(&misnamed_modules(&project()));
}

#[test]
fn no_imports_run_in_circles() {
    assert_tidy(&circles(&project(), MAY_CLOSE_A_CIRCLE));
}

/// The imports that run in circles without the exceptions, and exceptions that close no circle alone.
fn circles(tree: &Tree, exceptions: &[(&str, &str)]) -> Vec<String> {
    let arrows = Arrows::read(tree, &["src"]);
    let places: Vec<&str> = exceptions.iter().map(|(place, _)| *place).collect();
    let mut complaints: Vec<String> = arrows.in_circles(&places).into_iter().collect();
    for (place, reason) in exceptions {
        let others: Vec<&str> = places.iter().copied().filter(|other| other != place).collect();
        if !arrows.in_circles(&others).contains(*place) {
            complaints.push(format!("{place}: the exception is no longer needed"));
        }
        if reason.trim().is_empty() {
            complaints.push(format!("{place}: the exception has no reason"));
        }
    }
    complaints
}

/// Dependencies of a manifest on packages of the project that are not allowed; those of its tests do not count.
fn wrong_dependencies(folder: &str, manifest: &str, allowed: &[&str]) -> Vec<String> {
    let (_, after) = manifest.split_once("\n[dependencies]\n").expect("the manifest has dependencies");
    let of_house = after
        .lines()
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.strip_prefix("onhand-")?.split(['.', ' ', '=']).next());
    let wrong = of_house.filter(|name| !allowed.contains(name));
    wrong.map(|name| format!("{folder}/Cargo.toml: must not depend on onhand-{name}")).collect()
}

fn impurities(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, text) in tree.iter().filter(|(path, _)| path.starts_with("src/domain/")) {
        let code = mask(text);
        let in_groups = paths(&code, "std").into_iter().map(|path| format!("std::{path}"));
        let code = in_groups.fold(code.clone(), |all, path| all + "\n" + &path);
        let named = BANNED_IN_DOMAIN.iter().filter(|word| words(&code, word).next().is_some());
        complaints.extend(named.map(|word| format!("{path}: `{word}` has no place in the domain")));
    }
    complaints
}

fn files_without_a_word(tree: &Tree) -> Vec<String> {
    let silent = tree.iter().filter(|(_, text)| !text.starts_with("//! "));
    silent.map(|(path, _)| format!("{path}: does not start with a sentence after `//!`")).collect()
}

fn too_long(tree: &Tree, exceptions: &[(&str, &str)]) -> Vec<String> {
    let mut long = BTreeMap::new();
    for (path, text) in tree {
        let code = without_tests(&mask(text));
        if code_lines(&code) > FILE_CODE_LINES_MAX {
            long.insert(path.clone(), code_lines(&code));
        }
        for (name, lines) in
            functions(&code).into_iter().filter(|(_, lines)| *lines > FUNCTION_CODE_LINES_MAX)
        {
            long.insert(format!("{path}::{name}"), lines);
        }
    }
    let excepted = |place: &str| exceptions.iter().any(|(name, _)| *name == place);
    let unexcused = long.iter().filter(|(place, _)| !excepted(place));
    let mut complaints: Vec<String> =
        unexcused.map(|(place, lines)| format!("{place}: {lines} lines of code")).collect();
    for (place, reason) in exceptions {
        if !long.contains_key(*place) {
            complaints.push(format!("{place}: the exception is no longer needed"));
        }
        if reason.trim().is_empty() {
            complaints.push(format!("{place}: the exception has no reason"));
        }
    }
    complaints
}

fn misnamed_modules(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for path in tree.keys() {
        let stem = path.trim_end_matches(".rs");
        if tree.keys().any(|other| other.starts_with(&format!("{stem}/"))) {
            complaints.push(format!("{path}: belongs into {stem}/mod.rs"));
        }
        let (folder, _) = path.rsplit_once('/').unwrap_or_default();
        let is_root = matches!(folder, "src" | "tests" | "benches" | "tests/scratch/tests");
        let has_head =
            ["mod.rs", "lib.rs", "main.rs"].iter().any(|head| tree.contains_key(&format!("{folder}/{head}")));
        if !is_root && !has_head {
            complaints.push(format!("{path}: its folder has no mod.rs"));
        }
        let vague = |part: &str| BANNED_MODULE_NAMES.contains(&part);
        if path.starts_with("src/") && stem.split('/').any(vague) {
            complaints.push(format!("{path}: the name does not say what is inside"));
        }
    }
    complaints
}

/// Every Rust file of the project.
fn project() -> Tree {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tree = Tree::new();
    let mut folders = ["src", "tests", "benches"].map(str::to_owned).to_vec();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(root.join(&folder)) else { continue };
        for entry in entries.map(Result::unwrap) {
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if entry.path().extension().is_some_and(|extension| extension == "rs") {
                tree.insert(path, fs::read_to_string(entry.path()).unwrap());
            }
        }
    }
    assert!(
        tree.contains_key("src/lib.rs") && tree.contains_key("tests/suite/tidy.rs"),
        "the project was not found"
    );
    tree
}

fn assert_tidy(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planted(files: &[(&str, &str)]) -> Tree {
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    }

    /// Checks a rule on one file: row by row the file, its text and the number of complaints.
    fn check(rule: fn(&Tree) -> Vec<String>, rows: &[(&str, &str, usize)]) {
        for (path, text, wanted) in rows {
            let complaints = rule(&planted(&[(path, text)]));
            assert_eq!(complaints.len(), *wanted, "{path}: {text}\n{complaints:?}");
        }
    }

    #[test]
    fn a_wrong_dependency_is_seen() {
        let rows = [
            ("\n[dependencies]\nonhand-domain.workspace = true\n", 0),
            ("\n[dependencies]\nonhand-file.workspace = true\nonhand-http = { path = \"x\" }\n", 2),
            (
                "\n[dependencies]\ntokio.workspace = true\n\n[dev-dependencies]\nonhand-file.workspace = true\n",
                0,
            ),
        ];
        for (manifest, wanted) in rows {
            assert_eq!(wrong_dependencies("src/app", manifest, &["domain"]).len(), wanted, "{manifest}");
        }
    }

    #[test]
    fn a_circle_of_imports_is_seen() {
        let rows: [(&[(&str, &str)], usize); 13] = [
            (&[("src/app/a.rs", "use crate::b::B;"), ("src/app/b.rs", "use crate::domain::c;")], 0),
            (&[("src/app/a.rs", "use crate::b::B;"), ("src/app/b.rs", "fn f() { super::a::g() }")], 2),
            (&[("src/app/a.rs", "use crate::b::B;"), ("src/app/b.rs", "#[cfg(test)]\nuse super::a;")], 0),
            (&[("src/app/a.rs", "// crate::b"), ("src/app/b.rs", "use super::a;")], 0),
            // Between rooms, whichever files in them: a -> b, and back from deeper inside.
            (
                &[
                    ("src/app/lib.rs", ""),
                    ("src/app/a/mod.rs", "mod x;"),
                    ("src/app/a/x.rs", "use super::super::b::{self, B};"),
                    ("src/app/b/mod.rs", "mod y;"),
                    ("src/app/b/y.rs", "use crate::{a::A, ports};"),
                ],
                2,
            ),
            // A name that the folder re-exports is of the room it comes from ...
            (
                &[
                    ("src/app/lib.rs", "pub use b::B;"),
                    ("src/app/a.rs", "use crate::B;"),
                    ("src/app/b.rs", "use crate::a::A;"),
                ],
                2,
            ),
            // ... also by way of the room's own folder, and the folder has no part in it.
            (
                &[
                    ("src/app/lib.rs", "pub use b::{B, C};"),
                    ("src/app/a.rs", "use super::C;"),
                    ("src/app/b/mod.rs", "pub(crate) use y::C;"),
                    ("src/app/b/y.rs", "use crate::a::A;"),
                ],
                2,
            ),
            (&[("src/app/lib.rs", "pub use a::A;"), ("src/app/a.rs", "fn f() {}")], 0),
            // Items that a folder's head defines itself are a room.
            (&[("src/app/lib.rs", "use a::A; struct B;"), ("src/app/a.rs", "use super::B;")], 2),
            (&[("src/app/lib.rs", "fn f() { a::g() }"), ("src/app/a.rs", "use crate::B;")], 2),
            (&[("src/app/lib.rs", ""), ("src/app/a.rs", "pub(crate) fn f() {}")], 0),
            (
                &[
                    ("src/app/a.rs", "use crate::b;"),
                    ("src/app/b.rs", "use crate::c;"),
                    ("src/app/c.rs", "use crate::{a, d};"),
                    ("src/app/d.rs", ""),
                ],
                3,
            ),
            (&[("tests/a.rs", "use super::b;"), ("tests/b.rs", "use super::a;")], 0),
        ];
        for (files, wanted) in rows {
            let mut tree = planted(files);
            tree.entry("src/app/lib.rs".to_owned()).or_default();
            let found = circles(&tree, &[]);
            assert_eq!(found.len(), wanted, "{files:?}\n{found:?}");
        }
    }

    #[test]
    fn a_circle_may_be_excepted_as_long_as_it_is_there() {
        let files =
            [("src/app/lib.rs", ""), ("src/app/a.rs", "use crate::b;"), ("src/app/b.rs", "use crate::a;")];
        let tree = planted(&files);
        let (to, from) = (("src/app: a -> b", "to be cut"), ("src/app: b -> a", "to be cut"));
        assert_tidy(&circles(&tree, &[to]));
        assert_eq!(circles(&tree, &[("src/app: a -> b", " ")]).len(), 1);
        assert_eq!(circles(&tree, &[to, from]).len(), 2, "one of them is enough");
        assert_eq!(circles(&tree, &[to, ("src/app: a -> c", "to be cut")]).len(), 1);
    }

    #[test]
    fn an_impure_word_in_the_domain_is_seen() {
        let rows = [
            ("src/domain/x.rs", "std::fs::read(p)", 1),
            ("src/domain/x.rs", "use std::{fmt, fs};", 1),
            ("src/domain/x.rs", "pub async fn f() {}", 1),
            ("src/domain/x.rs", "std::time::SystemTime::now()", 1),
            ("src/domain/x.rs", "#[cfg(test)] mod tests { use std::fs; }", 1),
            ("src/domain/x.rs", "// no std::fs\nlet s = \"async fn\";", 0),
            ("src/app/x.rs", "use std::fs;", 0),
        ];
        check(impurities, &rows);
    }

    #[test]
    fn a_silent_file_is_seen() {
        let rows = [
            ("src/x.rs", "//! What it is.\n", 0),
            ("src/x.rs", "use a;\n//! Too late.\n", 1),
            ("tests/suite/x.rs", "", 1),
        ];
        check(files_without_a_word, &rows);
    }

    #[test]
    fn a_long_file_is_seen_and_only_its_code_counts() {
        let code = "let a = 1;\n".repeat(FILE_CODE_LINES_MAX);
        let tests = "#[cfg(test)]\nmod tests {\n".to_owned() + &"let a = 1;\n".repeat(300) + "}\n";
        let fitting = format!("//! Words.\n\n{code}/* more\nwords */\n{tests}");
        let one_more = format!("{fitting}let b = 1;\n");
        assert_tidy(&too_long(&planted(&[("src/x.rs", &fitting)]), &[]));
        assert_eq!(too_long(&planted(&[("src/x.rs", &one_more)]), &[]), ["src/x.rs: 251 lines of code"]);
    }

    #[test]
    fn a_long_function_is_seen() {
        let body = |lines| format!("fn f() {{\n{}}}\n", "  g();\n\n  // h\n".repeat(lines));
        assert_tidy(&too_long(&planted(&[("src/x.rs", &body(68))]), &[]));
        assert_eq!(too_long(&planted(&[("src/x.rs", &body(69))]), &[]), ["src/x.rs::f: 71 lines of code"]);
    }

    #[test]
    fn an_exception_needs_a_reason_and_something_to_except() {
        let long = planted(&[("src/x.rs", &"let a = 1;\n".repeat(251))]);
        assert_tidy(&too_long(&long, &[("src/x.rs", "a table")]));
        assert_eq!(too_long(&long, &[("src/x.rs", " ")]).len(), 1);
        assert_eq!(too_long(&long, &[("src/x.rs", "a table"), ("src/y.rs", "a table")]).len(), 1);
    }

    #[test]
    fn a_module_file_of_the_other_convention_is_seen() {
        let rows: [(&[&str], usize); 6] = [
            (&["src/lib.rs", "src/a/mod.rs", "src/a/b.rs"], 0),
            (&["src/lib.rs", "src/a.rs", "src/a/mod.rs"], 1),
            (&["src/lib.rs", "src/a/b.rs"], 1),
            (&["tests/suite/main.rs", "tests/suite/tidy.rs"], 0),
            (&["src/a/mod.rs", "src/a/util.rs"], 1),
            (&["src/helpers/mod.rs"], 1),
        ];
        for (files, wanted) in rows {
            let files: Vec<(&str, &str)> = files.iter().map(|path| (*path, "")).collect();
            assert_eq!(misnamed_modules(&planted(&files)).len(), wanted, "{files:?}");
        }
    }
}
