//! How a node ends when it is told to: drained, or at once.

use super::api::Api;
use super::process::{Node, verify};
use super::raw::{Raw, post};
use rustix::process::Signal;
use serde_json::json;
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_under_load_answers_what_is_under_way_and_loses_nothing() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &[]);
    let api = Api::of(&node);
    let mut clients = JoinSet::new();
    for _ in 0..16 {
        let api = api.clone();
        clients.spawn(async move {
            let mut acknowledged = 0;
            while let Ok(reply) =
                api.try_post("/stores/S/inventory/A/adjust", &[], &json!({"delta": 1})).await
            {
                reply.is(200, "");
                acknowledged += 1;
            }
            acknowledged
        });
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    node.process.signal(Signal::TERM);
    let ended = tokio::task::spawn_blocking(move || node.process.wait()).await.unwrap();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let acknowledged: i64 = clients.join_all().await.into_iter().sum();
    assert!(acknowledged > 16, "{acknowledged}");
    let node = Node::start(directory.path(), &[]);
    let (_, on_hand, _, _) = Api::of(&node).get("/stores/S/inventory/A").await.level();
    // A change whose answer found its connection closed may be there; none that was answered may be missing.
    assert!(
        (acknowledged..=acknowledged + 16).contains(&on_hand),
        "{acknowledged} acknowledged, {on_hand} there"
    );
    node.stop();
    verify(directory.path());
}

#[test]
fn a_second_sigterm_ends_it_at_once() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &[]);
    let mut stuck = stuck(&node);
    node.process.signal(Signal::TERM);
    std::thread::sleep(Duration::from_millis(300));
    node.process.signal(Signal::TERM);
    let ended = node.process.wait();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("aborting"), "{}", ended.stderr);
    assert_eq!(stuck.read_to_end(), "");
    Node::start(directory.path(), &[]).stop();
    verify(directory.path());
}

#[test]
fn a_drain_that_takes_too_long_is_given_up() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &["--shutdown-timeout-ms", "300"]);
    let _stuck = stuck(&node);
    node.process.signal(Signal::TERM);
    let ended = node.process.wait();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    verify(directory.path());
}

/// A request whose body never ends keeps the node from ending.
fn stuck(node: &Node) -> Raw {
    let mut stuck = Raw::connect(node);
    stuck.write(post("/stores/S/inventory/A/adjust", "expect: 100-continue\r\ncontent-length: 20\r\n"));
    stuck.read_until("100 Continue\r\n\r\n");
    stuck
}
