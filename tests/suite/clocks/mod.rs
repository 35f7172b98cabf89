//! Wall clocks that jump: a hold expires after the time it was granted, or behind a sign in the log.

mod property;

use crate::node::{World, adjust, level, reserve};
use crate::rules;
use onhand_app::ports::Clock;
use onhand_app::{APART_MS, FAR_MS, Meta, SETTLE, SETTLE_FAR, TimeNews};
use onhand_domain::{Fact, Timestamp};
use onhand_sim::node::{SimNode, SimSettings};
use onhand_sim_machine::disk::{Crash, DiskOperation, Fault, Injection};

const YEARS: i64 = 73 * 365 * 24 * 3_600_000;
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn world() -> World {
    World::new(SimSettings::default())
}

async fn go(node: &SimNode, sku: &str) {
    node.execute(adjust(sku, 10), &Meta::default()).await.unwrap();
}

async fn hold(node: &SimNode, id: &str, ttl_seconds: i64) {
    node.execute(reserve("A", 1, id, Some(ttl_seconds)), &Meta::default()).await.unwrap();
}

async fn news(node: &SimNode) -> Option<TimeNews> {
    node.keep_time().await.unwrap().news
}

async fn reserved(node: &SimNode) -> i64 {
    node.drive(node.ledger.expire_due()).await.unwrap();
    level(node, "A").await.unwrap().2
}

fn kinds(world: &World) -> Vec<&'static str> {
    let entries = rules::entries(&world.disk);
    entries.iter().flat_map(|entry| &entry.events).map(|event| event.kind.as_str()).collect()
}

#[tokio::test]
async fn a_jump_ahead_that_is_reverted_has_no_effect() {
    let world = world();
    let node = world.open();
    go(&node, "A").await;
    hold(&node, "r", 600).await;
    world.clock.jump(YEARS);
    assert_eq!(news(&node).await, Some(TimeNews::Apart));
    assert_eq!((news(&node).await, reserved(&node).await), (None, 1), "told once; the hold stands");
    world.clock.pass(599_000);
    assert_eq!(reserved(&node).await, 1);
    world.clock.jump(-YEARS);
    assert_eq!((news(&node).await, reserved(&node).await), (Some(TimeNews::Together), 1));
    world.clock.pass(1_000);
    assert_eq!(reserved(&node).await, 0, "its time has passed");
    assert_eq!(kinds(&world), ["ADJUST", "RESERVE", "EXPIRE"]);
    let expired = rules::entries(&world.disk)[2].at;
    assert_eq!(expired, world.clock.now(), "and the log has never left the wall clock");
}

#[tokio::test]
async fn a_clock_that_stays_ahead_is_believed_in_the_end_and_the_log_says_so_first() {
    for (jump, settle) in [(10 * DAY, SETTLE), (YEARS, SETTLE_FAR)] {
        let world = world();
        let node = world.open();
        go(&node, "A").await;
        hold(&node, "r", 100 * 24 * 3_600).await;
        let began = world.clock.now();
        world.clock.jump(jump);
        assert_eq!(news(&node).await, Some(TimeNews::Apart));
        let settle = i64::try_from(settle.as_millis()).unwrap();
        world.clock.pass(settle - 1);
        assert_eq!((news(&node).await, reserved(&node).await), (None, 1));
        world.clock.pass(1);
        let from = began.plus_milliseconds(settle);
        let to = from.plus_milliseconds(jump);
        assert_eq!(news(&node).await, Some(TimeNews::Leapt { from, to }));
        assert_eq!(reserved(&node).await, i64::from(jump < 100 * DAY));
        go(&node, "B").await;
        let entries = rules::entries(&world.disk);
        let sign = entries.iter().position(|entry| matches!(entry.events[0].fact, Fact::Clock(_))).unwrap();
        assert_eq!((entries[sign].at, entries[sign + 1].at), (from, to), "the sign has the old time");
        assert_eq!(news(&node).await, None);
        drop(node);
        // It is in snapshots, and is read back.
        world.disk.crash(Crash::ProcessKill);
        let node = world.open();
        assert_eq!((news(&node).await, level(&node, "B").await), (None, Some((10, 10, 0, 1))));
    }
}

#[tokio::test]
async fn a_jump_in_two_steps_is_settled_from_the_second_on() {
    let world = world();
    let node = world.open();
    go(&node, "A").await;
    let settle = i64::try_from(SETTLE.as_millis()).unwrap();
    for step in [HOUR, HOUR, -HOUR / 2] {
        world.clock.jump(step);
        assert_eq!(news(&node).await, Some(TimeNews::Apart));
        world.clock.pass(settle - 1);
        assert_eq!(news(&node).await, None);
    }
    world.clock.pass(1);
    assert!(matches!(news(&node).await, Some(TimeNews::Leapt { .. })));
}

