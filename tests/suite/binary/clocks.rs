//! The real binary on directories with logs written at another time: the wall clock of this machine is not touched.

use super::api::Api;
use super::process::{Node, verify};
use onhand_app::ports::Clock;
use onhand_app::{Ledger, Meta, Parts};
use onhand_disk::RealDisk;
use onhand_disk::clock::TimeOrderedIds;
use onhand_disk::layout::Layout;
use onhand_domain::stock::{Reserve, StockCommand, Verb};
use onhand_domain::{Command, Expected, Quantity, ReservationId, Sku, StoreId, Timestamp};
use onhand_file::recovery::{OpenNode, OpenOptions, open};
use onhand_sim_machine::SimClock;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const LEVEL: &str = "/stores/LONDON/inventory/TEA";
const DAY: i64 = 24 * 3_600_000;

fn now() -> Timestamp {
    onhand_disk::clock::SystemClock.now()
}

/// Ten pieces, one of them held for an hour and one for ten days, written when the clock showed `at`.
async fn written_at(directory: &Path, at: Timestamp) {
    let clock = Arc::new(SimClock::default());
    clock.set(at);
    let options = OpenOptions {
        disk: Arc::new(RealDisk),
        layout: Layout::new(directory),
        segment_bytes: 1 << 20,
        ballast_bytes: 0,
        idempotency_ttl_ms: 300_000,
    };
    let OpenNode { log, restored, end, lock, .. } = open(&options, &*clock, &TimeOrderedIds).unwrap();
    log.start(Duration::from_millis(10), |_| {}).unwrap();
    let log = Arc::new(log);
    let parts = Parts {
        log: log.clone(),
        history: log.history(),
        clock,
        ids: Arc::new(TimeOrderedIds),
        idempotency_ttl_ms: 300_000,
    };
    let ledger = Ledger::new(parts, restored, end);
    let hold = |id: &str, ttl_seconds| {
        Verb::Reserve(Reserve {
            qty: Quantity::new(1).unwrap(),
            reservation_id: ReservationId::new(id).unwrap(),
            ttl_seconds: Some(ttl_seconds),
            reference: None,
        })
    };
    let delivery = Verb::Adjust { delta: Quantity::new(10).unwrap(), reason: None, reference: None };
    for verb in [delivery, hold("hour", 3_600), hold("days", 864_000)] {
        let (store_id, sku) = (StoreId::new("LONDON").unwrap(), Sku::new("TEA").unwrap());
        let command = StockCommand { store_id, sku, expected: Expected::Any, verb };
        ledger.execute(Command::Stock(command), &Meta::default()).await.unwrap();
    }
    log.close().unwrap();
    drop(lock);
}

async fn metric(api: &Api, name: &str) -> f64 {
    let text = api.get("/metrics").await.text;
    let line =
        text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap_or_else(|| panic!("{text}"));
    line.rsplit_once(' ').unwrap().1.parse().unwrap()
}

async fn signs(api: &Api) -> usize {
    api.get("/events?type=CLOCK").await.json["items"].as_array().unwrap().len()
}

