//! A central node that follows a node which wants a token: tokens that are missing, not enough, rotated, revoked, replaced.

use super::api::{Api, Reply};
use super::process::{Node, onhand, run, verify};
use http::Method;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const ADJUST: &str = "/stores/PARIS/inventory/TEA/adjust";
const TOTAL: &str = "/central/inventory/TEA";
const WAIT_MAX: Duration = Duration::from_secs(60);
const POLL_EVERY: Duration = Duration::from_millis(5);
/// A source that was denied is asked again at once.
const QUICK: [&str; 4] = ["--sync-interval-ms", "10", "--breaker-cooldown-ms", "10"];

/// A node of a store with its administrator, and the directory of a central node beside it.
struct Chain {
    directory: TempDir,
    paris: Node,
    api: Api,
    admin: String,
}

impl Chain {
    async fn start() -> Self {
        let directory = TempDir::new().unwrap();
        let paris = Node::start(&directory.path().join("paris"), &[]);
        let api = Api::of(&paris);
        let admin = json!({"kind": "service", "name": "desk", "grants": [{"role": "admin"}]});
        let first = api.post("/tokens", &[], &admin).await;
        let admin = format!("Bearer {}", text(&first, "token"));
        Self { directory, paris, api, admin }
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Reply {
        self.api.try_say(method, path, &[("authorization", &self.admin)], body).await.unwrap()
    }

    /// A token of this kind with one grant: its text and its id.
    async fn token(&self, kind: &str, grant: &Value) -> (String, String) {
        let body = json!({"kind": kind, "name": "central", "grants": [grant]});
        let issued = self.send(Method::POST, "/tokens", &body).await;
        (text(&issued, "token"), text(&issued, "tokenId"))
    }

    async fn receive(&self, pieces: i64) {
        self.send(Method::POST, ADJUST, &json!({"delta": pieces})).await.is(200, "");
    }

    fn token_file(&self) -> PathBuf {
        self.directory.path().join("token")
    }

    fn central_dir(&self) -> PathBuf {
        self.directory.path().join("central")
    }

    /// Replaces the file of tokens as programs do that rotate them.
    fn lay(&self, content: &str) {
        let unfinished = self.directory.path().join("token.new");
        fs::write(&unfinished, content).unwrap();
        fs::rename(unfinished, self.token_file()).unwrap();
    }

    /// A central node that follows the store.
    fn central(&self, more: &[&str]) -> Node {
        let options = [&["--source", &self.paris.url], &QUICK[..], more].concat();
        Node::start(&self.central_dir(), &options)
    }

    /// What central says about the store: the status, and the reason if it is not well.
    async fn seen(&self, central: &Api) -> (String, String) {
        let ready = central.get("/health/readiness").await;
        ready.is(200, "");
        let sources = ready.json["sources"].as_array().unwrap();
        let source = sources.iter().find(|source| source["name"] == self.paris.url.as_str());
        let state = source.map(|source| source["state"].clone()).unwrap_or_default();
        let text = |name: &str| state[name].as_str().unwrap_or_default().to_owned();
        (text("status"), text("reason"))
    }

    /// Waits until central says so about the store.
    async fn until(&self, central: &Api, status: &str, reason: &str) {
        let begun = Instant::now();
        loop {
            let seen = self.seen(central).await;
            if seen.0 == status && seen.1.contains(reason) {
                return;
            }
            assert!(begun.elapsed() < WAIT_MAX, "{status} {reason}: {seen:?}");
            tokio::time::sleep(POLL_EVERY).await;
        }
    }

    /// Waits until central has that many pieces.
    async fn until_total(&self, central: &Api, pieces: i64) {
        let begun = Instant::now();
        loop {
            let total = central.get(TOTAL).await.json["total"]["onHand"].clone();
            if total == pieces {
                return;
            }
            assert!(begun.elapsed() < WAIT_MAX, "{total}, not {pieces}: {:?}", self.seen(central).await);
            tokio::time::sleep(POLL_EVERY).await;
        }
    }
}

#[track_caller]
fn text(reply: &Reply, name: &str) -> String {
    reply.json[name].as_str().unwrap_or_else(|| panic!("{name}: {}", reply.text)).to_owned()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// One central node, whose file of tokens is replaced again and again.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_enough_is_told_with_what_is_missing() {
    let chain = Chain::start().await;
    chain.receive(10).await;
    let without = chain.central(&[]);
    chain.until(&Api::of(&without), "failing", "401 Unauthorized: it wants a token").await;
    without.stop();
    chain.lay("http://127.0.0.1:1 ohn_of-another\n");
    let file = chain.token_file();
    let central = chain.central(&["--sync-token-file", path(&file)]);
    let api = Api::of(&central);
    chain.until(&api, "failing", "401 Unauthorized: SYNC_TOKEN_FILE has no token for it").await;
    let everywhere = json!({"role": "node"});
    for (kind, grant, reason) in [
        (
            "node",
            json!({"role": "metrics"}),
            "403 Forbidden: the token in SYNC_TOKEN_FILE lacks the permission events:read",
        ),
        ("node", json!({"role": "node", "stores": ["PARIS"]}), "leaves out events"),
        ("service", everywhere.clone(), "leaves out events"),
    ] {
        chain.lay(&chain.token(kind, &grant).await.0);
        chain.until(&api, "failing", reason).await;
    }
    chain.lay("two words of-it\n");
    chain.until(&api, "failing", "SYNC_TOKEN_FILE (--sync-token-file) cannot be used").await;
    let (good, _) = chain.token("node", &everywhere).await;
    chain.lay(&format!("# of paris alone\n{}/ {good}\n", chain.paris.url));
    chain.until(&api, "well", "").await;
    chain.until_total(&api, 10).await;
    central.stop();
    chain.paris.stop();
    verify(&chain.directory.path().join("paris"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_rotated_and_revoked_while_central_follows() {
    let chain = Chain::start().await;
    let (first, id) = chain.token("node", &json!({"role": "node"})).await;
    chain.lay(&first);
    let file = chain.token_file();
    let central = chain.central(&["--sync-token-file", path(&file), "--log-level", "debug"]);
    let api = Api::of(&central);
    chain.receive(10).await;
    chain.until_total(&api, 10).await;
    // In the middle of the trade, with no grace: the old one is worth nothing at once.
    let rotated =
        chain.send(Method::POST, &format!("/tokens/{id}/rotate"), &json!({"graceSeconds": 0})).await;
    let (second, id) = (text(&rotated, "token"), text(&rotated, "tokenId"));
    chain.receive(1).await;
    chain.until(&api, "failing", "wrong, expired or revoked").await;
    chain.lay(&second);
    chain.until_total(&api, 11).await;
    chain.send(Method::DELETE, &format!("/tokens/{id}"), &json!({})).await;
    chain.receive(1).await;
    chain.until(&api, "failing", "wrong, expired or revoked").await;
    let metrics = api.get("/metrics").await.text;
    let well = |number: u8| format!("\nonhand_sync_source_well{{source=\"{}\"}} {number}\n", chain.paris.url);
    assert!(metrics.contains(&well(0)), "{metrics}");
    assert_eq!(api.get("/readyz").await.json["ready"], true, "central serves what it has");
    assert_eq!(api.get(TOTAL).await.json["total"]["onHand"], 11);
    let (third, _) = chain.token("node", &json!({"role": "node"})).await;
    chain.lay(&third);
    chain.until_total(&api, 12).await;
    chain.until(&api, "well", "").await;
    assert!(api.get("/metrics").await.text.contains(&well(1)));
    let said = central.process.said("stderr");
    assert!(said.contains("SYNC_TOKEN_FILE"), "{said}");
    for secret in [&first, &second, &third] {
        assert!(!said.contains(&secret[17..]) && !metrics.contains(&secret[17..]), "{said}");
    }
    central.stop();
    chain.paris.stop();
}

/// The commands that read sources themselves take the same file.
#[tokio::test(flavor = "multi_thread")]
async fn commands_show_the_token_too() {
    let chain = Chain::start().await;
    chain.receive(10).await;
    let (token, _) = chain.token("node", &json!({"role": "node"})).await;
    chain.lay(&token);
    Node::start(&chain.central_dir(), &[]).stop();
    let (data, file) = (chain.central_dir(), chain.token_file());
    let directory = ["--data-dir", path(&data), "--source", &chain.paris.url];
    for command in [&["sync-worker", "--once"][..], &["rebuild", "--central"]] {
        let denied = run(onhand(&[command, &directory].concat()));
        assert_eq!(denied.code, Some(69), "{}{}", denied.stdout, denied.stderr);
        assert!(denied.stdout.contains("SYNC_TOKEN_FILE"), "{}", denied.stdout);
        let done = run(onhand(&[command, &directory, &["--sync-token-file", path(&file)]].concat()));
        assert_eq!(done.code, Some(0), "{}{}", done.stdout, done.stderr);
        // The other one logs nothing.
        let warned = done.stderr.contains("others than its owner may read SYNC_TOKEN_FILE");
        assert_eq!(warned, command[0] == "sync-worker", "{}", done.stderr);
    }
    chain.paris.stop();
}

#[test]
fn a_file_that_cannot_be_used_refuses_the_start() {
    let directory = TempDir::new().unwrap();
    let (data, empty) = (directory.path().join("data"), directory.path().join("empty"));
    fs::write(&empty, "").unwrap();
    let missing = directory.path().join("missing");
    for (option, file, reason) in [
        ("--sync-token-file", &missing, "No such file"),
        ("--sync-token-file", &empty, "there is no token in it"),
        ("--sync-ca-file", &missing, "No such file"),
        ("--sync-ca-file", &empty, "there is no certificate in PEM form"),
    ] {
        let mut command = onhand(&["serve", "--port", "0", "--data-dir"]);
        command.arg(&data).arg(option).arg(file);
        let ended = run(command);
        assert_eq!(ended.code, Some(78), "{}", ended.stderr);
        let name = option.trim_start_matches('-').replace('-', "_").to_uppercase();
        let begun = format!("{name} ({option}) cannot be used: {}: {reason}", file.display());
        assert!(ended.stderr.contains(&begun), "{begun}\n{}", ended.stderr);
    }
}
