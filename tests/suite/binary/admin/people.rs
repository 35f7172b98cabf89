//! `onhand user`, over the local socket and on the files; and people in a file of identity, who log in.

use super::super::api::Api;
use super::super::process::{Ended, Node, PROGRAM, verify};
use super::place::{APPLIED, Place, person};
use super::{done, json_of, on};
use serde_json::json;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Runs `onhand user` with a password on stdin, as in a container: the environment says that the server listens beyond its machine.
fn with_password(data_dir: &Path, arguments: &[&str], password: &str) -> Ended {
    let mut command = Command::new(PROGRAM);
    command.arg("user").args(arguments).args(["--password-stdin", "--data-dir"]).arg(data_dir);
    command.env("HOST", "0.0.0.0").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{password}\r\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ended { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// An administrator, and a person who is changed in every way.
#[track_caller]
fn story(data_dir: &Path) {
    let weak = with_password(data_dir, &["add", "ada", "--admin"], "short");
    assert_eq!(weak.code, Some(69), "{}", weak.stderr);
    assert!(weak.stderr.contains("/password: use at least 12 characters"), "{}", weak.stderr);
    let ada = with_password(data_dir, &["add", "ada", "--admin"], "correct horse battery");
    assert_eq!(ada.code, Some(0), "{}", ada.stderr);
    assert!(ada.stdout.starts_with("ada is u_") && ada.stdout.ends_with(" (admin)\n"), "{}", ada.stdout);
    let bob =
        on(data_dir, &["user", "add", "bob", "--name", "Bob B.", "--role", "manager", "--store", "BERLIN"]);
    assert_eq!(bob.code, Some(0), "{}", bob.stderr);
    assert!(
        bob.stdout.starts_with("ohl_") && bob.stdout.lines().count() == 1,
        "the link alone: {}",
        bob.stdout
    );
    assert!(bob.stderr.contains("(manager in BERLIN)") && !bob.stderr.contains("ohl_"), "{}", bob.stderr);
    let id = json_of(data_dir, &["user", "show", "BOB"])["userId"].as_str().unwrap().to_owned();
    for (arguments, wanted) in [
        (&["list"][..], "manager in BERLIN"),
        (&["show", &id], "name     Bob B.\n"),
        (
            &["grant", "bob", "--role", "manager", "--store", "PARIS"],
            "bob is granted manager in BERLIN + PARIS\n",
        ),
        (
            &["grant", "bob", "--permission", "ops:read"],
            "bob is granted manager in BERLIN + PARIS, ops:read\n",
        ),
        (
            &["ungrant", "bob", "--role", "manager", "--store", "BERLIN"],
            "bob is granted manager in PARIS, ops:read\n",
        ),
        (&["disable", "bob"], "bob is disabled\n"),
        (&["show", "bob"], "state    disabled\n"),
        (&["enable", &id], "is enabled\n"),
        (&["reset", "bob"], "ohl_"),
        (&["erase", "bob"], "bob is erased; what they did stays under u_"),
    ] {
        let arguments: Vec<&str> = ["user"].iter().chain(arguments).copied().collect();
        let text = done(data_dir, &arguments);
        assert!(text.contains(wanted), "{arguments:?}: {text}");
    }
    for (arguments, code, wanted) in [
        (&["show", "bob"][..], 69, "nobody has the login bob"),
        (&["erase", &id], 69, "not-found"),
        (&["add", "ada", "--role", "viewer"], 69, "login-taken"),
        (&["disable", "ada"], 69, "onhand user add LOGIN --admin"),
        (&["ungrant", "ada", "--role", "viewer"], 2, "viewer is not granted; granted is admin"),
    ] {
        let arguments: Vec<&str> = ["user"].iter().chain(arguments).copied().collect();
        let ended = on(data_dir, &arguments);
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(wanted), "{arguments:?}: {}", ended.stderr);
    }
}

async fn logs_in(node: &Node, login: &str, password: &str) -> u16 {
    Api::of(node).post("/auth/login", &[], &json!({"login": login, "password": password})).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_changed_over_the_socket() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &[]);
    story(directory.path());
    assert_eq!(logs_in(&node, "ada", "correct horse battery").await, 200);
    node.stop();
    verify(directory.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_changed_on_the_files() {
    let directory = TempDir::new().unwrap();
    Node::start(directory.path(), &[]).stop();
    story(directory.path());
    let node = Node::start(directory.path(), &[]);
    assert_eq!(logs_in(&node, "ada", "correct horse battery").await, 200);
    node.stop();
    verify(directory.path());
}

/// Another hash in the file is another password, and ends what was begun with the one before.
#[tokio::test(flavor = "multi_thread")]
async fn people_of_a_file_log_in_and_change_their_password_there_alone() {
    let (ada, other) = (person("ada", &["--admin"]), person("ada", &["--admin"]));
    let other = other.replace("\"ada\"", "\"ada\"\nname = \"Ada L.\"");
    let place = Place::new(&[&ada]);
    let node = place.start();
    let api = Api::of(&node);
    let login = json!({"login": "ada", "password": "correct horse battery"});
    let session = api.post("/auth/login", &[], &login).await;
    let own = format!("Bearer {}", session.json["accessToken"].as_str().unwrap());
    let own = [("authorization", own.as_str())];
    let change = json!({"currentPassword": "correct horse battery", "password": "rusty bridge in winter"});
    api.post("/auth/password", &own, &change).await.is(409, "managed-by-file");
    let id = session.json["user"]["userId"].as_str().unwrap();
    let (path, renamed) = (format!("/users/{id}"), json!({"name": "Somebody"}));
    api.try_say(http::Method::PATCH, &path, &own, &renamed).await.unwrap().is(409, "managed-by-file");
    assert_eq!(api.get_with("/auth/me", &own).await.status, 200);
    place.reload(&node, &[&other], APPLIED).await;
    assert_eq!(api.get_with("/auth/me", &own).await.status, 401, "the session has ended");
    assert_eq!(logs_in(&node, "ada", "correct horse battery").await, 200);
    node.stop();
    verify(&place.data());
}
