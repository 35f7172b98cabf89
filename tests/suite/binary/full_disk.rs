//! No room on the disk: acknowledged changes stay and can be read, others are rejected, and with room again the node
//! resumes by itself, without a restart.

use super::api::{Api, Reply};
use super::process::{Ended, Node, PROGRAM, run};
use super::room::Room;
use crate::counts::{counted, scale};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinSet;

const LEVEL: &str = "/stores/LONDON/inventory/TEA";
const CALLERS: usize = 16;
/// Rejections after which a client gives up.
const REFUSALS: usize = 3;
/// Frequent probes and few log lines.
pub(super) const OPTIONS: [&str; 6] =
    ["--breaker-cooldown-ms", "50", "--log-level", "error", "--snapshot-every-n-events", "500"];

/// The answers that the clients of a node without room received.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Acknowledged changes, by their key.
    acknowledged: Vec<String>,
    /// Changes with another answer or none; their clients will retry.
    open: Vec<String>,
    /// The part of `open` that certainly has not happened.
    refused: Vec<String>,
    /// Number of rejections by code.
    pub(super) codes: BTreeMap<String, usize>,
}

pub(super) async fn ask(api: &Api, key: &str) -> Result<Reply, reqwest::Error> {
    let body = json!({"delta": 1, "reference": key, "reason": "r".repeat(250)});
    api.try_post(&format!("{LEVEL}/adjust"), &[("idempotency-key", key)], &body).await
}

/// Changes a level until every client was rejected a few times, or the disk is well again before that.
pub(super) async fn fill(node: &Node, round: usize) -> Told {
    let api = Api::of(node);
    let mut callers = JoinSet::new();
    let gone_home = Arc::new(AtomicBool::new(false));
    for caller in 0..CALLERS {
        let (api, gone_home) = (api.clone(), Arc::clone(&gone_home));
        callers.spawn(async move {
            let mut told = Told::default();
            for turn in 0.. {
                let key = format!("round-{round}-caller-{caller}-{turn}");
                let reply = ask(&api, &key).await.expect("the node stays");
                if reply.status == 200 {
                    told.acknowledged.push(key);
                    if gone_home.load(Ordering::Relaxed) {
                        break;
                    }
                    continue;
                }
                assert_eq!(reply.status, 503, "{}", reply.text);
                let code = reply.json["code"].as_str().unwrap().to_owned();
                if code == "read-only" {
                    told.refused.push(key.clone());
                }
                *told.codes.entry(code).or_default() += 1;
                told.open.push(key);
                if told.open.len() == REFUSALS {
                    gone_home.store(true, Ordering::Relaxed);
                    break;
                }
            }
            told
        });
    }
    let mut all = Told::default();
    for told in callers.join_all().await {
        all.acknowledged.extend(told.acknowledged);
        all.open.extend(told.open);
        all.refused.extend(told.refused);
        told.codes.into_iter().for_each(|(code, times)| *all.codes.entry(code).or_default() += times);
    }
    all
}

impl Told {
    /// Adds changes that were acknowledged elsewhere.
    pub(super) fn take_up(&mut self, keys: impl Iterator<Item = String>) {
        self.acknowledged.extend(keys);
    }
}

/// Checks that requests that need no write still work.
pub(super) async fn is_read_only(node: &Node, told: &Told) {
    let api = Api::of(node);
    let readiness = api.get("/health/readiness").await;
    readiness.is(503, "not-ready");
    assert_eq!(readiness.json["mode"], "read-only", "{}", readiness.text);
    assert!(matches!(readiness.json["breakers"]["storage"].as_str(), Some("open" | "half-open")));
    api.get("/health/liveness").await.is(200, "");
    let first = told.acknowledged.first().unwrap();
    let again = ask(&api, first).await.unwrap();
    assert!(again.is(200, "").replayed(), "{}", again.text);
    let short = api.post(&format!("{LEVEL}/reserve"), &[], &json!({"qty": 1_000_000_000})).await;
    short.is(409, "insufficient-stock");
    let shown = api.get(LEVEL).await.level();
    assert_eq!(
        shown.3,
        api.get("/health/readiness").await.json["durableSequence"],
        "only the durable is shown"
    );
    let metrics = api.get("/metrics").await.text;
    assert!(metrics.contains("onhand_breaker_opened_total{breaker=\"storage\"}"), "{metrics}");
    // Open, or half-open while it probes.
    let state =
        |position| metrics.contains(&format!("onhand_breaker_state{{breaker=\"storage\"}} {position}\n"));
    assert!(state(2) || state(1), "{metrics}");
}

/// Waits until the node takes changes again.
pub(super) async fn until_well(node: &Node) {
    let api = Api::of(node);
    while api.get("/health/readiness").await.status != 200 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let metrics = api.get("/metrics").await.text;
    assert!(metrics.contains("onhand_breaker_state{breaker=\"storage\"} 0\n"), "{metrics}");
}

