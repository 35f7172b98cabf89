//! Overload: by one client, by one kind of request, by connections. Rejections are clear, admitted requests are
//! executed, and a probe always gets its answer.

mod clients;
mod crowded;
mod proxies;

use super::api::{Api, Reply};
use super::process::{Node, verify};
use super::raw::{Raw, post};
use serde_json::json;
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinSet;

const LEVEL: &str = "/stores/LONDON/inventory/TEA";
const ADJUST: &str = "/stores/LONDON/inventory/TEA/adjust";
/// One place for each kind of request.
const NARROW: [&str; 4] = ["--concurrency-api", "1", "--load-shed-queue-max", "0"];

/// Checks that health and metrics answer normally.
async fn probes_are_answered(api: &Api) {
    for path in ["/livez", "/readyz", "/healthz", "/health/liveness", "/health/readiness", "/metrics"] {
        let reply = api.get(path).await;
        reply.is(200, "");
        assert_eq!(reply.header("ratelimit"), None, "{path} is never limited");
    }
}

async fn counter(api: &Api, name: &str) -> u64 {
    let accept = [("accept", "application/json")];
    let reply = api.try_send(http::Method::GET, "/metrics", &accept, Vec::new()).await.unwrap();
    reply.json[name].as_u64().unwrap_or_else(|| panic!("{name}: {}", reply.text))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limited_client_receives_retry_after() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &["--rate-limit-rps", "2", "--rate-limit-burst", "4"]);
    let api = Api::of(&node);
    let first = api.get(LEVEL).await;
    assert_eq!(first.is(404, "not-found").header("ratelimit-policy"), Some("\"client\";q=4;w=2"));
    assert_eq!(first.header("ratelimit"), Some("\"client\";r=3;t=1"));
    let refused = loop {
        let reply = api.post(ADJUST, &[], &json!({"delta": 1})).await;
        if reply.status != 200 {
            break reply;
        }
    };
    refused.is(429, "rate-limited");
    assert_eq!(
        (refused.header("retry-after"), refused.header("ratelimit")),
        (Some("1"), Some("\"client\";r=0;t=2"))
    );
    assert!(refused.json["retryAfterMs"].as_u64().unwrap() <= 501, "{}", refused.text);
    // A request to an unknown route counts like any other; a new token is used up first.
    while api.get("/nowhere").await.status != 429 {}
    probes_are_answered(&api).await;
    assert!(counter(&api, "rateLimited").await >= 2);
    // A client that waits as requested is served.
    tokio::time::sleep(Duration::from_millis(refused.json["retryAfterMs"].as_u64().unwrap())).await;
    let mut waits = Vec::new();
    while let reply @ Reply { status: 429, .. } = api.get(LEVEL).await {
        waits.push(reply.json["retryAfterMs"].clone());
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(waits.len() < 10, "{waits:?}");
    node.stop();
    verify(directory.path());
}

