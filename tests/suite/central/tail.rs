//! `onhand tail` on a node that is killed while it is followed.

use super::{onhand, port, serve, spawn, trade};
use serde_json::Value;
use std::io::Read;
use tempfile::TempDir;

#[tokio::test]
async fn tail_sees_every_change_once_though_the_node_is_killed_again_and_again() {
    let scratch = TempDir::new().unwrap();
    let mut random = fastrand::Rng::with_seed(29);
    let mut node = serve(scratch.path(), None, &[]);
    let (url, address) = (node.url().to_owned(), port(&node));
    let mut tail = spawn(&["tail", "--server", &url, "--after", "0", "--json", "--count", "400"]);
    let mut pipe = tail.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).map(|_| text)
    });
    for _ in 0..5 {
        for _ in 0..5 {
            assert!(trade(&url, "BERLIN", 25, &mut random).await);
        }
        node.kill().unwrap();
        node = serve(scratch.path(), Some(address), &[]);
    }
    assert!(tail.wait().unwrap().success());
    let text = reader.join().unwrap().unwrap();
    let sequences: Vec<u64> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["sequence"].as_u64().unwrap())
        .collect();
    assert_eq!(sequences, (1..=400).collect::<Vec<_>>());

    let said = onhand(&["tail", "--server", &url, "--after", "9999999"]);
    assert!(said.starts_with("exit code 69") && said.contains("beyond the end"), "{said}");
}
