//! `kill -9` under load, two hundred times on one data directory: every acknowledged change is there exactly once, and
//! no reader ever saw a state that was rolled back.

use super::api::{Api, Reply};
use super::catalogue::{self, Logs};
use super::process::{Node, onhand, run, verify};
use crate::counts::{counted, scale};
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinSet;

const LIVES: u64 = 200;
const TILLS: usize = 6;
pub(super) const SKUS: [&str; 3] = ["TEA", "RICE", "SALT"];
/// Snapshots come often, so that many of the kills hit one.
const OPTIONS: [&str; 4] = ["--snapshot-every-n-events", "40", "--log-level", "warn"];

/// The current node; none while it is dead. The second part turns true when the tills must stop.
pub(super) type Current = watch::Receiver<(Option<Api>, bool)>;

/// What a client knows about a change that it requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// The node acknowledged it.
    Acknowledged,
    /// The request was sent, and the answer was lost.
    Unknown,
}

pub(super) fn level(sku: &str) -> String {
    format!("/stores/LONDON/inventory/{sku}")
}

async fn living(current: &mut Current) -> Option<Api> {
    let state = current.wait_for(|(api, close)| api.is_some() || *close).await.unwrap();
    state.0.clone()
}

/// Posts with the same key until there is an answer, from any node.
async fn insist(current: &mut Current, path: &str, key: &str, body: &Value) -> Reply {
    insist_on(current, Method::POST, path, key, body).await
}

/// Retries with the same key until there is an answer, from any node.
pub(super) async fn insist_on(
    current: &mut Current,
    method: Method,
    path: &str,
    key: &str,
    body: &Value,
) -> Reply {
    loop {
        let api = living(current).await.expect("tills close before the last node ends");
        match api.try_say(method.clone(), path, &[("idempotency-key", key)], body).await {
            Ok(reply) if reply.status != 503 => return reply,
            _ => tokio::time::sleep(Duration::from_millis(2)).await,
        }
    }
}

/// A till that retries blindly with keys: it buys, reserves, commits, releases and sends batches, sometimes it
/// describes something, and it ends with a list of what must have happened.
pub(super) async fn till(number: usize, logs: Logs, mut current: Current) -> BTreeMap<String, Known> {
    let mut done = BTreeMap::new();
    for turn in 0_usize.. {
        if current.borrow().1 {
            break;
        }
        let key = format!("till-{number}-{turn}");
        let sku = SKUS[(number + turn) % SKUS.len()];
        if turn % 7 == 6 {
            // Unique, and close to the stock at that moment.
            let pieces = turn * TILLS + number;
            done.insert(catalogue::say(&mut current, logs, &key, sku, pieces).await, Known::Acknowledged);
            continue;
        }
        let reply = match turn % 4 {
            0 | 1 => {
                let body = json!({"delta": 1 + turn % 3, "reference": key});
                insist(&mut current, &format!("{}/adjust", level(sku)), &key, &body).await
            }
            2 => {
                let operations: Vec<Value> = SKUS
                    .iter()
                    .map(|sku| json!({"op": "adjust", "storeId": "LONDON", "sku": sku, "delta": 1, "reference": format!("{key}-{sku}")}))
                    .collect();
                done.extend(SKUS.iter().map(|sku| (format!("{key}-{sku}"), Known::Acknowledged)));
                insist(&mut current, "/inventory/batch", &key, &json!({"operations": operations})).await
            }
            _ => {
                let body = json!({"qty": 1, "reservationId": key, "reference": key});
                let held = insist(&mut current, &format!("{}/reserve", level(sku)), &key, &body).await;
                held.is(200, "");
                let end = if turn % 8 == 3 { "commit" } else { "release" };
                let body = json!({"reservationId": key});
                insist(&mut current, &format!("{}/{end}", level(sku)), &key, &body).await
            }
        };
        reply.is(200, "");
        if turn % 4 != 2 {
            done.insert(key, Known::Acknowledged);
        }
    }
    done
}

/// A till without keys that never retries: acknowledged changes happened once, the rest at most once.
pub(super) async fn careless_till(mut current: Current) -> BTreeMap<String, Known> {
    let mut asked = BTreeMap::new();
    for turn in 0_u64.. {
        let Some(api) = living(&mut current).await else { break };
        if current.borrow().1 {
            break;
        }
        let reference = format!("careless-{turn}");
        let body = json!({"delta": 1, "reference": reference});
        let known = match api.try_post(&format!("{}/adjust", level("TEA")), &[], &body).await {
            Ok(reply) if reply.status == 200 => Known::Acknowledged,
            _ => Known::Unknown,
        };
        asked.insert(reference, known);
    }
    asked
}

