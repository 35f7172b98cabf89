//! `onhand user` against a node with people.

use super::fake::{fields, serve_router};
use super::told;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post, put};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

const ADA: &str = "u_0123456789ab";

/// The people, and the changes that were asked for.
#[derive(Default)]
struct People {
    people: BTreeMap<String, Value>,
    asked: Vec<String>,
}

type Shared = Arc<Mutex<People>>;

fn etag(person: &Value) -> String {
    format!("\"{}\"", person["version"])
}

fn answer(person: &Value) -> Response {
    ([("etag", etag(person))], Json(person.clone())).into_response()
}

fn link() -> Value {
    json!({"url": "https://node.example/docs/link#olo_secret", "expiresAt": "2026-11-30T15:30:00.000Z"})
}

async fn add(State(people): State<Shared>, Json(mut body): Json<Value>) -> Response {
    let mut people = people.lock().unwrap();
    people.asked.push(body.to_string());
    let with_password = body.as_object_mut().unwrap().remove("password").is_some();
    for (member, value) in [
        ("userId", json!(ADA)),
        ("disabled", json!(false)),
        ("version", json!(1)),
        ("createdAt", json!("2026-11-30T15:00:00.000Z")),
    ] {
        body[member] = value;
    }
    people.people.insert(ADA.to_owned(), body.clone());
    if !with_password {
        body["link"] = link();
    }
    (StatusCode::CREATED, answer(&body)).into_response()
}

async fn list(State(people): State<Shared>, query: RawQuery) -> Response {
    let query = fields(&query);
    let people = people.lock().unwrap();
    let fits = |person: &&Value| query.get("login").is_none_or(|login| person["login"] == login.as_str());
    let items: Vec<&Value> = people.people.values().filter(fits).collect();
    Json(json!({"items": items, "nextCursor": null})).into_response()
}

async fn show(State(people): State<Shared>, Path(id): Path<String>) -> Response {
    match people.lock().unwrap().people.get(&id) {
        Some(person) => answer(person),
        None => {
            (StatusCode::NOT_FOUND, Json(json!({"code": "not-found", "detail": "Nobody."}))).into_response()
        }
    }
}

/// A change of members, if `If-Match` has the version.
fn changed(people: &Shared, id: &str, headers: &HeaderMap, body: &Value) -> Response {
    let mut people = people.lock().unwrap();
    people.asked.push(body.to_string());
    let person = people.people.get_mut(id).unwrap();
    if headers.get("if-match").is_none_or(|sent| sent != etag(person).as_str()) {
        return (StatusCode::CONFLICT, Json(json!({"code": "version-conflict", "detail": "Read it again."})))
            .into_response();
    }
    for (member, value) in body.as_object().unwrap() {
        person[member] = value.clone();
    }
    person["version"] = json!(person["version"].as_u64().unwrap() + 1);
    answer(person)
}

async fn change(
    State(people): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    changed(&people, &id, &headers, &body)
}

async fn erase(State(people): State<Shared>, Path(id): Path<String>) -> Response {
    people
        .lock()
        .unwrap()
        .people
        .remove(&id)
        .map_or(StatusCode::NOT_FOUND.into_response(), |person| answer(&person))
}

async fn reset() -> Response {
    Json(json!({ "link": link() })).into_response()
}

/// Serves until the test ends; returns the base URL.
fn serve(people: &Shared) -> String {
    let router = Router::new()
        .route("/users", post(add).get(list))
        .route("/users/{id}", get(show).delete(erase).merge(patch(change)))
        .route("/users/{id}/grants", put(change))
        .route("/users/{id}/reset", post(reset))
        .with_state(Arc::clone(people));
    serve_router(router)
}

#[test]
fn people_are_added_changed_and_erased() {
    let people = Shared::default();
    let url = serve(&people);
    let directory = TempDir::new().unwrap();
    let user = |arguments: &[&str]| {
        let arguments: Vec<&str> =
            ["user"].iter().chain(arguments).copied().chain(["--server", &url]).collect();
        told(directory.path(), &arguments)
    };
    let added = user(&["add", "ada", "--name", "Ada L.", "--role", "manager", "--store", "BERLIN"]);
    let (out, hint) = added.split_once("--- stderr\n").unwrap();
    assert_eq!(out, "exit code 0\n--- stdout\nhttps://node.example/docs/link#olo_secret\n");
    assert!(hint.contains("ada is u_0123456789ab (manager in BERLIN)") && !hint.contains("olo_"), "{hint}");
    for (arguments, wanted) in [
        (&["list"][..], "manager in BERLIN"),
        (&["show", "ada"], "login    ada\n"),
        (&["show", ADA], "name     Ada L.\n"),
        (
            &["grant", "ada", "--role", "manager", "--store", "PARIS"],
            "ada is granted manager in BERLIN + PARIS\n",
        ),
        (
            &["grant", "ada", "--permission", "ops:read"],
            "ada is granted manager in BERLIN + PARIS, ops:read\n",
        ),
        (
            &["ungrant", "ada", "--role", "manager", "--store", "BERLIN"],
            "ada is granted manager in PARIS, ops:read\n",
        ),
        (&["disable", "ada"], "ada is disabled\n"),
        (&["show", "ada"], "state    disabled\n"),
        (&["enable", ADA], "u_0123456789ab is enabled\n"),
        (&["reset", "ada"], "https://node.example/docs/link#olo_secret\n"),
        (&["erase", "ada"], "ada is erased; what they did stays under u_0123456789ab\n"),
    ] {
        let text = user(arguments);
        assert!(text.starts_with("exit code 0") && text.contains(wanted), "{arguments:?}: {text}");
    }
    for (arguments, code, wanted) in
        [(&["show", "ada"][..], 69, "nobody has the login ada"), (&["erase", ADA], 69, "not-found: Nobody.")]
    {
        let text = user(arguments);
        assert!(
            text.starts_with(&format!("exit code {code}")) && text.contains(wanted),
            "{arguments:?}: {text}"
        );
    }
    let asked = &people.lock().unwrap().asked;
    assert_eq!(
        asked[0],
        r#"{"grants":[{"role":"manager","stores":["BERLIN"]}],"login":"ada","name":"Ada L."}"#
    );
}

/// The password comes by stdin alone, and is in no output.
#[test]
fn a_password_comes_by_stdin() {
    let people = Shared::default();
    let url = serve(&people);
    let mut command = Command::new(env!("CARGO_BIN_EXE_onhand"));
    command.args(["user", "add", "ada", "--admin", "--password-stdin", "--server", &url]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"correct horse battery\r\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !text.contains("horse"), "{text}");
    assert_eq!(text, "ada is u_0123456789ab (admin)\n");
    assert!(people.lock().unwrap().asked[0].contains(r#""password":"correct horse battery""#));
}
