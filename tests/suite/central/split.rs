//! The worker as a separate process beside `serve --sync off`.

use super::{PATIENCE, central_file, fold, onhand, serve, spawn, text, trade, until_central_is};
use rustix::process::{Pid, Signal, kill_process};
use std::process::Child;
use std::time::Duration;
use tempfile::TempDir;

/// A worker that saves as often as possible, so that kills hit a save.
fn worker(data_dir: &str) -> Child {
    spawn(&[
        "sync-worker",
        "--data-dir",
        data_dir,
        "--sync-interval-ms",
        "1",
        "--snapshot-every-n-events",
        "1",
        "--log-level",
        "error",
    ])
}

fn signal(child: &Child, signal: Signal) {
    let id = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(id, signal).unwrap();
}

#[tokio::test]
async fn a_worker_killed_a_hundred_times_ends_with_what_the_log_adds_up_to() {
    let scratch = TempDir::new().unwrap();
    let data = text(scratch.path());
    let node = serve(scratch.path(), None, &["--sync", "off"]);
    let mut random = fastrand::Rng::with_seed(17);
    let mut saved = std::collections::BTreeSet::new();
    for _ in 0..100 {
        let mut worker = worker(data);
        let life = Duration::from_millis(random.u64(0..80));
        let died = tokio::time::Instant::now() + life;
        while tokio::time::Instant::now() < died {
            assert!(trade(node.url(), "BERLIN", 20, &mut random).await);
        }
        worker.kill().unwrap();
        worker.wait().unwrap();
        if scratch.path().join("central").is_dir() {
            let names = std::fs::read_dir(scratch.path().join("central")).unwrap();
            saved.extend(names.map(|entry| entry.unwrap().file_name()));
        }
    }
    assert!(saved.len() > 20, "the worker lived too shortly to save: {saved:?}");
    let said = onhand(&["sync-worker", "--data-dir", data, "--once"]);
    assert!(said.starts_with("exit code 0") && said.contains("dead letters  0"), "{said}");
    assert_eq!(central_file(scratch.path()), fold(scratch.path()));
    let left = std::fs::read_dir(scratch.path().join("central")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.len() <= 3, "the lock and two models: {left:?}");
}

#[tokio::test]
async fn a_node_without_worker_shows_what_the_other_process_saves() {
    let scratch = TempDir::new().unwrap();
    let data = text(scratch.path());
    let node = serve(scratch.path(), None, &["--sync", "off"]);
    let mut random = fastrand::Rng::with_seed(5);
    let mut worker = worker(data);
    for _ in 0..5 {
        assert!(trade(node.url(), "ROME", 20, &mut random).await);
        until_central_is(node.url(), &fold(scratch.path())).await;
    }
    let said = onhand(&["sync", "--server", node.url()]);
    assert!(said.starts_with("exit code 69") && said.contains("not-ready"), "{said}");

    let second = onhand(&["sync-worker", "--data-dir", data]);
    assert!(
        second.starts_with("exit code 75") && second.contains(&format!("pid {}", worker.id())),
        "{second}"
    );

    signal(&worker, Signal::TERM);
    assert!(worker.wait().unwrap().success());
    node.stop(PATIENCE).unwrap();
    let second = onhand(&["serve", "--data-dir", data, "--port", "0", "--sync-interval-ms", "0"]);
    assert!(second.starts_with("exit code 78"), "{second}");
}

#[test]
fn a_worker_needs_a_data_directory() {
    let scratch = TempDir::new().unwrap();
    let said = onhand(&["sync-worker", "--data-dir", text(&scratch.path().join("nothing"))]);
    assert!(said.starts_with("exit code 66"), "{said}");
}

#[tokio::test]
async fn there_is_one_worker_to_a_data_directory() {
    let scratch = TempDir::new().unwrap();
    let data = text(scratch.path());
    let node = serve(scratch.path(), None, &[]);
    for command in ["sync-worker", "rebuild"] {
        let more: &[&str] = if command == "rebuild" { &["--central"] } else { &["--once"] };
        let arguments: Vec<&str> = [command, "--data-dir", data].iter().chain(more).copied().collect();
        let said = onhand(&arguments);
        assert!(said.starts_with("exit code 75") && said.contains(&format!("pid {}", node.id())), "{said}");
    }
}
