//! The commands, each over every way to the node.

use super::super::api::Api;
use super::super::process::{Ended, Node, Process, onhand, run, verify};
use super::super::skipped;
use super::{bearer, done, json_of, on};
use rustix::process::geteuid;
use serde_json::json;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const TILL: [&str; 9] =
    ["token", "create", "till-3", "--kind", "till", "--role", "till", "--store", "BERLIN"];

/// Makes an administrator and a till, changes the mode and the token of the till. Returns the tokens.
#[track_caller]
fn story(data_dir: &Path) -> (String, String) {
    let made = on(data_dir, &["token", "create", "desk", "--admin"]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    assert!(
        made.stdout.starts_with("ohs_") && made.stdout.lines().count() == 1,
        "the token alone: {}",
        made.stdout
    );
    assert!(made.stderr.contains("desk (admin)") && !made.stderr.contains("ohs_"), "{}", made.stderr);
    let till = json_of(data_dir, &TILL);
    let id = till["tokenId"].as_str().unwrap();
    assert_eq!((&till["kind"], &till["name"]), (&json!("till"), &json!("till-3")));
    let listed = json_of(data_dir, &["token", "list"]);
    assert_eq!(listed["items"].as_array().unwrap().len(), 2, "{listed}");
    assert!(done(data_dir, &["token", "list"]).contains("till-3"));
    assert_eq!(done(data_dir, &["mode"]), "development\n");
    assert_eq!(done(data_dir, &["mode", "judging"]), "judging\n");
    assert_eq!(json_of(data_dir, &["mode"])["mode"], "judging");
    let explain = |method, path| on(data_dir, &["access", "explain", "till-3", method, path]);
    let yes = explain("post", "/stock/sale");
    assert_eq!((yes.code, yes.stdout.starts_with("yes: stock:sell")), (Some(0), true), "{}", yes.stdout);
    let no = explain("POST", "/stores/PARIS/inventory/TEA/reserve");
    assert_eq!(no.code, Some(1), "{}", no.stdout);
    assert!(no.stdout.starts_with("no: stock:reserve is not granted in the store PARIS\n"), "{}", no.stdout);
    assert!(no.stdout.contains("till in BERLIN: it gives stock:reserve in BERLIN alone"), "{}", no.stdout);
    let body = data_dir.with_extension("json");
    fs::write(&body, r#"{"storeId": "PARIS", "sku": "TEA", "quantity": 1}"#).unwrap();
    let sale = ["access", "explain", "till-3", "POST", "/stock/sale", "--body", body.to_str().unwrap()];
    let no = on(data_dir, &sale);
    assert_eq!(no.code, Some(1), "{}", no.stderr);
    assert!(no.stdout.starts_with("no: stock:sell is not granted in the store PARIS\n"), "{}", no.stdout);
    fs::remove_file(body).unwrap();
    assert!(explain("GET", "/nowhere").stdout.starts_with("no: there is no route /nowhere"));
    let rotated = on(data_dir, &["token", "rotate", id, "--grace", "24h"]);
    assert!(
        rotated.stdout.starts_with("oht_") && rotated.stderr.contains("86400 s more"),
        "{}",
        rotated.stderr
    );
    done(data_dir, &["token", "revoke", id]);
    let again = on(data_dir, &["token", "rotate", id]);
    assert_eq!(again.code, Some(69), "{}", again.stderr);
    assert!(again.stderr.contains("not-found: There is no such token"), "{}", again.stderr);
    let node = on(data_dir, &["node", "add", "centre", "--expires", "30d"]);
    assert!(node.stdout.starts_with("ohn_") && node.stderr.contains("SYNC_TOKEN_FILE"), "{}", node.stderr);
    (made.stdout, rotated.stdout)
}

/// What the story has left, as the node at that address sees it.
async fn is_told(node: &Node, admin: &str, till: &str) {
    let api = Api::of(node);
    api.get("/stores").await.is(401, "unauthorized");
    let (admin, till) = (bearer(admin), bearer(till));
    let mode = api.get_with("/mode", &[("authorization", &admin)]).await;
    assert_eq!(mode.json["mode"], "judging", "{}", mode.text);
    let me = api.get_with("/auth/me", &[("authorization", &till)]).await;
    assert_eq!(me.json["grants"], json!([{"role": "till", "stores": ["BERLIN"]}]), "{}", me.text);
    let tokens = api.get_with("/tokens", &[("authorization", &admin)]).await;
    let revoked =
        tokens.json["items"].as_array().unwrap().iter().filter(|token| token["revoked"] == true).count();
    assert_eq!(revoked, 1, "{}", tokens.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_told_over_its_socket() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &["--host", "0.0.0.0"]);
    let said = node.process.said("stderr");
    let command = format!(
        "onhand user add ada --admin --data-dir {}",
        directory.path().canonicalize().unwrap().display()
    );
    assert!(said.contains(&command) && said.contains("docker exec"), "{said}");
    let (admin, till) = story(directory.path());
    is_told(&node, &admin, &till).await;
    node.stop();
    verify(directory.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_the_files_are_changed() {
    let directory = TempDir::new().unwrap();
    let missing = on(&directory.path().join("none"), &["mode"]);
    assert_eq!(missing.code, Some(66), "{}", missing.stderr);
    assert!(missing.stderr.contains("is not a data directory"), "{}", missing.stderr);
    Node::start(directory.path(), &[]).stop();
    let (admin, till) = story(directory.path());
    verify(directory.path());
    let node = Node::start(directory.path(), &["--host", "0.0.0.0"]);
    is_told(&node, &admin, &till).await;
    // A killed process has left its socket, and nobody answers there.
    node.process.kill();
    assert!(directory.path().join("admin.sock").exists());
    assert_eq!(done(directory.path(), &["mode"]), "judging\n");
}

/// The lock of the directory lets one at a time; the others wait for their turn.
#[test]
fn commands_at_once_do_not_disturb_each_other() {
    let directory = TempDir::new().unwrap();
    Node::start(directory.path(), &[]).stop();
    done(directory.path(), &["token", "create", "desk", "--admin"]);
    let commands: Vec<Process> = (0..4)
        .map(|_| {
            let mut command = onhand(&TILL);
            command.arg("--data-dir").arg(directory.path());
            Process::spawn(command)
        })
        .collect();
    for command in commands {
        let ended = command.wait();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
    assert_eq!(json_of(directory.path(), &["token", "list"])["items"].as_array().unwrap().len(), 5);
    verify(directory.path());
}

fn over_http(node: &Node, token: &str, arguments: &[&str]) -> Ended {
    let mut command = onhand(arguments);
    command.args(["--server", &node.url]).env("ONHAND_TOKEN", token.trim());
    run(command)
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http_a_token_is_needed() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &[]);
    let last = over_http(&node, "", &["token", "create", "x", "--role", "viewer"]);
    assert_eq!(last.code, Some(69), "{}", last.stderr);
    assert!(
        last.stderr.contains("last-admin") && last.stderr.contains("onhand user add LOGIN --admin"),
        "{}",
        last.stderr
    );
    let admin = over_http(&node, "", &["token", "create", "desk", "--admin"]);
    let till = over_http(&node, &admin.stdout, &TILL);
    assert_eq!((admin.code, till.code), (Some(0), Some(0)), "{}{}", admin.stderr, till.stderr);
    for (token, wanted) in [
        ("", "set ONHAND_TOKEN"),
        ("ohs_", "set ONHAND_TOKEN"),
        (till.stdout.as_str(), "forbidden: This needs the permission identity:manage"),
    ] {
        let ended = over_http(&node, token, &["mode", "judging"]);
        assert_eq!(ended.code, Some(77), "{}", ended.stderr);
        assert!(ended.stderr.contains(wanted) && !ended.stderr.contains("oht_"), "{}", ended.stderr);
    }
    for options in [&["keys", "rotate"][..], &["keys", "rotate", "--revoke"]] {
        let keys = over_http(&node, &admin.stdout, options);
        assert_eq!(keys.code, Some(0), "{}", keys.stderr);
    }
    node.stop();
    let nobody = {
        let mut command = onhand(&["mode", "--server", "http://127.0.0.1:1"]);
        command.current_dir(directory.path());
        run(command)
    };
    assert_eq!(nobody.code, Some(69), "{}", nobody.stderr);
}

#[test]
fn what_is_mistyped_is_told_with_what_there_is() {
    let directory = TempDir::new().unwrap();
    Node::start(directory.path(), &[]).stop();
    for (arguments, wanted) in [
        (&["token", "create", "x"][..], "the roles are admin, viewer"),
        (&["token", "create", "x", "--role", "owner"], "[possible values: admin, viewer"),
        (&["token", "create", "x", "--role", "till"], "name at least one in stores (--store)"),
        (&["token", "create", "x", "--role", "team"], "(--team)"),
        (&["token", "create", "x", "--permission", "stock:steal"], "there are stock:read"),
        (&["token", "create", "x", "--admin", "--store", "A"], "cannot be used with"),
        (&["token", "create", "x", "--admin", "--expires", "soon"], "give it as 90d, 24h"),
        (
            &["token", "create", "x", "--kind", "robot", "--admin"],
            "[possible values: service, till, team, node]",
        ),
        (&["mode", "war"], "[possible values: development, judging]"),
        (&["user", "new", "ada", "--admin"], "--password-stdin"),
    ] {
        let ended = on(directory.path(), arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(wanted), "{arguments:?}: {}", ended.stderr);
    }
}

/// Every path below a directory, itself included.
fn tree(directory: &Path) -> Vec<PathBuf> {
    let mut paths = vec![directory.to_path_buf()];
    let mut at = 0;
    while let Some(path) = paths.get(at).cloned() {
        at += 1;
        if path.is_dir() {
            paths.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    paths
}

#[test]
fn root_leaves_files_of_the_owner() {
    const OWNER: u32 = 65_534;
    if !geteuid().is_root() {
        return skipped("root on the files of another user", "this is not root");
    }
    let directory = TempDir::new().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o711)).unwrap();
    let data = directory.path().join("data");
    Node::start(&data, &[]).stop();
    for path in tree(&data) {
        chown(path, Some(OWNER), Some(OWNER)).unwrap();
    }
    let before = tree(&data).len();
    story(&data);
    let files = tree(&data);
    assert!(files.len() > before, "{files:?}");
    for path in files {
        assert_eq!(fs::metadata(&path).unwrap().uid(), OWNER, "{}", path.display());
    }
    // One file of root, and the owner cannot go on: the message says whose it is.
    chown(data.join("identity/vault.json"), Some(0), Some(0)).unwrap();
    let ended = on(&data, &["mode"]);
    assert_eq!(ended.code, Some(77), "{}", ended.stderr);
    assert!(ended.stderr.contains("identity"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_processes_any_is_told() {
    let directory = TempDir::new().unwrap();
    let nodes = [0, 1].map(|_| Node::start(directory.path(), &["--locks-enabled"]));
    let token = done(directory.path(), &["token", "create", "desk", "--admin"]);
    let [first, second] = nodes;
    for node in [&first, &second] {
        Api::of(node).get_with("/stores", &[("authorization", &bearer(&token))]).await.is(200, "");
    }
    first.stop();
    // The second one alone has a socket now.
    let listed = json_of(directory.path(), &["token", "list"]);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
    second.stop();
    let refused = on(directory.path(), &["mode"]);
    assert_eq!(refused.code, Some(78), "{}", refused.stderr);
    assert!(refused.stderr.contains("LOCKS_ENABLED=true"), "{}", refused.stderr);
    let mut command = onhand(&["mode", "judging", "--data-dir"]);
    command.arg(directory.path()).env("LOCKS_ENABLED", "true");
    let told = run(command);
    assert_eq!((told.code, told.stdout.as_str()), (Some(0), "judging\n"), "{}", told.stderr);
    verify(directory.path());
}
