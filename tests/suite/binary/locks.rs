//! Lock files that are removed while their process lives: another process is still rejected.

use super::api::Api;
use super::kill::level;
use super::process::{Ended, Node, PROGRAM, onhand, run, verify};
use serde_json::json;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use tokio::task::spawn_blocking;

const SEGMENT: &str = "log/00000000000000000001.jsonl";

async fn add(node: &Node, pieces: i64) {
    let path = format!("{}/adjust", level("TEA"));
    Api::of(node).post(&path, &[], &json!({"delta": pieces})).await.is(200, "");
}

/// The command on the data directory ends with exit code 75, and names the holder.
#[track_caller]
fn refused(arguments: &[&str], data_dir: &Path, holder: &Node) {
    let mut command = onhand(arguments);
    command.arg("--data-dir").arg(data_dir);
    names(&run(command), holder, arguments);
}

#[track_caller]
fn names(ended: &Ended, holder: &Node, arguments: &[&str]) {
    assert_eq!(ended.code, Some(75), "{arguments:?}: {}", ended.stderr);
    let holder = format!("pid {}", holder.process.id());
    assert!(ended.stderr.contains(&holder), "{arguments:?}: {}", ended.stderr);
}

#[track_caller]
fn refused_to_serve(options: &[&str], data_dir: &Path, holder: &Node) {
    match Node::try_start_as(Command::new(PROGRAM), data_dir, options) {
        Ok(_) => panic!("it started beside another one with {options:?}"),
        Err(ended) => names(&ended, holder, options),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_lock_file_a_directory_is_held_all_the_same() {
    for sync in ["on", "off"] {
        let directory = TempDir::new().unwrap();
        let data_dir = directory.path();
        let node = Node::start(data_dir, &["--sync", sync]);
        add(&node, 10).await;
        let segment = fs::metadata(data_dir.join(SEGMENT)).unwrap().ino();
        for _ in 0..2 {
            fs::remove_file(data_dir.join("LOCK")).unwrap();
            refused_to_serve(&["--sync", "on"], data_dir, &node);
            assert!(!data_dir.join("LOCK").exists(), "a lock file that nobody holds names nobody");
            refused_to_serve(&["--sync", "off"], data_dir, &node);
            refused_to_serve(&["--locks-enabled"], data_dir, &node);
            refused(&["repair", "--accept-loss"], data_dir, &node);
            refused(&["rebuild", "--write-snapshot"], data_dir, &node);
            // As before: a removed lock file of a dead process is no lock.
            fs::write(data_dir.join("LOCK"), "").unwrap();
        }
        assert_eq!(fs::metadata(data_dir.join(SEGMENT)).unwrap().ino(), segment, "it was replaced");
        let seen = verify(data_dir);
        assert!(seen.contains(&format!("in use by  pid {}", node.process.id())), "{seen}");
        add(&node, 5).await;
        spawn_blocking(move || node.stop()).await.unwrap();
        let node = Node::start(data_dir, &["--sync", sync]);
        assert_eq!(Api::of(&node).get(&level("TEA")).await.level(), (15, 15, 0, 2));
        spawn_blocking(move || node.stop()).await.unwrap();
        verify(data_dir);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_lock_file_the_central_model_has_one_worker_all_the_same() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &["--sync", "on"]);
    add(&node, 10).await;
    fs::remove_file(directory.path().join("central/LOCK")).unwrap();
    refused(&["sync-worker", "--once"], directory.path(), &node);
    refused(&["rebuild", "--central"], directory.path(), &node);
    refused(&["dead-letters", "redrive", "--all"], directory.path(), &node);
    assert!(!directory.path().join("central/LOCK").exists());
    spawn_blocking(move || node.stop()).await.unwrap();
    verify(directory.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_their_lock_files_processes_that_share_a_directory_keep_their_places() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().to_owned();
    let start = || {
        let data_dir = data_dir.clone();
        spawn_blocking(move || Node::start(&data_dir, &["--locks-enabled", "--lock-ttl-ms", "2000"]))
    };
    let (one, two) = (start().await.unwrap(), start().await.unwrap());
    add(&one, 10).await;
    add(&two, 1).await;
    for lock in ["LOCK", "nodes/1/LOCK", "nodes/2/LOCK", "central/LOCK"] {
        fs::remove_file(data_dir.join(lock)).unwrap();
    }
    let three = start().await.unwrap();
    assert!(data_dir.join("nodes/3/LOCK").exists(), "it has a place of its own");
    refused(&["repair", "--accept-loss"], &data_dir, &one);
    refused(&["sync-worker", "--once"], &data_dir, &one);
    for node in [&one, &two, &three] {
        add(node, 1).await;
    }
    for node in [&one, &two, &three] {
        assert_eq!(Api::of(node).get(&level("TEA")).await.level(), (14, 14, 0, 5));
    }
    for node in [three, two, one] {
        spawn_blocking(move || node.stop()).await.unwrap();
    }
    verify(&data_dir);
    assert!(!data_dir.join("nodes/4").exists() || !data_dir.join("nodes/4/node.json").exists());
}