/// With room again: everything acknowledged happened once, the rest at most once, and after a retry exactly once.
pub(super) async fn all_there(node: &Node, told: &[Told]) {
    let api = Api::of(node);
    let all = |of: fn(&Told) -> &Vec<String>| told.iter().flat_map(of).collect::<Vec<&String>>();
    let (acknowledged, open) = (all(|told| &told.acknowledged), all(|told| &told.open));
    let found = references(&api).await;
    for key in &acknowledged {
        assert_eq!(found.get(*key), Some(&1), "{key} was acknowledged");
    }
    for key in all(|told| &told.refused) {
        assert_eq!(found.get(key), None, "{key} was told that nothing has changed");
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

/// The number of movements with each reference in the history.
async fn references(api: &Api) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for item in api.items(&format!("{LEVEL}/history")).await {
        *found.entry(item["payload"]["reference"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    found
}

/// The program with a file size limit of 40 KB: it has the effect of a full disk, without root.
pub(super) fn cramped() -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -S -f 80; exec \"$0\" \"$@\"", PROGRAM]);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_that_may_not_grow_is_sealed_and_the_log_goes_on_in_the_next() {
    for _ in 0..scale() {
        let directory = TempDir::new().unwrap();
        let node = Node::start_as(cramped(), directory.path(), &OPTIONS);
        let told = fill(&node, 0).await;
        assert_eq!(
            told.codes.keys().collect::<Vec<_>>(),
            ["read-only"],
            "a write that failed is cut off again"
        );
        until_well(&node).await;
        all_there(&node, &[told]).await;
        // From now on the node knows how long a segment may be: no change is rejected any more.
        let api = Api::of(&node);
        for turn in 0..300 {
            ask(&api, &format!("afterwards-{turn}")).await.unwrap().is(200, "");
        }
        node.stop();
        super::process::verify(directory.path());
    }
    counted("a limit of the file size (EFBIG)", format!("{} times", scale()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_line_that_cannot_be_written_is_dropped_without_harm() {
    let directory = TempDir::new().unwrap();
    // Its first probe would heal it; this ends long before.
    let options = ["--breaker-cooldown-ms", "3600000", "--log-level", "debug"];
    let node = Node::start_as(cramped(), directory.path(), &options);
    fill(&node, 0).await;
    // Each rejection is a line on its stderr, a file that cannot grow either.
    let api = Api::of(&node);
    while node.process.said("stderr").len() < 40 << 10 {
        ask(&api, "refused").await.unwrap().is(503, "read-only");
    }
    for _ in 0..10 {
        ask(&api, "refused").await.unwrap().is(503, "read-only");
    }
    api.get("/livez").await.is(200, "");
    node.process.kill();
    super::process::verify(directory.path());
}

#[test]
fn a_node_stopped_while_read_only_reports_it() {
    let directory = TempDir::new().unwrap();
    // Its first probe would heal it; the node is stopped long before.
    let options = ["--breaker-cooldown-ms", "600000", "--log-level", "error"];
    let node = Node::start_as(cramped(), directory.path(), &options);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let told = runtime.block_on(fill(&node, 0));
    node.process.signal(rustix::process::Signal::TERM);
    let ended = node.process.wait();
    assert_eq!(ended.code, Some(74), "{}", ended.stderr);
    assert!(ended.stderr.contains("what was acknowledged is safe"), "{}", ended.stderr);
    let node = Node::start(directory.path(), &[]);
    runtime.block_on(all_there(&node, &[told]));
    node.stop();
}

/// Starts a node on a full disk, repeatedly.
fn start_when_full(room: &Room, data_dir: &Path) {
    for _ in 0..3 {
        match Node::try_start_as(room.onhand(), data_dir, &OPTIONS) {
            // There may be room for a start and nothing else.
            Ok(node) => drop(node.process.kill()),
            Err(ended) => could_not_start(&ended, data_dir),
        }
    }
}

#[track_caller]
fn could_not_start(ended: &Ended, data_dir: &Path) {
    let said = &ended.stderr;
    assert_eq!(ended.code, Some(74), "{said}");
    assert!(said.contains(data_dir.to_str().unwrap()) && said.contains("make as much room"), "{said}");
    assert_eq!(said.matches("os error").count(), 1, "the cause is told once: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_makes_the_node_read_only_and_room_brings_it_back() {
    for _ in 0..scale() {
        let script = "mount -t tmpfs -o size=4m none \"$1\"";
        let Some(room) = Room::open("a full disk", script) else { return };
        let data = room.path().join("data");
        let mut told = Vec::new();
        let mut node = Node::start_as(room.onhand(), &data, &OPTIONS);
        for round in 0..2 {
            told.push(fill(&node, round).await);
            assert!(told[round].codes.contains_key("read-only"), "{:?}", told[round].codes);
            is_read_only(&node, &told[round]).await;
            room.sh(&format!("mount -o remount,size={}m \"$1\"", 8 * (round + 1)));
            until_well(&node).await;
        }
        all_there(&node, &told).await;
        // The third time it is killed while it is full.
        told.push(fill(&node, 2).await);
        node.process.kill();
        start_when_full(&room, &data);
        room.sh("mount -o remount,size=64m \"$1\"");
        node = Node::start_as(room.onhand(), &data, &OPTIONS);
        let api = Api::of(&node);
        for key in &told[2].open {
            ask(&api, key).await.unwrap().is(200, "");
        }
        node.stop();
        sound(&room, &data);
    }
    counted("a full disk, three each", format!("{} times", scale()));
}

/// Runs `onhand verify` inside the room.
#[track_caller]
pub(super) fn sound(room: &Room, data_dir: &Path) {
    let mut verify = room.onhand();
    verify.args(["verify", "--data-dir"]).arg(data_dir);
    let ended = run(verify);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
}
