//! More connections than there are places.

use super::super::api::Api;
use super::super::process::Node;
use super::super::raw::Raw;
use super::{ADJUST, LEVEL, probes_are_answered};
use serde_json::json;
use tempfile::TempDir;

const FOLLOW: &str = "GET /events HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn health_is_answered_when_every_connection_is_taken() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &["--connections-max", "3"]);
    let mut busy: Vec<Raw> = (0..3).map(|_| Raw::connect(&node)).collect();
    for follower in &mut busy {
        follower.write(FOLLOW).read_until("retry: 1000\n\n");
    }
    // Those who say nothing are one too many, too, and keep no probe waiting.
    let silent: Vec<Raw> = (0..200).map(|_| Raw::connect(&node)).collect();
    for _ in 0..3 {
        probes_are_answered(&Api::of(&node)).await;
        let refused = Api::of(&node).get(LEVEL).await;
        refused.is(503, "overloaded");
        assert_eq!(refused.header("retry-after"), Some("1"));
    }
    drop((busy.pop(), silent));
    while Api::of(&node).get(LEVEL).await.status == 503 {
        tokio::task::yield_now().await;
    }
    drop(busy);
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_makes_room_for_a_newcomer() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &["--connections-max", "3"]);
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
    // Who is at work stays.
    assert!(follower.read_until("\n\n").contains("\"type\":\"ADJUST\""));
    node.stop();
}
