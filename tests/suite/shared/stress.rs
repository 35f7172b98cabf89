//! Many clients of several processes at once, which are paused, killed and started again; in the end every acknowledged
//! change is there once, and the versions of every level are without a gap over all logs together. A client retries
//! while its first attempt may still be in progress, at another process or at the same.

use super::{Machine, Process, TTL, adjust};
use onhand_app::{CommandError, Meta, fingerprint};
use onhand_disk::layout::Layout;
use onhand_disk::{Disk, OpenMode};
use onhand_domain::Expected;
use onhand_domain::{Idempotency, State};
use onhand_file::audit::audit;
use onhand_sim_machine::random::Random;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::RwLock;
use tokio::time::sleep;

const SKUS: [&str; 3] = ["TEA", "MILK", "SALT"];
const CALLERS: u64 = 6;
const PROCESSES: usize = 3;
const UPSETS: usize = 12;

type Place = Arc<RwLock<Option<Process>>>;

fn known_by(caller: u64, change: u64) -> Meta {
    let key = format!("{caller}-{change}").into();
    let idempotency = Idempotency { key, scope: "test".into(), fingerprint: fingerprint(b"+1") };
    Meta { idempotency: Some(idempotency), ..Meta::default() }
}

/// Adds pieces one by one, each until some process has acknowledged it; returns the number of pieces by SKU.
async fn call(caller: u64, places: Arc<Vec<Place>>, over: Arc<AtomicBool>) -> BTreeMap<&'static str, i64> {
    let mut random = Random::new(caller);
    let mut done = BTreeMap::new();
    let mut change = 0;
    while !over.load(Ordering::SeqCst) {
        change += 1;
        let sku = SKUS[random.below(SKUS.len())];
        let meta = known_by(caller, change);
        loop {
            let first = attempt(&places[random.below(PROCESSES)], sku, &meta);
            let second = &places[random.below(PROCESSES)];
            let acknowledged = if random.below(3) == 0 {
                let (first, second) = tokio::join!(first, attempt(second, sku, &meta));
                first || second
            } else {
                first.await
            };
            if acknowledged {
                break;
            }
            sleep(Duration::from_millis(1)).await;
        }
        *done.entry(sku).or_insert(0) += 1;
    }
    done
}

/// One attempt at one process, as blind as a till's; true when it was acknowledged.
async fn attempt(place: &Place, sku: &'static str, meta: &Meta) -> bool {
    let held = place.read().await;
    let Some(process) = &*held else { return false };
    let work = process.execute(adjust(sku, 1, Expected::Any), meta);
    match tokio::time::timeout(Duration::from_millis(300), work).await {
        Ok(Err(CommandError::Refused(refusal))) => panic!("{refusal:?}"),
        answered => answered.is_ok_and(|answer| answer.is_ok()),
    }
}

/// Kills, pauses or stops one process after the other, and starts another one in its place.
async fn upset(machine: &Machine, places: &[Place], random: &mut Random) {
    let place = &places[random.below(PROCESSES)];
    match random.below(3) {
        0 => {
            let mut held = place.write().await;
            if let Some(process) = held.take() {
                process.kill().await;
            }
            sleep(Duration::from_millis(random.below(40) as u64)).await;
            *held = Some(machine.begin().await);
        }
        1 => {
            // Its clients keep calling it: it does not renew, and is taken over from as soon as another process needs a
            // lease.
            {
                let mut held = place.write().await;
                if let Some(process) = &mut *held {
                    process.pause().await;
                }
            }
            sleep(TTL.mul_f64(1.7)).await;
            let mut held = place.write().await;
            if let Some(process) = held.take() {
                process.stop_if_it_may().await;
            }
            *held = Some(machine.begin().await);
        }
        _ => {
            let mut held = place.write().await;
            if let Some(process) = held.take() {
                process.stop_if_it_may().await;
            }
            *held = Some(machine.begin().await);
        }
    }
}

async fn run(seed: u64) {
    let machine = Machine::new();
    let mut list = Vec::new();
    for _ in 0..PROCESSES {
        list.push(Arc::new(RwLock::new(Some(machine.begin().await))));
    }
    let places = Arc::new(list);
    let over = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| tokio::spawn(call(seed * 100 + caller, Arc::clone(&places), Arc::clone(&over))))
        .collect();
    let mut random = Random::new(seed);
    for _ in 0..UPSETS {
        sleep(Duration::from_millis(30 + random.below(60) as u64)).await;
        upset(&machine, &places, &mut random).await;
    }
    over.store(true, Ordering::SeqCst);
    let mut acknowledged: BTreeMap<&str, i64> = BTreeMap::new();
    for caller in callers {
        for (sku, count) in caller.await.unwrap() {
            *acknowledged.entry(sku).or_insert(0) += count;
        }
    }
    let mut views = Vec::new();
    for place in &*places {
        let held = place.read().await;
        let process = held.as_ref().unwrap();
        for sku in acknowledged.keys() {
            views.push((*sku, process.level(sku).await));
        }
    }
    for place in &*places {
        let process = place.write().await.take().unwrap();
        process.stop_if_it_may().await;
    }
    check_logs(&machine, &acknowledged, seed);
    for (sku, view) in views {
        let count = acknowledged[sku];
        assert_eq!(view, Some((count, u64::try_from(count).unwrap())), "{sku}, seed {seed}");
    }
}

/// Checks that each log is sound by itself, and that the newest version of a level in any of them covers the
/// acknowledged changes.
fn check_logs(machine: &Machine, acknowledged: &BTreeMap<&str, i64>, seed: u64) {
    let mut newest: BTreeMap<String, (u64, i64)> = BTreeMap::new();
    // More than there were processes at a time: a process that starts while another one reads a log to its end creates
    // a new one.
    let members = (1..).map(|number| Machine::layout().member(number));
    let there = |layout: &Layout| machine.disk.open(&layout.node(), OpenMode::Read).is_ok();
    let mut logs = 0;
    for (number, layout) in (1..).zip(members.take_while(there)) {
        logs = number;
        let audit = audit(&machine.disk, &layout).unwrap();
        assert_eq!(audit.findings, [], "nodes/{number}, seed {seed}");
        for (key, state) in &audit.fold.states {
            let State::Level(level) = state else { continue };
            let of_log = (level.version(), level.on_hand().get());
            let kept = newest.entry(key.to_string()).or_insert(of_log);
            *kept = (*kept).max(of_log);
        }
    }
    for (sku, count) in acknowledged {
        assert_eq!(newest[&format!("LONDON/{sku}")], (u64::try_from(*count).unwrap(), *count), "seed {seed}");
    }
    println!("seed {seed}: {acknowledged:?} in {logs} logs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_happens_to_processes_each_acknowledged_change_is_there_once() {
    let seeds: u64 = std::env::var("ONHAND_SHARED_SEEDS").map_or(2, |text| text.parse().unwrap());
    for seed in 1..=seeds {
        run(seed).await;
    }
}
