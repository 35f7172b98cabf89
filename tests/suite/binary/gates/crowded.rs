//! More connections than there are places.

use super::super::api::Api;
use super::super::process::Node;
use super::super::raw::Raw;
use super::{ADJUST, LEVEL, probes_are_answered};
use crate::occupied::occupy;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;
use tempfile::TempDir;

const FOLLOW: &str = "GET /events HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn health_is_answered_when_every_connection_is_taken() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &["--connections-max", "3"]);
    let mut busy = Vec::new();
    for _ in 0..3 {
        busy.push(occupy(node.address()).await);
    }
    // Until then one of them may not be in progress yet, and be closed to make room.
    while Api::of(&node).get(LEVEL).await.status != 503 {
        busy.push(occupy(node.address()).await);
    }
    // Silent connections are also one too many, and delay no probe.
    let silent: Vec<Raw> = (0..200).map(|_| Raw::connect(&node)).collect();
    for _ in 0..3 {
        probes_are_answered(&Api::of(&node)).await;
        let refused = Api::of(&node).get(LEVEL).await;
        refused.is(503, "overloaded");
        assert_eq!(refused.header("retry-after"), Some("1"));
    }
    drop((busy, silent));
    while Api::of(&node).get(LEVEL).await.status == 503 {
        tokio::task::yield_now().await;
    }
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_makes_room_for_a_newcomer() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &["--connections-max", "2"]);
    let mut follower = Raw::connect(&node);
    follower.write(FOLLOW).read_until("retry: 1000\n\n");
    let mut idle = Raw::connect(&node);
    idle.write("GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").read_until("{\"status\":\"ok\"}");
    let mut silent = Raw::connect(&node);
    silent.write("GET /livez HTT");
    let first = Api::of(&node);
    first.post(ADJUST, &[], &json!({"delta": 1})).await.is(200, "");
    assert_eq!(silent.read_to_end(), "", "who has said nothing yet goes first");
    Api::of(&node).get(LEVEL).await.is(200, "");
    assert_eq!(idle.read_to_end(), "", "then who has been idle for longest");
    // The follower keeps its connection.
    assert!(follower.read_until("\n\n").contains("\"type\":\"ADJUST\""));
    node.stop();
}

/// Followers keep their places when other clients open more connections than there are, also a follower whose reader
/// pauses for a moment while events come: followers have places of their own.
#[tokio::test(flavor = "multi_thread")]
async fn followers_keep_their_places_when_connections_run_out() {
    const IDLE: usize = 20;
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &["--connections-max", "8"]);
    let mut resting = Raw::connect(&node);
    resting.write(FOLLOW).read_until("retry: 1000\n\n");
    // More than fits into the buffers on the way.
    let end = fill(&Api::of(&node)).await;
    let follow = FOLLOW.replace("/events", &format!("/events?after={end}"));
    let mut idle = Vec::new();
    for _ in 0..IDLE {
        let mut follower = Raw::connect(&node);
        follower.write(&follow).read_until("retry: 1000\n\n");
        idle.push(follower);
    }
    // From a second on, a connection that the node waits for would be closed.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let strangers: Vec<Raw> = (0..1_200)
        .map(|number| {
            let mut stranger = Raw::connect(&node);
            if number % 2 == 0 {
                stranger.write("GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n");
            }
            stranger
        })
        .collect();
    let api = Api::of(&node);
    api.post(ADJUST, &[], &json!({"delta": 1, "reference": "the last"})).await.is(200, "");
    for follower in &mut idle {
        follower.read_until("\"reference\":\"the last\"");
    }
    let metrics = api.get("/metrics").await.text;
    assert!(metrics.contains(&format!("\nonhand_feed_followers {}\n", IDLE + 1)), "{metrics}");
    drop(strangers);
    node.stop();
}

/// However many connections are open over TCP, the owner of the data directory gets in.
#[tokio::test(flavor = "multi_thread")]
async fn the_local_socket_has_places_of_its_own() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &["--connections-max", "2"]);
    let mut busy = Vec::new();
    while busy.len() < 2 || Api::of(&node).get(LEVEL).await.status != 503 {
        busy.push(occupy(node.address()).await);
    }
    let connect = || UnixStream::connect(directory.path().join("admin.sock")).unwrap();
    // More that say nothing than it has places.
    let silent: Vec<UnixStream> = (0..100).map(|_| connect()).collect();
    for _ in 0..3 {
        let (mut stream, mut answer) = (connect(), String::new());
        stream.write_all(b"GET /stores HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        Api::of(&node).get(LEVEL).await.is(503, "overloaded");
    }
    drop((busy, silent));
    node.stop();
}

/// Makes more events than fit into the buffers between a node and a reader; returns the sequence of the last one.
async fn fill(api: &Api) -> u64 {
    let reason = "x".repeat(250);
    let operations: Vec<Value> = (0..8_000)
        .map(|number| {
            let sku = format!("S-{number}");
            json!({"op": "adjust", "storeId": "S", "sku": sku, "delta": 1, "reason": reason, "reference": reason})
        })
        .collect();
    for _ in 0..3 {
        api.post("/inventory/batch", &[], &json!({"operations": operations})).await.is(200, "");
    }
    api.get("/health/readiness").await.json["durableSequence"].as_u64().unwrap()
}
