//! A directory of one process becomes that of several; the migration is killed on the way.

use super::api::Api;
use super::kill::level;
use super::process::{Ended, Node, PROGRAM, onhand, run, verify};
use super::sick_disk::under_strace;
use crate::counts::counted;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use tokio::task::spawn_blocking;

const SHARED: [&str; 1] = ["--locks-enabled"];

fn offline(arguments: &[&str], data_dir: &Path) -> Ended {
    let mut command = onhand(arguments);
    command.arg("--data-dir").arg(data_dir);
    run(command)
}

/// Starts of a single process and commands on the directory: rejected with the remedy, and nothing is created or changed.
fn is_told_what_to_do(data_dir: &Path, moved: usize) {
    let refused = Node::try_start_as(Command::new(PROGRAM), data_dir, &[]).unwrap_err();
    assert_eq!(refused.code, Some(78), "{}", refused.stderr);
    assert!(refused.stderr.contains("--locks-enabled"), "{}", refused.stderr);
    let begun = !data_dir.join("nodes/1/node.json").exists();
    for arguments in [
        &["verify"][..],
        &["rebuild"],
        &["rebuild", "--write-snapshot"],
        &["rebuild", "--central"],
        &["repair", "--accept-loss"],
        &["sync-worker", "--once"],
    ] {
        let ended = offline(arguments, data_dir);
        let code = if begun { 78 } else { 0 };
        assert_eq!(ended.code, Some(code), "{arguments:?} after {moved} renames: {}", ended.stderr);
        assert_eq!(ended.stderr.contains("onhand serve --locks-enabled"), begun, "{}", ended.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_killed_at_any_rename_is_finished_by_the_next_process_that_shares() {
    let mut kills = 0;
    for renames in 0.. {
        let directory = TempDir::new().unwrap();
        let data_dir = directory.path().to_owned();
        let node = Node::start(&data_dir, &[]);
        let path = format!("{}/adjust", level("TEA"));
        Api::of(&node).post(&path, &[], &json!({"delta": 10})).await.is(200, "");
        spawn_blocking(move || node.stop()).await.unwrap();
        let Some(mut program) = under_strace("a migration that is killed") else { return };
        program.args(["-e", "trace=rename", "-e"]);
        program.arg(format!("inject=rename:signal=KILL:when={}", renames + 1)).arg(PROGRAM);
        let Err(killed) = Node::try_start_as(program, &data_dir, &SHARED) else { break };
        assert_eq!(killed.code, None, "{}", killed.stderr);
        is_told_what_to_do(&data_dir, renames);
        assert_eq!(data_dir.join("log").exists(), renames == 0, "after {renames} renames");
        let data_dir = data_dir.clone();
        let node = spawn_blocking(move || Node::start(&data_dir, &SHARED)).await.unwrap();
        assert_eq!(Api::of(&node).get(&level("TEA")).await.level(), (10, 10, 0, 1));
        spawn_blocking(move || node.stop()).await.unwrap();
        verify(directory.path());
        assert!(!directory.path().join("node.json").exists());
        assert_eq!(fs::read_dir(directory.path().join("nodes")).unwrap().count(), 1);
        kills += 1;
    }
    assert!(kills >= 6, "{kills}");
    counted("a migration that is killed at a rename", format!("{kills} times"));
}