/// Waits until the level has so many pieces on hold.
async fn reserved(api: &Api, pieces: i64) -> Value {
    loop {
        let level = api.get(LEVEL).await.json;
        if level["reserved"] == pieces {
            return level;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A hold of a second, made now, which must expire after it and not before.
async fn a_short_hold_runs_out(api: &Api, others: i64) {
    let wish = json!({"qty": 1, "reservationId": "now", "ttlSeconds": 1});
    let held = api.post(&format!("{LEVEL}/reserve"), &[], &wish).await;
    assert_eq!(held.is(200, "").json["reserved"], others + 1);
    reserved(api, others).await;
    let history = api.items(&format!("{LEVEL}/history")).await;
    let time = |item: &Value| Timestamp::parse(item["ts"].as_str().unwrap()).unwrap().milliseconds();
    let [.., made, gone] = &history[..] else { panic!("{history:?}") };
    assert_eq!((&made["type"], &gone["type"]), (&json!("RESERVE"), &json!("EXPIRE")));
    assert!((1_000..DAY).contains(&(time(gone) - time(made))), "{made} {gone}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_off_for_three_days_says_so_in_its_log_before_holds_expire() {
    let directory = TempDir::new().unwrap();
    written_at(directory.path(), now().plus_milliseconds(-3 * DAY)).await;
    let node = Node::start(directory.path(), &[]);
    let api = Api::of(&node);
    reserved(&api, 1).await;
    a_short_hold_runs_out(&api, 1).await;
    let events = api.items("/events").await;
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["ADJUST", "RESERVE", "RESERVE", "CLOCK", "EXPIRE", "RESERVE", "EXPIRE"]);
    let sign = &events[3];
    assert_eq!(sign["payload"]["from"], sign["ts"], "the sign has the old time");
    assert_eq!(
        (&sign["before"]["time"], &sign["after"]["time"]),
        (&sign["payload"]["from"], &sign["payload"]["to"])
    );
    assert!(events[4]["ts"].as_str() >= sign["payload"]["to"].as_str());
    assert_eq!(signs(&api).await, 1);
    // Central skips it.
    let central =
        api.get(&format!("/central/inventory/TEA?atLeast={}:7", sign["node"].as_str().unwrap())).await;
    assert_eq!(central.is(200, "").json["total"]["reserved"], 1);
    assert_eq!(api.items("/dead-letters").await, Vec::<Value>::new());
    node.stop();
    verify(directory.path());
    // Its snapshot is read back, and nothing is logged twice.
    let node = Node::start(directory.path(), &[]);
    assert_eq!(Api::of(&node).items("/events").await.len(), 7);
    node.stop();
}

/// A stop, a pause, a start: the log has the time that the node was off, and there is no clock warning.
#[tokio::test(flavor = "multi_thread")]
async fn an_ordinary_restart_warns_of_no_clock() {
    for off in [0, 300_000, DAY / 2] {
        let directory = TempDir::new().unwrap();
        written_at(directory.path(), now().plus_milliseconds(-off)).await;
        let node = Node::start(directory.path(), &["--log-format", "json"]);
        let api = Api::of(&node);
        assert_eq!(signs(&api).await, usize::from(off > 0));
        assert!(metric(&api, "onhand_clock_jumps_total").await < 1.0);
        node.process.signal(rustix::process::Signal::TERM);
        let ended = node.process.wait();
        assert!(
            !ended.stderr.contains("\"WARN\"") && !ended.stderr.contains("\"ERROR\""),
            "{}",
            ended.stderr
        );
        assert_eq!(ended.stderr.contains("the node was off"), off > 0, "{}", ended.stderr);
        verify(directory.path());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_the_future_goes_on_from_there() {
    let directory = TempDir::new().unwrap();
    written_at(directory.path(), now().plus_milliseconds(20 * 365 * DAY)).await;
    let node = Node::start(directory.path(), &[]);
    let api = Api::of(&node);
    a_short_hold_runs_out(&api, 2).await;
    assert!(metric(&api, "onhand_clock_ahead_seconds").await < -19.0 * 365.0 * 86_400.0);
    assert!(metric(&api, "onhand_clock_leaps_total").await < 1.0);
    assert!(node.process.said("stderr").contains("the wall clock is not where it should be"));
    node.stop();
    verify(directory.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wall_clock_that_is_years_ahead_at_a_start_is_not_believed_at_once() {
    let directory = TempDir::new().unwrap();
    written_at(directory.path(), now().plus_milliseconds(-365 * DAY)).await;
    let node = Node::start(directory.path(), &[]);
    let api = Api::of(&node);
    a_short_hold_runs_out(&api, 2).await;
    assert!(metric(&api, "onhand_clock_ahead_seconds").await > 364.0 * 86_400.0);
    assert!(metric(&api, "onhand_clock_jumps_total").await >= 1.0);
    assert_eq!(signs(&api).await, 0);
    node.stop();
    verify(directory.path());
}
