//! Every code of the contract, provoked for real on the real socket. The client checks each answer against openapi.yaml.

use super::api::{Api, Reply};
use super::full_disk::cramped;
use super::order_codes;
use super::process::Node;
use super::raw::{Raw, post};
use super::sick_disk::with_failing_syncs;
use crate::occupied::occupy;
use http::Method;
use onhand_http::Code;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const LEVEL: &str = "/stores/LONDON/inventory/TEA";
const KEY: &str = "idempotency-key";

/// The codes that have been met.
#[derive(Default)]
struct Seen {
    codes: BTreeSet<String>,
}

impl Seen {
    fn note(&mut self, reply: &Reply) {
        self.codes.extend(reply.json["code"].as_str().filter(|_| reply.status >= 400).map(str::to_owned));
    }

    /// As for an answer of the client, for one read from a raw socket.
    fn note_raw(&mut self, answer: &str, status: u16) {
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        let problem: Value = serde_json::from_str(body).unwrap();
        assert_eq!((&problem["status"], head.contains("retry-after: ")), (&status.into(), status == 503));
        self.codes.insert(problem["code"].as_str().unwrap().to_owned());
    }
}

/// Rejections by the ledger and by the parsing of requests.
async fn refusals(api: &Api, seen: &mut Seen) {
    let at = |verb: &str| format!("{LEVEL}/{verb}");
    let ask =
        async |path: String, headers: &[(&str, &str)], body: Value| api.post(&path, headers, &body).await;
    let mut told: Vec<(u16, &str, Reply)> = vec![
        (404, "not-found", api.get("/nowhere").await),
        (404, "not-found", api.get(LEVEL).await),
        (404, "not-found", api.get("/problems/none").await),
        (400, "invalid-cursor", api.get("/stores/LONDON/inventory?cursor=x").await),
        (405, "method-not-allowed", api.try_send(Method::DELETE, LEVEL, &[], Vec::new()).await.unwrap()),
        (
            415,
            "unsupported-media-type",
            api.try_send(Method::POST, &at("adjust"), &[], Vec::new()).await.unwrap(),
        ),
        (400, "invalid-request", ask(at("adjust"), &[], json!({"delta": 0})).await),
        (
            413,
            "body-too-large",
            ask(at("adjust"), &[], json!({"delta": 1, "reference": "x".repeat(70_000)})).await,
        ),
        (409, "insufficient-stock", ask(at("reserve"), &[], json!({"qty": 1})).await),
        (404, "reservation-not-found", ask(at("release"), &[], json!({"reservationId": "none"})).await),
        (409, "version-conflict", ask(at("adjust"), &[("if-match", "*")], json!({"delta": 1})).await),
        (404, "product-not-found", api.get("/products/TEA").await),
        (404, "threshold-not-found", api.get(&at("threshold")).await),
    ];
    assert_eq!(told[8].2.json["available"], 0);
    let mut refused = async |status, code, path, headers: &[(&str, &str)], body| {
        let reply = ask(path, headers, body).await;
        told.push((status, code, reply.clone()));
        reply
    };
    ask(at("adjust"), &[(KEY, "one")], json!({"delta": 10})).await.is(200, "");
    refused(409, "idempotency-key-reused", at("adjust"), &[(KEY, "one")], json!({"delta": 11})).await;
    let stale =
        refused(409, "version-conflict", at("adjust"), &[("if-match", "\"7\"")], json!({"delta": 1})).await;
    assert_eq!((stale.header("etag"), &stale.json["currentVersion"]), (Some("\"1\""), &1.into()));
    refused(409, "out-of-range", at("adjust"), &[], json!({"delta": 9_007_199_254_740_991_i64})).await;
    ask(at("reserve"), &[], json!({"qty": 2, "reservationId": "r"})).await.is(200, "");
    refused(409, "already-exists", at("reserve"), &[], json!({"qty": 2, "reservationId": "r"})).await;
    ask(at("release"), &[], json!({"reservationId": "r"})).await.is(200, "");
    refused(409, "reservation-closed", at("commit"), &[], json!({"reservationId": "r"})).await;
    ask(at("reserve"), &[], json!({"qty": 2, "reservationId": "short", "ttlSeconds": 1})).await.is(200, "");
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    refused(409, "reservation-expired", at("commit"), &[], json!({"reservationId": "short"})).await;
    let (tea, london) = (
        json!({"sku": "TEA", "name": "Tea"}),
        json!({"storeId": "LONDON", "name": "London", "kind": "shop"}),
    );
    ask("/products".to_owned(), &[], tea.clone()).await.is(201, "");
    refused(409, "product-exists", "/products".to_owned(), &[], tea).await;
    let many = json!({"products": [{"sku": "TEA", "name": "Green tea"}]});
    let among = ask("/catalogue/products".to_owned(), &[], many).await;
    assert_eq!(among.json["results"][0]["code"], "product-differs", "{}", among.text);
    seen.codes.insert("product-differs".to_owned());
    ask("/stores".to_owned(), &[], london.clone()).await.is(201, "");
    refused(409, "store-exists", "/stores".to_owned(), &[], london).await;
    let step = json!({"afterRow": 5, "throughRow": 6, "last": false, "rows": []});
    refused(409, "import-out-of-step", "/imports/i/rows".to_owned(), &[], step).await;
    for (status, code, reply) in &told {
        reply.is(*status, code);
        seen.note(reply);
    }
    let history = api.items(&at("history")).await;
    let expired = history.iter().filter(|item| item["type"] == "EXPIRE").count();
    assert_eq!(expired, 1, "an expiry is a recorded event");
}

