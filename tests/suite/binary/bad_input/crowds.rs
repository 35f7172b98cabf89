//! Clients that are slow, idle, never read, or are simply too many.

use super::super::api::Api;
use super::super::process::{Node, PROGRAM, verify};
use super::super::raw::{Raw, post};
use super::super::skipped;
use super::{ADJUST, LEVEL, Shop, status};
use crate::counts::{counted, scale};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

#[tokio::test(flavor = "multi_thread")]
async fn slow_senders_are_disconnected_and_delay_no_other_client() {
    let shop = Shop::open().await;
    // Three that never finish a head, one that sends it letter by letter, one that never finishes a body, one that
    // never reads.
    let mut heads: Vec<Raw> = ["", "G", "GET /livez HTTP/1.1\r\nhost: localhost\r\n"]
        .iter()
        .map(|start| {
            let mut caller = Raw::connect(&shop.node);
            caller.write(start);
            caller
        })
        .collect();
    let mut drip = Raw::connect(&shop.node);
    let dripping = std::thread::spawn(move || {
        let head =
            "GET /livez HTTP/1.1\r\nhost: localhost\r\nx-slow: ".bytes().chain(std::iter::repeat(b'z'));
        for letter in head.take(60) {
            drip.write([letter]);
            std::thread::sleep(Duration::from_millis(300));
        }
        drip.finish().read_to_end()
    });
    let mut body = Raw::connect(&shop.node);
    body.write(post(ADJUST, "content-length: 20\r\n")).write("{");
    let mut deaf = Raw::connect(&shop.node);
    for _ in 0..2_000 {
        deaf.write_some("GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: localhost\r\n\r\n");
    }
    for _ in 0..50 {
        shop.api.get(LEVEL).await.is(200, "");
    }
    for head in &mut heads {
        let answer = head.read_to_end();
        assert!(["408", "400", "closed"].contains(&status(&answer)), "{answer}");
    }
    let answer = dripping.join().unwrap();
    assert!(["408", "400", "closed"].contains(&status(&answer)), "{answer}");
    let answer = body.read_to_end();
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("request-timeout"), "{answer}");
    drop(deaf);
    shop.unharmed().await;
}

/// Raises the limit of open files for this process and its children as far as the system allows.
fn more_files() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: limit.maximum, maximum: limit.maximum };
    setrlimit(Resource::Nofile, wanted).unwrap();
    limit.maximum.unwrap_or(u64::MAX)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_idle_connections_are_no_burden() {
    if more_files() < 4_096 {
        return skipped("a thousand idle connections", "the system allows too few open files");
    }
    let shop = Shop::open().await;
    let idle: Vec<Raw> = (0..1_000).map(|_| Raw::connect(&shop.node)).collect();
    for _ in 0..20 {
        shop.api.get(LEVEL).await.is(200, "");
        shop.api.post(ADJUST, &[], &json!({"delta": 0})).await.is(400, "invalid-request");
    }
    drop(idle);
    shop.unharmed().await;
}

/// Ten times as many connections as places: some are silent, some send half a head, some half a body, some never read.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_slow_clients_block_no_other_client() {
    const CALLERS: usize = 10_000;
    if more_files() < 2 * CALLERS as u64 {
        return skipped("ten thousand slow callers", "the system allows too few open files");
    }
    let shop = Shop::open().await;
    let mut slow = Vec::with_capacity(CALLERS);
    for number in 0..CALLERS {
        let mut caller = Raw::connect(&shop.node);
        match number % 4 {
            0 => {}
            1 => caller.write_some("GET /stores/LONDON/inv"),
            2 => caller.write_some(&(post(ADJUST, "content-length: 20\r\n") + "{")),
            _ => caller.write_some("GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: localhost\r\n\r\n"),
        }
        slow.push(caller);
        if number % 500 == 0 {
            // New connections, as behind a load balancer that opens them on demand.
            let api = Api::of(&shop.node);
            let mut tries = 0;
            while api.get(LEVEL).await.status == 503 {
                tries += 1;
                assert!(tries < 600, "kept out");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Api::of(&shop.node).get("/livez").await.is(200, "");
        }
    }
    drop(slow);
    shop.unharmed().await;
}

/// More connections than the process may have open files: it logs that, serves those it has, and recovers.
#[tokio::test(flavor = "multi_thread")]
async fn running_out_of_files_stops_nobody_who_is_in() {
    for _ in 0..scale() {
        let directory = TempDir::new().unwrap();
        let mut program = Command::new("sh");
        program.args(["-c", "ulimit -n 60; exec \"$0\" \"$@\"", PROGRAM]);
        let node = Node::start_as(program, directory.path(), &["--snapshot-every-n-events", "10"]);
        let api = Api::of(&node);
        api.post(ADJUST, &[], &json!({"delta": 1})).await.is(200, "");
        let crowd: Vec<Raw> = (0..200).map(|_| Raw::connect(&node)).collect();
        for _ in 0..100 {
            api.post(ADJUST, &[], &json!({"delta": 1})).await.is(200, "");
        }
        drop(crowd);
        let newcomer = Api::of(&node);
        assert_eq!(newcomer.get(LEVEL).await.level(), (101, 101, 0, 101));
        assert_eq!(newcomer.items(&format!("{LEVEL}/history")).await.len(), 101);
        node.stop();
        verify(directory.path());
    }
    counted("no more open files (EMFILE)", format!("{} times", scale()));
}
