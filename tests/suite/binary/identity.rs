//! Identity over the real binary: its refusals, several processes of one data directory, and what a crash leaves over.

use super::admin::declared_token_revoked;
use super::api::{Api, Reply};
use super::process::{Node, verify};
use http::Method;
use onhand_app::ports::Vault;
use onhand_disk::RealDisk;
use onhand_domain::identity::{TokenId, TokenKind};
use onhand_vault::FileVault;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// A process gives up a lease within milliseconds of its request, and each try waits for it.
const TRIES_MAX: usize = 20;

fn bearer(reply: &Reply) -> String {
    assert_eq!(reply.status, 201, "{}", reply.text);
    format!("Bearer {}", reply.json["token"].as_str().unwrap())
}

fn token(grant: &Value) -> Value {
    json!({"kind": "service", "name": "x", "grants": [grant]})
}

/// Sends until the other process has given up the lease, as a client does.
async fn sent(api: &Api, method: Method, path: &str, authorization: &str, body: &Value) -> Reply {
    let headers = [("authorization", authorization), ("content-type", "application/json")];
    let headers = if authorization.is_empty() { &headers[1..] } else { &headers };
    let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
    for _ in 0..TRIES_MAX {
        let reply = api.try_send(method.clone(), path, headers, body.clone()).await.unwrap();
        if reply.json["code"] != "lock-contended" {
            return reply;
        }
    }
    panic!("the lease for {method} {path} is never given up")
}

/// A token that one process issues is good at the other one at once; a token that one revokes is refused by the other at once.
#[tokio::test(flavor = "multi_thread")]
async fn what_one_process_grants_and_revokes_counts_at_the_other_at_once() {
    let directory = TempDir::new().unwrap();
    let nodes = [0, 1].map(|_| Node::start(directory.path(), &["--locks-enabled"]));
    let apis = nodes.each_ref().map(Api::of);
    let first = token(&json!({"role": "admin"}));
    let admin = bearer(&sent(&apis[0], Method::POST, "/tokens", "", &first).await);
    apis[1].get("/stores").await.is(401, "unauthorized");
    let viewer = token(&json!({"role": "viewer"}));
    for turn in 0..20 {
        let (here, there) = (&apis[turn % 2], &apis[1 - turn % 2]);
        let issued = sent(here, Method::POST, "/tokens", &admin, &viewer).await;
        let credential = bearer(&issued);
        let as_viewer = [("authorization", credential.as_str())];
        there.get_with("/stores", &as_viewer).await.is(200, "");
        let path = format!("/tokens/{}", issued.json["tokenId"].as_str().unwrap());
        sent(here, Method::DELETE, &path, &admin, &Value::Null).await.is(200, "");
        there.get_with("/stores", &as_viewer).await.is(401, "unauthorized");
    }
    for node in nodes {
        node.stop();
    }
    verify(directory.path());
}

/// The refusals for what a caller may not do: `setup-required`, `last-admin`, `unauthorized`, `forbidden`, `managed-by-file`, `tls-required`, `login-taken`, `too-many-attempts`.
pub(super) async fn refusals() -> Vec<Reply> {
    let mut met: Vec<Reply> = Vec::new();
    let (elsewhere, here) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let open_to_others = Node::start(elsewhere.path(), &["--host", "0.0.0.0"]);
    met.push(Api::of(&open_to_others).get("/stores").await.is(401, "setup-required").clone());
    let login = json!({"login": "ada", "password": "correct horse stapled"});
    met.push(Api::of(&open_to_others).post("/auth/login", &[], &login).await.is(403, "tls-required").clone());
    let node = Node::start(here.path(), &[]);
    let api = Api::of(&node);
    let till = token(&json!({"role": "till", "stores": ["PARIS"]}));
    met.push(api.post("/tokens", &[], &till).await.is(409, "last-admin").clone());
    let admin = bearer(&api.post("/tokens", &[], &token(&json!({"role": "admin"}))).await);
    let till = bearer(&api.post("/tokens", &[("authorization", &admin)], &till).await);
    met.push(api.get("/stores/LONDON/inventory/TEA").await.is(401, "unauthorized").clone());
    met.push(
        api.get_with("/stores/LONDON/inventory/TEA", &[("authorization", &till)])
            .await
            .is(403, "forbidden")
            .clone(),
    );
    let mut person = login.clone();
    person["grants"] = json!([]);
    api.post("/users", &[("authorization", &admin)], &person).await.is(201, "");
    met.push(api.post("/users", &[("authorization", &admin)], &person).await.is(409, "login-taken").clone());
    let wrong = json!({"login": "ada", "password": "something else"});
    for _ in 0..5 {
        api.post("/auth/login", &[], &wrong).await.is(401, "unauthorized");
    }
    met.push(api.post("/auth/login", &[], &wrong).await.is(429, "too-many-attempts").clone());
    met.push(declared_token_revoked().await);
    met
}