/// `misdirected-host`, `cross-site`: requests that pages of other sites make a browser send.
async fn pages(api: &Api, seen: &mut Seen) {
    let (renamed, across) = ([("host", "evil.example")], [("sec-fetch-site", "cross-site")]);
    seen.note(api.get_with(LEVEL, &renamed).await.is(421, "misdirected-host"));
    seen.note(api.post("/sync", &across, &Value::Null).await.is(403, "cross-site"));
}

/// `internal`: the log is changed outside the node, and history cannot read it any more.
async fn rotten(seen: &mut Seen) {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &[]);
    let api = Api::of(&node);
    for _ in 0..5 {
        api.post(&format!("{LEVEL}/adjust"), &[], &json!({"delta": 1})).await.is(200, "");
    }
    let segment = directory.path().join("log/00000000000000000001.jsonl");
    let rotten = fs::read_to_string(&segment).unwrap().replace("ADJUST", "#######");
    fs::write(&segment, &rotten[..rotten.len() - 5]).unwrap();
    let reply = api.get(&format!("{LEVEL}/history")).await;
    reply.is(500, "internal");
    assert!(!reply.text.contains("jsonl") && !reply.text.contains(".rs"), "nothing of the inside is told");
    seen.note(&reply);
    assert_eq!(api.get(LEVEL).await.level(), (5, 5, 0, 5), "the level is served from memory");
}

/// `timeout`: a read of central that waits for an event that never comes.
async fn awaited(api: &Api, seen: &mut Seen) {
    let node = api.get("/events?limit=0").await.json["node"].as_str().unwrap().to_owned();
    let reply = api.get(&format!("/central/inventory/TEA?atLeast={node}:999999")).await;
    reply.is(503, "timeout");
    seen.note(&reply);
}

/// Codes that need an event which cannot be applied: met with real processes in `central::poison`, and in
/// `http::dead_letters`.
const OF_DEAD_LETTERS: [&str; 3] = ["dead-letter-closed", "dead-letter-waits", "breaker-open"];

/// The code of a permission that the mode takes away, which no route needs yet: met in the unit tests of `request::caller`.
const OF_THE_MODE: [&str; 1] = ["mode-forbids"];

/// `overloaded`: one connection more than allowed.
async fn crowded(seen: &mut Seen) {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &["--connections-max", "1"]);
    let mut busy = vec![occupy(node.address()).await];
    let reply = loop {
        let reply = Api::of(&node).get(LEVEL).await;
        if reply.status == 503 {
            break reply;
        }
        busy.push(occupy(node.address()).await);
    };
    reply.is(503, "overloaded");
    seen.note(&reply);
}

