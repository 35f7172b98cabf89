//! No room on the disk: what was acknowledged stays, what was not is told so, the process ends with a clear word, and
//! starts again once there is room.

use super::api::{Api, Reply};
use super::process::{Ended, Node, PROGRAM, run};
use super::room::Room;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use tokio::task::JoinSet;

const LEVEL: &str = "/stores/LONDON/inventory/TEA";
const CALLERS: usize = 16;

/// What the callers of a node that ran out of room were told.
#[derive(Debug, Default)]
struct Told {
    /// Acknowledged changes, by their key.
    acknowledged: Vec<String>,
    /// Changes that got another answer or none; their callers will ask again.
    open: Vec<String>,
    /// How often each refusal came.
    codes: BTreeMap<String, usize>,
}

async fn ask(api: &Api, key: &str) -> Result<Reply, reqwest::Error> {
    let body = json!({"delta": 1, "reference": key, "reason": "r".repeat(250)});
    api.try_post(&format!("{LEVEL}/adjust"), &[("idempotency-key", key)], &body).await
}

/// Changes a level until the node is gone.
async fn fill(node: &Node, round: usize) -> Told {
    let api = Api::of(node);
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let api = api.clone();
        callers.spawn(async move {
            let mut told = Told::default();
            for turn in 0.. {
                let key = format!("round-{round}-caller-{caller}-{turn}");
                match ask(&api, &key).await {
                    Ok(reply) if reply.status == 200 => told.acknowledged.push(key),
                    Ok(reply) => {
                        assert_eq!(reply.status, 503, "{}", reply.text);
                        *told.codes.entry(reply.json["code"].as_str().unwrap().to_owned()).or_default() += 1;
                        told.open.push(key);
                    }
                    Err(_) => {
                        told.open.push(key);
                        return told;
                    }
                }
            }
            told
        });
    }
    let mut all = Told::default();
    for told in callers.join_all().await {
        all.acknowledged.extend(told.acknowledged);
        all.open.extend(told.open);
        told.codes.into_iter().for_each(|(code, times)| *all.codes.entry(code).or_default() += times);
    }
    all
}

/// The end of a node that ran out of room: a code of its own, and a word that helps.
#[track_caller]
fn ended_for_want_of_room(ended: &Ended) {
    assert_eq!(ended.code, Some(74), "{}", ended.stderr);
    assert!(ended.stderr.contains("the log failed"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}

/// With room again: everything acknowledged is there once, the rest at most once, and after a retry exactly once.
async fn all_there(node: &Node, told: &[Told]) {
    let api = Api::of(node);
    let acknowledged: Vec<&String> = told.iter().flat_map(|told| &told.acknowledged).collect();
    let open: Vec<&String> = told.iter().flat_map(|told| &told.open).collect();
    let found = references(&api).await;
    for key in &acknowledged {
        assert_eq!(found.get(*key), Some(&1), "{key} was acknowledged");
    }
    for key in &open {
        assert!(matches!(found.get(*key), None | Some(1)), "{key}");
        ask(&api, key).await.unwrap().is(200, "");
    }
    let found = references(&api).await;
    for key in &open {
        assert_eq!(found.get(*key), Some(&1), "{key} was asked for again");
    }
    let changes = (acknowledged.len() + open.len()) as u64;
    let pieces = changes.cast_signed();
    assert_eq!(api.get(LEVEL).await.level(), (pieces, pieces, 0, changes));
    assert!(acknowledged.len() > CALLERS && !open.is_empty());
}

/// How often each reference stands in the history.
async fn references(api: &Api) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for item in api.items(&format!("{LEVEL}/history")).await {
        *found.entry(item["payload"]["reference"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    found
}

/// The program, allowed files of 40 KB only: what a full disk says, without the need to be root.
pub(super) fn cramped() -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 80; exec \"$0\" \"$@\"", PROGRAM]);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_may_not_grow_ends_the_node_cleanly() {
    let directory = TempDir::new().unwrap();
    let node = Node::start_as(cramped(), directory.path(), &["--log-level", "error"]);
    let told = fill(&node, 0).await;
    assert!(told.codes.contains_key("outcome-unknown"), "{:?}", told.codes);
    let ended = tokio::task::spawn_blocking(move || node.process.wait()).await.unwrap();
    ended_for_want_of_room(&ended);
    let node = Node::start(directory.path(), &[]);
    all_there(&node, &[told]).await;
    node.stop();
    super::process::verify(directory.path());
}

fn try_start(room: &Room, data_dir: &Path) -> Result<Node, Ended> {
    Node::try_start_as(room.onhand(), data_dir, &["--snapshot-every-n-events", "500"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_ends_the_node_cleanly_and_room_brings_it_back() {
    let script = "mount -t tmpfs -o size=3m none \"$1\"";
    let Some(room) = Room::open("a full disk", script) else { return };
    let data = room.path().join("data");
    let mut told = Vec::new();
    let mut node = try_start(&room, &data).unwrap();
    // The second round starts with room for a moment only.
    for round in 0..2 {
        told.push(fill(&node, round).await);
        assert!(told[round].codes.contains_key("outcome-unknown"), "{:?}", told[round].codes);
        ended_for_want_of_room(&node.process.wait());
        for _ in 0..3 {
            match try_start(&room, &data) {
                // There may be room for a start and nothing else.
                Ok(node) => node.stop(),
                Err(ended) => {
                    assert_eq!(ended.code, Some(74), "{}", ended.stderr);
                    let said = &ended.stderr;
                    assert!(
                        said.contains(data.to_str().unwrap()) && said.contains("make as much room"),
                        "{said}"
                    );
                    assert_eq!(said.matches("os error").count(), 1, "the cause is told once: {said}");
                }
            }
        }
        room.sh(&format!("mount -o remount,size={}m \"$1\"", 8 + 24 * round));
        node = try_start(&room, &data).unwrap();
    }
    all_there(&node, &told).await;
    node.stop();
    let mut verify = room.onhand();
    verify.args(["verify", "--data-dir"]).arg(&data);
    let ended = run(verify);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
}