/// Sixty clients that retry at once, at a node that admits two at a time.
#[tokio::test(flavor = "multi_thread")]
async fn an_overloaded_node_executes_admitted_requests_and_rejects_the_rest() {
    let directory = TempDir::new().unwrap();
    let options = ["--concurrency-api", "1", "--load-shed-queue-max", "1", "--log-level", "warn"];
    let node = Node::start(directory.path(), &options);
    let mut callers = JoinSet::new();
    for _ in 0..60 {
        let api = Api::of(&node);
        callers.spawn(async move {
            let (mut done, mut shed) = (0, 0);
            for _ in 0..40 {
                let reply = api.post(ADJUST, &[], &json!({"delta": 1})).await;
                if reply.status == 200 {
                    done += 1;
                } else {
                    reply.is(503, "overloaded");
                    assert_eq!(reply.header("retry-after"), Some("1"));
                    shed += 1;
                }
            }
            (done, shed)
        });
    }
    let api = Api::of(&node);
    for _ in 0..20 {
        probes_are_answered(&api).await;
    }
    let (mut done, mut shed) = (0, 0);
    for (of_one, shed_of_one) in callers.join_all().await {
        done += of_one;
        shed += shed_of_one;
    }
    assert!(done > 0 && shed > 0, "{done} done, {shed} shed");
    assert!(counter(&api, "shed").await >= shed);
    // The overload ends as soon as they have gone: none kept a place.
    api.post(ADJUST, &[], &json!({"delta": 1})).await.is(200, "");
    assert_eq!(
        api.get(LEVEL).await.level().1,
        done + 1,
        "what was refused was not done, what was admitted was"
    );
    node.stop();
    verify(directory.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disconnected_client_frees_its_place() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &NARROW);
    let api = Api::of(&node);
    api.post(ADJUST, &[], &json!({"delta": 1})).await.is(200, "");
    for _ in 0..300 {
        Raw::connect(&node).write(post(ADJUST, "content-length: 11\r\n")).write("{\"delta\":1}");
        Raw::connect(&node).write(format!("GET {LEVEL}/history HTTP/1.1\r\nhost: localhost\r\n\r\n"));
        Raw::connect(&node)
            .write("GET /events HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n");
    }
    // Their requests may still be in progress for a moment.
    for gate in ["reads", "writes"] {
        let empty = format!("onhand_http_gate_inside{{gate=\"{gate}\"}} 0\n");
        let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
        while !api.get("/metrics").await.text.contains(&empty) {
            assert!(tokio::time::Instant::now() < deadline, "a place among the {gate} was never given back");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    api.get(LEVEL).await.is(200, "");
    api.post(ADJUST, &[], &json!({"delta": 1})).await.is(200, "");
    node.stop();
    verify(directory.path());
}

/// Slow senders, followers of the feed, and reads that wait for central: none of them blocks others.
#[tokio::test(flavor = "multi_thread")]
async fn waiting_requests_hold_no_place() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &NARROW);
    let api = Api::of(&node);
    api.post(ADJUST, &[], &json!({"delta": 1})).await.is(200, "");
    let whose = api.get("/events?limit=0").await.json["node"].as_str().unwrap().to_owned();
    let mut waiting: Vec<Raw> = (0..15).map(|_| Raw::connect(&node)).collect();
    for (number, caller) in waiting.iter_mut().enumerate() {
        match number % 3 {
            0 => caller.write(post(ADJUST, "content-length: 11\r\n")).write("{\"delta\":"),
            1 => caller.write("GET /events HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n"),
            _ => caller.write(format!(
                "GET /central/inventory/TEA?atLeast={whose}:999 HTTP/1.1\r\nhost: localhost\r\nprefer: wait=9\r\n\r\n"
            )),
        };
        if number % 3 == 1 {
            caller.read_until("retry: 1000\n\n");
        }
    }
    for _ in 0..20 {
        api.post(ADJUST, &[], &json!({"delta": 1})).await.is(200, "");
        api.get(LEVEL).await.is(200, "");
        assert!(matches!(api.get("/central/inventory/TEA").await.status, 200 | 404));
    }
    drop(waiting);
    node.stop();
    verify(directory.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_whose_wait_preference_has_expired_is_not_executed() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &[]);
    let api = Api::of(&node);
    let late = api.post(ADJUST, &[("prefer", "wait=0")], &json!({"delta": 1})).await;
    late.is(503, "timeout");
    let batch = json!({"operations": [{"op": "adjust", "storeId": "LONDON", "sku": "TEA", "delta": 1}]});
    api.post("/inventory/batch", &[("prefer", "wait=0")], &batch).await.is(503, "timeout");
    api.get(LEVEL).await.is(404, "not-found");
    for patient in ["wait=60", "respond-async", "wait=for-ever"] {
        api.post(ADJUST, &[("prefer", patient)], &json!({"delta": 1})).await.is(200, "");
    }
    let whose = api.get("/events?limit=0").await.json["node"].as_str().unwrap().to_owned();
    let path = format!("/central/inventory/TEA?atLeast={whose}:999");
    let headers = [("prefer", "wait=1")];
    api.try_send(http::Method::GET, &path, &headers, Vec::new()).await.unwrap().is(503, "timeout");
    node.stop();
}
