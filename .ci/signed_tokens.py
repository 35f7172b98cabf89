"""The signed tokens of a node, verified by PyJWT with the keys that the node publishes.

    signed_tokens.py URL ADMIN_TOKEN
"""

import json
import sys
import urllib.request

import jwt

URL, ADMIN = sys.argv[1:]


def post(path, body):
    headers = {"content-type": "application/json", "authorization": f"Bearer {ADMIN}"}
    request = urllib.request.Request(URL + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def claims(token):
    key = jwt.PyJWKClient(URL + "/auth/keys").get_signing_key_from_jwt(token)
    required = {"require": ["iss", "aud", "sub", "iat", "exp"]}
    return jwt.decode(token, key, algorithms=["EdDSA"], audience="onhand", options=required)


person = {"login": "pyjwt", "password": "correct horse stapled"}
user = post("/users", {**person, "grants": []})
access = claims(post("/auth/login", person)["accessToken"])
assert access["sub"] == user["userId"] and access["iss"].startswith("urn:uuid:"), access
assert 0 < access["exp"] - access["iat"] <= 600 and access["sid"], access

team = {"kind": "team", "name": "red", "jwt": True, "grants": [{"role": "team", "team": "red"}]}
issued = post("/tokens", team)
signed = claims(issued["token"])
assert (signed["sub"], signed["jti"]) == (issued["principalId"], issued["tokenId"]), signed

head, payload, signature = issued["token"].split(".")
for wrong in [f"{head}.{payload}.{signature[:-4]}AAAA", f"{head}.{payload}."]:
    try:
        claims(wrong)
    except jwt.InvalidTokenError:
        continue
    sys.exit(f"PyJWT takes {wrong}")
print("PyJWT verifies the signed tokens of the node")
