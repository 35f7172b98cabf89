//! A directory that is copied while its node works, by the literal commands of run.md: every copy is sound, starts, and
//! has all that was acknowledged before.

use super::api::Api;
use super::catalogue::Logs;
use super::kill::{Current, level, till};
use super::process::{Node, PROGRAM, onhand, run, verify};
use crate::counts::{counted, scale};
use serde_json::json;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};

const COPIES: u64 = 25;
const OPTIONS: [&str; 6] =
    ["--snapshot-every-n-events", "20", "--sync-interval-ms", "20", "--log-level", "error"];

/// The commands of the runbook, for this directory and this target.
fn lines() -> String {
    let runbook = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("run.md")).unwrap();
    let (_, section) = runbook.split_once("\n## Backup\n").unwrap();
    let block = section.lines().skip_while(|line| !line.starts_with("    "));
    let block: Vec<&str> = block.take_while(|line| line.starts_with("    ")).map(str::trim).collect();
    let lines = block.join("\n");
    let (begin, own) = ("cd data; copy=/backup/monday", "cd \"$1\"; copy=$2");
    assert!(lines.starts_with(begin) && block.len() > 2, "{lines}");
    lines.replacen(begin, own, 1)
}

fn copy(data: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", &lines(), "sh"]).arg(data).arg(to);
    run(command);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_living_directory_starts_with_all_that_was_acknowledged_before() {
    let directory = TempDir::new().unwrap();
    let data = directory.path().join("data");
    let node = Node::start(&data, &OPTIONS);
    let api = Api::of(&node);
    let (choose, chosen) = watch::channel((Some(api.clone()), false));
    let mut tills = JoinSet::new();
    for number in 0..4 {
        let current: Current = chosen.clone();
        tills.spawn(till(number, Logs::One, current));
    }
    let copies = COPIES * scale();
    for number in 1..=copies {
        let path = format!("{}/adjust", level("MARKED"));
        api.post(&path, &[], &json!({"delta": 1})).await.is(200, "");
        let (from, to) = (data.clone(), directory.path().join(number.to_string()));
        let place = to.clone();
        spawn_blocking(move || {
            copy(&from, &place);
            verify(&place)
        })
        .await
        .unwrap();
        if number % 5 == 0 {
            let place = to.clone();
            let restored = spawn_blocking(move || Node::start(&place, &OPTIONS)).await.unwrap();
            let restored_api = Api::of(&restored);
            let (pieces, ..) = restored_api.get(&level("MARKED")).await.level();
            assert_eq!(u64::try_from(pieces).unwrap(), number);
            let sync = restored_api.post("/sync", &[], &json!({})).await;
            assert!(sync.status < 300 && !sync.text.contains("stopped"), "{}", sync.text);
            spawn_blocking(move || restored.stop()).await.unwrap();
            verify(&to);
        }
        fs::remove_dir_all(&to).unwrap();
    }
    choose.send_modify(|state| state.1 = true);
    let changes: usize = tills.join_all().await.into_iter().map(|done| done.len()).sum();
    spawn_blocking(move || node.stop()).await.unwrap();
    counted("copies of a living directory", format!("{copies}, beside {changes} changes"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_whose_mark_is_newer_than_its_log_is_distinguished_from_damage() {
    let directory = TempDir::new().unwrap();
    let data = directory.path().join("data");
    let node = Node::start(&data, &["--snapshot-every-n-events", "1000000"]);
    let api = Api::of(&node);
    let one = json!({"delta": 1});
    let add = || api.post("/stores/S/inventory/A/adjust", &[], &one);
    for _ in 0..5 {
        add().await.is(200, "");
    }
    let to = directory.path().join("copy");
    copy(&data, &to);
    for _ in 0..5 {
        add().await.is(200, "");
    }
    fs::copy(data.join("log/mark"), to.join("log/mark")).unwrap();
    spawn_blocking(move || node.stop()).await.unwrap();
    let refused = Node::try_start_as(Command::new(PROGRAM), &to, &[]).unwrap_err();
    assert_eq!(refused.code, Some(65), "{}", refused.stderr);
    assert!(refused.stderr.contains("onhand repair --copied"), "{}", refused.stderr);
    let told = |arguments: &[&str]| {
        let mut command = onhand(arguments);
        command.arg("--data-dir").arg(&to);
        run(command)
    };
    let looked = told(&["verify"]);
    assert_eq!(looked.code, Some(65), "{}", looked.stdout);
    assert!(looked.stdout.contains("onhand repair --copied"), "{}", looked.stdout);
    let settled = told(&["repair", "--copied"]);
    assert_eq!(settled.code, Some(0), "{}", settled.stderr);
    assert!(settled.stdout.contains("up to sequence 5"), "{}", settled.stdout);
    verify(&to);
    let again = told(&["repair", "--copied"]);
    assert!(again.code == Some(0) && again.stdout.contains("nothing to do"), "{}", again.stdout);
    let node = Node::start(&to, &[]);
    assert_eq!(Api::of(&node).get("/stores/S/inventory/A").await.level(), (5, 5, 0, 5));
    spawn_blocking(move || node.stop()).await.unwrap();
}
