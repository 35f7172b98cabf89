//! Stops of a node: drained, or at once.

use super::api::Api;
use super::process::{Node, verify};
use super::raw::{Raw, exchange_if_open, post};
use rustix::process::Signal;
use serde_json::json;
use std::net::TcpListener;
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
    // A change whose answer was lost with its connection may be there; none that was answered may be missing.
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

/// A request whose body never ends keeps the node from stopping.
fn stuck(node: &Node) -> Raw {
    let mut stuck = Raw::connect(node);
    stuck.write(post("/stores/S/inventory/A/adjust", "expect: 100-continue\r\ncontent-length: 20\r\n"));
    stuck.read_until("100 Continue\r\n\r\n");
    stuck
}

/// For an orchestrator: readiness fails while connections are still accepted, and only then no connection is accepted
/// any more.
#[test]
fn readiness_fails_before_the_listener_closes() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &[]);
    let probe =
        || exchange_if_open(&node, "GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    // A probe that polls repeatedly is waited for.
    for _ in 0..3 {
        assert!(probe().unwrap().starts_with("HTTP/1.1 200"));
    }
    node.process.signal(Signal::TERM);
    let heard = loop {
        let answer = probe().expect("the door is open until a probe has heard of it");
        if !answer.starts_with("HTTP/1.1 200") {
            break answer;
        }
    };
    assert!(heard.starts_with("HTTP/1.1 503") && heard.contains("\"mode\":\"draining\""), "{heard}");
    let ended = node.process.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    verify(directory.path());
}

/// A source that accepts connections and never answers is not read once more.
#[test]
fn a_hanging_source_does_not_delay_the_stop() {
    let source = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", source.local_addr().unwrap());
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &["--source", &url]);
    let (_asked, _) = source.accept().unwrap();
    node.process.signal(Signal::TERM);
    let ended = node.process.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("took too long"), "{}", ended.stderr);
    verify(directory.path());
}

/// `kill -9` somewhere between the signal and the end, again and again on one directory.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_the_middle_of_stopping_loses_nothing() {
    const LIVES: u64 = 25;
    let directory = TempDir::new().unwrap();
    let mut random = fastrand::Rng::with_seed(4);
    let (mut acknowledged, mut asked) = (0, 0);
    for life in 0..LIVES {
        let node = Node::start(directory.path(), &["--snapshot-every-n-events", "20"]);
        let mut clients = JoinSet::new();
        for _ in 0..4 {
            let api = Api::of(&node);
            clients.spawn(async move {
                let (mut acknowledged, mut asked) = (0, 0);
                loop {
                    asked += 1;
                    match api.try_post("/stores/S/inventory/A/adjust", &[], &json!({"delta": 1})).await {
                        Ok(reply) if reply.status == 200 => acknowledged += 1,
                        _ => return (acknowledged, asked),
                    }
                }
            });
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        node.process.signal(Signal::TERM);
        tokio::time::sleep(Duration::from_micros(random.u64(0..life * 3_000 + 1_000))).await;
        tokio::task::spawn_blocking(move || node.process.kill()).await.unwrap();
        for (of_one, asked_by_one) in clients.join_all().await {
            acknowledged += of_one;
            asked += asked_by_one;
        }
    }
    let node = Node::start(directory.path(), &[]);
    let (_, on_hand, _, _) = Api::of(&node).get("/stores/S/inventory/A").await.level();
    assert!(
        acknowledged > 0 && (acknowledged..=asked).contains(&on_hand),
        "{acknowledged} <= {on_hand} <= {asked}"
    );
    node.stop();
    verify(directory.path());
}

/// A stop leaves a snapshot behind, so that the next start reads nothing twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_leaves_a_snapshot_of_everything() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &["--snapshot-every-n-events", "1000000"]);
    for _ in 0..5 {
        Api::of(&node).post("/stores/S/inventory/A/adjust", &[], &json!({"delta": 1})).await.is(200, "");
    }
    node.stop();
    assert!(directory.path().join("snapshots/node-5.json").exists());
    let node = Node::start(directory.path(), &[]);
    assert_eq!(Api::of(&node).get("/stores/S/inventory/A").await.level(), (5, 5, 0, 5));
    node.stop();
}