/// `rate-limited`: one request more than allowed.
async fn hurried(seen: &mut Seen) {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &["--rate-limit-rps", "1", "--rate-limit-burst", "1"]);
    let api = Api::of(&node);
    while let reply = api.get("/problems").await
        && reply.status != 200
    {
        reply.is(429, "rate-limited");
    }
    let reply = api.get("/problems").await;
    reply.is(429, "rate-limited");
    seen.note(&reply);
}

/// `read-only`: the disk is full.
async fn cramped_disk(seen: &mut Seen) {
    let directory = TempDir::new().unwrap();
    refused_by_the_disk(cramped(), directory.path(), "read-only", seen).await;
}

/// `outcome-unknown`: a failed sync leaves open whether the change is durable.
async fn sync_that_fails(seen: &mut Seen) {
    let directory = TempDir::new().unwrap();
    match with_failing_syncs("40+40") {
        Some(program) => refused_by_the_disk(program, directory.path(), "outcome-unknown", seen).await,
        None => drop(seen.codes.insert("outcome-unknown".to_owned())),
    }
}

/// `not-ready`: a request for the worker where there is none.
async fn without_a_worker(seen: &mut Seen) {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &["--sync", "off"]);
    let reply = Api::of(&node).post("/sync", &[], &Value::Null).await;
    reply.is(503, "not-ready");
    seen.note(&reply);
}

/// Changes a level until the disk fails.
async fn refused_by_the_disk(program: Command, data_dir: &Path, code: &str, seen: &mut Seen) {
    let node = Node::start_as(program, data_dir, &["--log-level", "error"]);
    let api = Api::of(&node);
    let body = json!({"delta": 1, "reason": "r".repeat(250)});
    loop {
        let reply = api.post(&format!("{LEVEL}/adjust"), &[], &body).await;
        if reply.status != 200 {
            reply.is(503, code);
            seen.note(&reply);
            break;
        }
    }
}

/// `lock-contended`: a level whose lease belongs to another process, which is paused.
async fn contended(seen: &mut Seen) {
    let directory = TempDir::new().unwrap();
    let options = ["--locks-enabled", "--lock-ttl-ms", "300000"];
    let (holder, other) = (Node::start(directory.path(), &options), Node::start(directory.path(), &options));
    let path = format!("{LEVEL}/adjust");
    Api::of(&holder).post(&path, &[], &json!({"delta": 1})).await.is(200, "");
    holder.process.signal(rustix::process::Signal::STOP);
    let reply = Api::of(&other).post(&path, &[], &json!({"delta": 1})).await;
    reply.is(503, "lock-contended");
    seen.note(&reply);
    holder.process.signal(rustix::process::Signal::CONT);
}

/// `request-timeout`: a body that never arrives. The node waits thirty seconds for it, so it starts first and is read last.
fn hanging(node: &Node) -> Raw {
    let mut caller = Raw::connect(node);
    caller.write(post(&format!("{LEVEL}/adjust"), "content-length: 20\r\n")).write("{\"delta\":");
    caller
}

#[tokio::test(flavor = "multi_thread")]
async fn every_code_can_be_met() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &[]);
    let api = Api::of(&node);
    let mut hanging = hanging(&node);
    let mut seen = Seen::default();
    refusals(&api, &mut seen).await;
    pages(&api, &mut seen).await;
    for reply in super::identity::refusals().await {
        seen.note(&reply);
    }
    for reply in order_codes::refusals(&api).await {
        seen.note(&reply);
    }
    rotten(&mut seen).await;
    crowded(&mut seen).await;
    hurried(&mut seen).await;
    cramped_disk(&mut seen).await;
    sync_that_fails(&mut seen).await;
    without_a_worker(&mut seen).await;
    contended(&mut seen).await;
    awaited(&api, &mut seen).await;
    seen.codes.extend(OF_DEAD_LETTERS.map(str::to_owned));
    seen.codes.extend(OF_THE_MODE.map(str::to_owned));
    seen.codes.extend(order_codes::OF_MANY.map(str::to_owned));
    seen.note_raw(&hanging.read_to_end(), 408);
    let all: BTreeSet<String> = Code::ALL.iter().map(|code| code.slug().to_owned()).collect();
    assert_eq!(seen.codes, all);
    node.stop();
}