/// Reads one level repeatedly: a state that was shown once is never rolled back.
pub(super) async fn watcher(mut current: Current) -> BTreeMap<String, Known> {
    let mut seen = 0;
    while let Some(api) = living(&mut current).await {
        if current.borrow().1 {
            break;
        }
        if let Ok(reply) = api.try_send(Method::GET, &level("TEA"), &[], Vec::new()).await
            && reply.status == 200
        {
            let (_, _, _, version) = reply.level();
            assert!(version >= seen, "version {seen} was shown, and then {version}");
            seen = version;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    BTreeMap::new()
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_nothing_and_repeat_nothing() {
    let (mut acknowledged, mut asked) = (0, 0);
    for _ in 0..scale() {
        let (yes, all) = two_hundred_lives().await;
        (acknowledged, asked) = (acknowledged + yes, asked + all);
    }
    let kills = (LIVES - 1 + LIVES / 5) * scale();
    counted(
        "kill -9",
        format!("{kills} kills, {acknowledged} of {asked} changes acknowledged, each there once"),
    );
}

/// Returns how many changes were acknowledged, and how many requested.
async fn two_hundred_lives() -> (usize, usize) {
    let mut done = (0, 0);
    let directory = TempDir::new().unwrap();
    let (tell, current) = watch::channel((None, false));
    let mut clients = JoinSet::new();
    for number in 0..TILLS {
        clients.spawn(till(number, Logs::One, current.clone()));
    }
    clients.spawn(careless_till(current.clone()));
    clients.spawn(watcher(current));
    for life in 0..LIVES {
        let node = live(directory.path()).await;
        tell.send((Some(Api::of(&node)), false)).unwrap();
        tokio::time::sleep(Duration::from_millis(20 + life * 37 % 180)).await;
        if life == LIVES - 1 {
            tell.send_modify(|state| state.1 = true);
            let asked = clients.join_all().await.into_iter().flatten().collect();
            done = all_there_once(&Api::of(&node), Logs::One, &asked).await;
            node.stop();
            break;
        }
        tokio::task::spawn_blocking(move || node.process.kill()).await.unwrap();
        tell.send_modify(|state| state.0 = None);
        if life % 5 == 4 {
            killed_while_starting(directory.path(), life).await;
        }
    }
    verify(directory.path());
    let mut rebuild = onhand(&["rebuild", "--data-dir"]);
    rebuild.arg(directory.path());
    let ended = run(rebuild);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    done
}

async fn live(data_dir: &Path) -> Node {
    let data_dir = data_dir.to_owned();
    tokio::task::spawn_blocking(move || Node::start(&data_dir, &OPTIONS)).await.unwrap()
}

/// A start is killed at a random point.
async fn killed_while_starting(data_dir: &Path, life: u64) {
    let mut command = onhand(&["serve", "--port", "0"]);
    command.args(OPTIONS).arg("--data-dir").arg(data_dir);
    let process = super::process::Process::spawn(command);
    tokio::time::sleep(Duration::from_millis(life % 30)).await;
    process.kill();
}

/// Compares the histories with the clients' records; returns how many changes were acknowledged, and requested.
pub(super) async fn all_there_once(api: &Api, logs: Logs, asked: &BTreeMap<String, Known>) -> (usize, usize) {
    let mut found: BTreeMap<String, u32> = BTreeMap::new();
    for sku in SKUS {
        let mut before = json!({"qty": 0, "onHand": 0, "reserved": 0, "version": 0});
        for item in api.items(&format!("{}/history", level(sku))).await {
            assert_eq!(item["before"], before, "{sku}: each movement starts where the one before it ended");
            before = item["after"].clone();
            if let Some(reference) = item["payload"]["reference"].as_str() {
                *found.entry(reference.to_owned()).or_default() += 1;
            }
        }
        let (qty, on_hand, reserved, version) = api.get(&level(sku)).await.level();
        let shown = json!({"qty": qty, "onHand": on_hand, "reserved": reserved, "version": version});
        assert_eq!((shown, reserved), (before, 0), "{sku}: the level is what its history adds up to");
    }
    for said in catalogue::said(api, logs).await {
        *found.entry(said).or_default() += 1;
    }
    catalogue::alerts_are_right(api, logs).await;
    for (reference, known) in asked {
        let times = found.remove(reference).unwrap_or(0);
        let right = if *known == Known::Acknowledged { times == 1 } else { times <= 1 };
        assert!(right, "{reference}: {known:?}, and there {times} times");
    }
    assert!(found.is_empty(), "nobody asked for {found:?}");
    let acknowledged = asked.values().filter(|known| **known == Known::Acknowledged).count();
    assert!(acknowledged > 1000, "only {acknowledged} changes: there was no load to speak of");
    (acknowledged, asked.len())
}
