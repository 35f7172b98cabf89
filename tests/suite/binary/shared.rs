//! Several `onhand serve` on one data directory: their tills notice nothing of the faults of single processes.

use super::api::Api;
use super::catalogue::Logs;
use super::kill::{Current, Known, all_there_once, careless_till, level, till, watcher};
use super::process::{Node, onhand, run, verify};
use onhand_sim_machine::random::Random;
use rustix::process::Signal;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};

const NODES: usize = 3;
const TILLS: usize = 6;
const UPSETS: usize = 24;
const TTL: Duration = Duration::from_millis(400);
const OPTIONS: [&str; 11] = [
    "--locks-enabled",
    "--lock-ttl-ms",
    "400",
    "--lock-renew-ms",
    "100",
    "--snapshot-every-n-events",
    "40",
    "--sync-interval-ms",
    "50",
    "--log-level",
    "warn",
];

type Choice = watch::Sender<(Option<Api>, bool)>;

async fn start(data_dir: &Path) -> Node {
    let data_dir = data_dir.to_owned();
    spawn_blocking(move || Node::start(&data_dir, &OPTIONS)).await.unwrap()
}

/// Sends each caller to another node every few milliseconds.
async fn shuffle(choices: Vec<Choice>, mut nodes: watch::Receiver<Vec<Option<Api>>>) {
    let mut random = Random::new(1);
    loop {
        {
            let nodes = nodes.borrow_and_update();
            for choice in &choices {
                let node = nodes[random.below(nodes.len())].clone();
                choice.send_modify(|state| state.0 = node);
            }
        }
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}

/// Kills, stops, pauses or restarts one node after the other.
async fn upset(
    data_dir: &Path,
    nodes: &mut [Option<Node>],
    tell: &watch::Sender<Vec<Option<Api>>>,
    random: &mut Random,
) {
    let place = random.below(nodes.len());
    let node = nodes[place].take().unwrap();
    match random.below(3) {
        0 => {
            let ended = spawn_blocking(move || node.process.kill()).await.unwrap();
            nothing_went_wrong(&ended.stderr);
        }
        1 => {
            tell.send_modify(|apis| apis[place] = None);
            let ended = spawn_blocking(move || {
                node.process.signal(Signal::TERM);
                node.process.wait()
            });
            let ended = ended.await.unwrap();
            // On a slow machine it may be taken over from meanwhile.
            assert!(matches!(ended.code, Some(0 | 75)), "{ended:?}");
            nothing_went_wrong(&ended.stderr);
        }
        _ => {
            node.process.signal(Signal::STOP);
            // Clients that are sent there meanwhile hang until it resumes.
            tokio::time::sleep(TTL * 2).await;
            node.process.signal(Signal::CONT);
            tokio::time::sleep(TTL).await;
            let ended = spawn_blocking(move || {
                node.process.signal(Signal::TERM);
                node.process.wait()
            });
            let ended = ended.await.unwrap();
            // Taken over from, or not if no other process needed its leases.
            assert!(matches!(ended.code, Some(0 | 75)), "{ended:?}");
            nothing_went_wrong(&ended.stderr);
        }
    }
    tell.send_modify(|apis| apis[place] = None);
    let node = start(data_dir).await;
    tell.send_modify(|apis| apis[place] = Some(Api::of(&node)));
    nodes[place] = Some(node);
}

/// Checks that a process that was taken over from answered 503 until its end, and nothing else went wrong.
#[track_caller]
fn nothing_went_wrong(stderr: &str) {
    let wrong = |line: &&str| line.contains("\"status\":500") || line.contains("panicked");
    let wrong: Vec<&str> = stderr.lines().filter(wrong).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tills_at_several_processes_lose_nothing_and_repeat_nothing() {
    let directory = TempDir::new().unwrap();
    let mut nodes = Vec::new();
    for _ in 0..NODES {
        nodes.push(Some(start(directory.path()).await));
    }
    let apis: Vec<Option<Api>> = nodes.iter().map(|node| node.as_ref().map(Api::of)).collect();
    let (tell, told) = watch::channel(apis);
    let mut clients: JoinSet<BTreeMap<String, Known>> = JoinSet::new();
    let mut choices: Vec<Choice> = Vec::new();
    let mut choice = || -> Current {
        let (choose, chosen) = watch::channel((None, false));
        choices.push(choose);
        chosen
    };
    for number in 0..TILLS {
        clients.spawn(till(number, Logs::Several, choice()));
    }
    clients.spawn(careless_till(choice()));
    clients.spawn(watcher(choice()));
    let choices = Arc::new(choices);
    let shuffling = tokio::spawn(shuffle(choices.iter().map(watch::Sender::clone).collect(), told));
    let mut random = Random::new(7);
    for _ in 0..UPSETS {
        tokio::time::sleep(Duration::from_millis(40 + random.below(150) as u64)).await;
        upset(directory.path(), &mut nodes, &tell, &mut random).await;
    }
    // Every till has a node before it closes.
    for choice in &*choices {
        choice.subscribe().wait_for(|(api, _)| api.is_some()).await.unwrap();
        choice.send_modify(|state| state.1 = true);
    }
    let asked = clients.join_all().await.into_iter().flatten().collect();
    shuffling.abort();
    for node in nodes.iter().flatten() {
        all_there_once(&Api::of(node), Logs::Several, &asked).await;
    }
    central_agrees(&Api::of(nodes[0].as_ref().unwrap()), nodes.iter().flatten()).await;
    for node in nodes.into_iter().flatten() {
        spawn_blocking(move || node.stop()).await.unwrap();
    }
    println!("{}", verify(directory.path()));
}

/// All processes show the model that one of them merges, and in the end it equals the levels of the nodes.
async fn central_agrees(api: &Api, nodes: impl Iterator<Item = &Node>) {
    let own = api.get(&level("TEA")).await;
    let (qty, _, _, version) = own.level();
    for node in nodes {
        let api = Api::of(node);
        let mut seen = api.get("/central/inventory/TEA").await;
        // It is merged within the interval, and shown by the others when it is saved.
        for _ in 0..1000 {
            if seen.json["stores"][0]["version"] == json!(version) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            seen = api.get("/central/inventory/TEA").await;
        }
        assert_eq!(seen.json["total"]["qty"], json!(qty), "{}", seen.text);
    }
}

#[test]
fn a_process_alone_on_its_directory_admits_no_other() {
    let directory = TempDir::new().unwrap();
    let alone = Node::start(directory.path(), &[]);
    let sharing =
        Node::try_start_as(std::process::Command::new(super::process::PROGRAM), directory.path(), &OPTIONS);
    let refused = sharing.unwrap_err();
    assert_eq!(refused.code, Some(75), "{}", refused.stderr);
    assert!(refused.stderr.contains("pid "), "{}", refused.stderr);
    alone.stop();
    // Its log becomes the first of several, and a single process is rejected with that reason.
    Node::start(directory.path(), &OPTIONS).stop();
    assert!(directory.path().join("nodes/1/log").is_dir());
    assert!(!directory.path().join("log").exists());
    let mut command = onhand(&["serve", "--port", "0", "--data-dir"]);
    command.arg(directory.path());
    let refused = run(command);
    assert_eq!(refused.code, Some(78), "{}", refused.stderr);
    assert!(refused.stderr.contains("--locks-enabled"), "{}", refused.stderr);
}

/// Changes one level at another process while its holder is paused, and checks the answers of the holder when it resumes.
#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_was_paused_acknowledges_nothing_and_ends() {
    let directory = TempDir::new().unwrap();
    let paused = start(directory.path()).await;
    let other = start(directory.path()).await;
    let (first, second) = (Api::of(&paused), Api::of(&other));
    first.post(&format!("{}/adjust", level("TEA")), &[], &json!({"delta": 10})).await.is(200, "");
    paused.process.signal(Signal::STOP);
    let late = {
        let first = first.clone();
        tokio::spawn(async move {
            let path = format!("{}/adjust", level("TEA"));
            first.try_post(&path, &[("idempotency-key", "late")], &json!({"delta": -10})).await
        })
    };
    let begun = std::time::Instant::now();
    let taken = loop {
        let taken = second.post(&format!("{}/adjust", level("TEA")), &[], &json!({"delta": -7})).await;
        if taken.status == 200 {
            break taken;
        }
        taken.is(503, "lock-contended");
        assert!(taken.header("retry-after").is_some());
        assert!(begun.elapsed() < Duration::from_secs(60), "it is never taken over");
    };
    assert_eq!(taken.level(), (3, 3, 0, 2));
    paused.process.signal(Signal::CONT);
    // Or it ended before it could answer.
    if let Ok(answer) = late.await.unwrap() {
        assert!(answer.status == 409 || answer.status == 503, "{}", answer.text);
    }
    let ended = spawn_blocking(move || paused.process.wait()).await.unwrap();
    assert_eq!(ended.code, Some(75), "{}", ended.stderr);
    assert!(ended.stderr.contains("another process goes on"), "{}", ended.stderr);
    let metrics = second.get("/metrics").await.text;
    for name in ["onhand_locks_acquired_total", "onhand_locks_contended_total", "onhand_locks_stolen_total"] {
        let counted = metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
        assert!(counted.is_some_and(|count| count >= 1.0), "{name}: {metrics}");
    }
    let again = start(directory.path()).await;
    assert_eq!(Api::of(&again).get(&level("TEA")).await.level(), (3, 3, 0, 2));
    again.stop();
    other.stop();
    println!("{}", verify(directory.path()));
}

#[tokio::test(flavor = "multi_thread")]
async fn contention_is_answered_with_the_configured_status() {
    let directory = TempDir::new().unwrap();
    let options = [
        "--locks-enabled",
        "--lock-ttl-ms",
        "300000",
        "--lock-reject-status",
        "423",
        "--lock-retry-after-ms",
        "2500",
    ];
    let data_dir = directory.path().to_owned();
    let (paused, other) =
        spawn_blocking(move || (Node::start(&data_dir, &options), Node::start(&data_dir, &options)))
            .await
            .unwrap();
    Api::of(&paused).post(&format!("{}/adjust", level("TEA")), &[], &json!({"delta": 10})).await.is(200, "");
    paused.process.signal(Signal::STOP);
    let api = Api::of(&other);
    let refused = api.post(&format!("{}/adjust", level("TEA")), &[], &json!({"delta": 1})).await;
    refused.is(423, "lock-contended");
    assert_eq!(refused.header("retry-after"), Some("3"));
    assert_eq!(refused.json["retryAfterMs"], json!(2500));
    api.post(&format!("{}/adjust", level("RICE")), &[], &json!({"delta": 1})).await.is(200, "");
    assert_eq!(api.get(&level("TEA")).await.level(), (10, 10, 0, 1), "reading needs no lease");
    paused.process.signal(Signal::CONT);
    api.post(&format!("{}/adjust", level("TEA")), &[], &json!({"delta": 1})).await.is(200, "");
    paused.stop();
    other.stop();
}