#[tokio::test]
async fn a_clock_that_is_set_back_stops_nothing() {
    let world = world();
    let node = world.open();
    go(&node, "A").await;
    hold(&node, "r", 600).await;
    world.clock.jump(-YEARS);
    assert_eq!(news(&node).await, Some(TimeNews::Apart));
    world.clock.pass(599_999);
    assert_eq!(reserved(&node).await, 1);
    world.clock.pass(1);
    assert_eq!(reserved(&node).await, 0, "its time has passed");
    // The same when the offset is found at a start.
    hold(&node, "s", 600).await;
    drop(node);
    let node = world.open();
    assert_eq!(news(&node).await, Some(TimeNews::Apart));
    world.clock.pass(599_999);
    assert_eq!(reserved(&node).await, 1);
    world.clock.pass(1);
    assert_eq!(reserved(&node).await, 0);
    assert!(!kinds(&world).contains(&"CLOCK"));
    rules::check(&rules::entries(&world.disk));
}

#[tokio::test]
async fn a_start_takes_a_minute_believes_a_month_and_doubts_more() {
    for (off, signs, left) in [
        (APART_MS, 0, 1),
        (APART_MS + 1, 1, 1),
        (3 * DAY, 1, 0),
        (FAR_MS, 1, 0),
        (FAR_MS + 1, 0, 1),
        (YEARS, 0, 1),
        (-YEARS, 0, 1),
    ] {
        let world = world();
        let node = world.open();
        go(&node, "A").await;
        hold(&node, "r", 7_200).await;
        drop(node);
        world.clock.jump(off);
        let node = world.open();
        assert_eq!(reserved(&node).await, 1, "{off}: before the sign nothing expires");
        let _ = news(&node).await;
        assert_eq!(reserved(&node).await, left, "{off}");
        let told = kinds(&world).iter().filter(|kind| **kind == "CLOCK").count();
        assert_eq!(told, signs, "{off}: {:?}", kinds(&world));
    }
}

#[tokio::test]
async fn a_leap_whose_sign_is_not_durable_does_not_happen() {
    for fault in [Fault::Eio, Fault::NoSpace] {
        let world = world();
        let node = world.open();
        go(&node, "A").await;
        hold(&node, "r", 7_200).await;
        world.clock.jump(DAY);
        news(&node).await;
        world.clock.pass(i64::try_from(SETTLE.as_millis()).unwrap());
        let before = kinds(&world);
        world.disk.inject(Injection::at(1, fault).only(DiskOperation::SyncData));
        node.keep_time().await.unwrap_err();
        node.probe().unwrap();
        assert_eq!(reserved(&node).await, 1, "it has time left");
        assert_eq!(kinds(&world), before);
        assert!(matches!(news(&node).await, Some(TimeNews::Leapt { .. })));
        assert_eq!(reserved(&node).await, 0);
        assert_eq!(&kinds(&world)[before.len()..], ["CLOCK", "EXPIRE"]);
    }
}

#[tokio::test]
async fn small_differences_are_made_up_for_slowly() {
    let world = world();
    let node = world.open();
    go(&node, "A").await;
    for difference in [APART_MS, -APART_MS] {
        world.clock.jump(difference);
        let mut ahead = difference;
        for second in 0..70_000 {
            let seen = node.keep_time().await.unwrap();
            assert_eq!(seen.news, None);
            assert!((ahead - seen.ahead_ms).abs() <= 1, "{second}: {ahead} {}", seen.ahead_ms);
            ahead = seen.ahead_ms;
            world.clock.pass(1_000);
        }
        assert!(ahead.abs() <= 1, "{ahead}");
    }
}

#[tokio::test]
async fn a_clock_at_the_end_of_the_calendar_is_never_believed() {
    let world = world();
    let node = world.open();
    go(&node, "A").await;
    world.clock.set(Timestamp::from_milliseconds(i64::MAX));
    for _ in 0..3 {
        // The clock cannot go on, so it does not run evenly.
        assert_eq!(news(&node).await, Some(TimeNews::Apart));
        world.clock.pass(i64::try_from(SETTLE_FAR.as_millis()).unwrap());
    }
    go(&node, "A").await;
    assert_eq!(level(&node, "A").await, Some((20, 20, 0, 2)));
}