/// One process was killed between the file of a token and its event, another one between the event of a revocation and the file. What they
/// left over goes at a start, once no request can be under way any more that it belongs to.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_left_over_in_the_vault_goes_at_a_start() {
    let (directory, aside) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let file = |id: &str| directory.path().join(format!("identity/tokens/{id}.json"));
    let node = Node::start(directory.path(), &[]);
    let api = Api::of(&node);
    let first = api.post("/tokens", &[], &token(&json!({"role": "admin"}))).await;
    let (admin, desk) = (bearer(&first), first.json["tokenId"].as_str().unwrap());
    let headers = [("authorization", admin.as_str())];
    let second = api.post("/tokens", &headers, &token(&json!({"role": "viewer"}))).await;
    let revoked = second.json["tokenId"].as_str().unwrap();
    fs::copy(file(revoked), aside.path().join("kept")).unwrap();
    let path = format!("/tokens/{revoked}");
    api.try_send(Method::DELETE, &path, &headers, Vec::new()).await.unwrap().is(200, "");
    assert!(!file(revoked).exists());
    node.process.kill();
    fs::copy(aside.path().join("kept"), file(revoked)).unwrap();
    let vault = FileVault::open(Arc::new(RealDisk), directory.path().join("identity")).unwrap();
    let left_over = [0, 1].map(|_| vault.issue_token(TokenKind::Service, "never issued").unwrap().0);
    let [old, young] = left_over.each_ref().map(TokenId::as_str);
    #[allow(clippy::disallowed_methods, reason = "the age of a file is by the clock of the machine")]
    let long_ago = SystemTime::now() - Duration::from_secs(2 * 3_600);
    for id in [desk, revoked, old] {
        File::open(file(id)).unwrap().set_modified(long_ago).unwrap();
    }
    let node = Node::start(directory.path(), &[]);
    let left = [desk, revoked, old, young].map(|id| file(id).exists());
    assert_eq!(left, [true, false, false, true]);
    Api::of(&node).get_with("/auth/me", &headers).await.is(200, "");
    node.stop();
    verify(directory.path());
}

/// `verify` reads the vault too: a file that is damaged is named, and a token without a verifier.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_vault_is_told_by_verify() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &[]);
    let issued = Api::of(&node).post("/tokens", &[], &token(&json!({"role": "admin"}))).await;
    let file =
        directory.path().join(format!("identity/tokens/{}.json", issued.json["tokenId"].as_str().unwrap()));
    node.stop();
    verify(directory.path());
    let run = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_onhand"));
        let output = command.args(["verify", "--data-dir"]).arg(directory.path()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let kept = fs::read_to_string(&file).unwrap();
    fs::write(&file, kept.replace("sha256", "sha255")).unwrap();
    let (code, told) = run();
    assert!(code == Some(65) && told.contains(&format!("WRONG  {}", file.display())), "{code:?} {told}");
    fs::remove_file(&file).unwrap();
    let (code, told) = run();
    assert!(code == Some(0) && told.contains("the vault has no verifier of it"), "{code:?} {told}");
}

/// Nothing is timed: the node counts the comparisons, of which each takes as long as any other.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_nobody_has_costs_what_a_wrong_password_costs() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &["--metrics-open"]);
    let api = Api::of(&node);
    let ada = json!({"login": "ada", "password": "correct horse stapled", "grants": [{"role": "admin"}]});
    api.post("/users", &[], &ada).await.is(201, "");
    let compared = async || {
        let text = api.get("/metrics").await.text;
        let line = text.lines().find_map(|line| line.strip_prefix("onhand_passwords_compared_total "));
        line.map_or(0, |number| number.parse::<u64>().unwrap())
    };
    for (login, total) in [("ada", 5), ("nobody", 10), ("somebody@example.com", 15)] {
        for _ in 0..5 {
            let wrong = json!({"login": login, "password": "something else"});
            api.post("/auth/login", &[], &wrong).await.is(401, "unauthorized");
        }
        assert_eq!(compared().await, total, "{login}");
    }
    node.stop();
}

/// Two processes are asked for the same login at once: one answers 201, and its person logs in with the password that was sent to it.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_processes_one_adds_a_login() {
    let directory = TempDir::new().unwrap();
    let nodes =
        [(); 2].map(|()| Node::start(directory.path(), &["--locks-enabled", "--rate-limit-rps", "0"]));
    let apis = nodes.each_ref().map(Api::of);
    let admin = bearer(&sent(&apis[0], Method::POST, "/tokens", "", &token(&json!({"role": "admin"}))).await);
    for round in 0..12 {
        let login = format!("ada{round}");
        let person = |place: usize| json!({"login": login, "password": format!("correct horse stapled {place}"), "grants": []});
        let bodies = [person(0), person(1)];
        let (one, two) = tokio::join!(
            sent(&apis[0], Method::POST, "/users", &admin, &bodies[0]),
            sent(&apis[1], Method::POST, "/users", &admin, &bodies[1]),
        );
        let mut statuses = [one.status, two.status];
        let winner = statuses.iter().position(|status| *status == 201).expect("one of them is added");
        let credentials = json!({"login": login, "password": bodies[winner]["password"]});
        let session = apis[1 - winner].post("/auth/login", &[], &credentials).await;
        assert_eq!(session.status, 200, "{statuses:?} {}", session.text);
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "{} {}", one.text, two.text);
    }
    for node in nodes {
        node.stop();
    }
}
