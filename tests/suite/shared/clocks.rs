//! Processes whose wall clocks differ: they have one log time, which no joiner and no writer moves for the others.

use super::{Machine, Process, adjust};
use crate::node::{keyed, reserve};
use onhand_app::Meta;
use onhand_app::ports::{Clock, Moment};
use onhand_domain::{Expected, Sku, Timestamp};
use std::time::Duration;

const MINUTE_MS: i64 = 60_000;
const YEARS_MS: i64 = 10 * 365 * 24 * 60 * MINUTE_MS;

impl Machine {
    async fn begin_with_clock(&self, milliseconds_ahead: i64) -> Process {
        let process = self.begin_ahead(milliseconds_ahead).await;
        process.log.start(Duration::from_millis(5), |_| {}).unwrap();
        process.ledger.keep_time().await.unwrap();
        process
    }
}

impl Process {
    /// Pieces of TEA that are held, and the time of the level's last change.
    async fn reserved(&self) -> (i64, Timestamp) {
        let level = self.ledger.level(&super::store(), &Sku::new("TEA").unwrap()).await.unwrap().unwrap();
        (level.numbers.reserved.get(), level.updated_at)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_at_a_joiner_whose_clock_is_ahead_replays() {
    for ahead in [-10 * MINUTE_MS, 30_000, 10 * MINUTE_MS, YEARS_MS] {
        let machine = Machine::new();
        let one = machine.begin().await;
        one.execute(adjust("TEA", 10, Expected::Any), &keyed("k", "10")).await.unwrap();
        machine.clock.pass(2_000);
        let two = machine.begin_with_clock(ahead).await;
        let again = two.execute(adjust("TEA", 10, Expected::Any), &keyed("k", "10")).await.unwrap();
        assert!(again.replayed, "{ahead}");
        assert_eq!(one.level("TEA").await, Some((10, 1)), "{ahead}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_lives_as_long_as_granted_whichever_process_writes() {
    for ahead in [-10 * MINUTE_MS, -30_000, 30_000, 10 * MINUTE_MS, YEARS_MS] {
        let machine = Machine::new();
        let one = machine.begin().await;
        one.adjust("TEA", 10).await.unwrap();
        one.execute(reserve("TEA", 4, "r", Some(20)), &Meta::default()).await.unwrap();
        let two = machine.begin_with_clock(ahead).await;
        two.execute(reserve("TEA", 3, "s", Some(20)), &Meta::default()).await.unwrap();
        one.adjust("MILK", 1).await.unwrap();
        two.adjust("SALT", 1).await.unwrap();
        machine.clock.pass(15_000);
        one.adjust("MILK", 1).await.unwrap();
        two.adjust("SALT", 1).await.unwrap();
        for process in [&one, &two] {
            let (reserved, _) = process.reserved().await;
            assert_eq!(reserved, 7, "both holds are open after 15 s, with a clock that is {ahead} ms ahead");
        }
        machine.clock.pass(6_000);
        two.adjust("TEA", 1).await.unwrap();
        let (reserved, _) = one.reserved().await;
        assert_eq!(reserved, 0, "and over after 21 s, with a clock that is {ahead} ms ahead");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_times_of_one_level_never_go_back() {
    let machine = Machine::new();
    let one = machine.begin_with_clock(50_000).await;
    one.adjust("TEA", 10).await.unwrap();
    let two = machine.begin_with_clock(0).await;
    let (_, mut last) = one.reserved().await;
    let mut times = vec![last];
    for turn in 0..6 {
        machine.clock.pass(700);
        let process = if turn % 2 == 0 { &two } else { &one };
        let at = process.adjust("TEA", 1).await.unwrap().at;
        let passed = at.milliseconds() - last.milliseconds();
        assert!((700..2_700).contains(&passed), "it goes on at pace: {passed} ms");
        last = at;
        times.push(at);
    }
    machine.clock.pass(1_000);
    let (store, sku) = (super::store(), Sku::new("TEA").unwrap());
    for (version, at) in (1..).zip(times) {
        for process in [&one, &two] {
            let then = process.ledger.level_as_of(&store, &sku, Moment::Time(at)).await.unwrap().unwrap();
            assert_eq!(then.numbers.version, version, "as of {at}, whichever log has it");
            let before = at.plus_milliseconds(-1);
            let then = process.ledger.level_as_of(&store, &sku, Moment::Time(before)).await.unwrap();
            assert_eq!(then.map_or(0, |then| then.numbers.version), version - 1, "as of {before}");
        }
    }
}

/// All running processes are stopped for a while; a process that joins then counts that time, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_joiner_counts_the_time_for_which_all_others_were_paused() {
    let machine = Machine::new();
    let mut one = machine.begin().await;
    one.adjust("TEA", 10).await.unwrap();
    one.execute(reserve("TEA", 4, "r", Some(8)), &Meta::default()).await.unwrap();
    one.pause().await;
    machine.clock.pass(12_000);
    let two = machine.begin_with_clock(10 * MINUTE_MS).await;
    two.adjust("MILK", 10).await.unwrap();
    let at = two.execute(reserve("MILK", 4, "s", Some(10)), &Meta::default()).await.unwrap().at;
    let behind = machine.clock.now().milliseconds() - at.milliseconds();
    assert!((-1_000..2_000).contains(&behind), "{behind} ms behind");
    one.go_on();
    one.adjust("SALT", 1).await.unwrap();
    let last = two.adjust("MILK", 1).await.unwrap();
    assert_eq!(last.events.len(), 1, "the hold of 10 s is open: {last:?}");
    two.adjust("TEA", 1).await.unwrap();
    assert_eq!(two.reserved().await.0, 0, "the hold of 8 s is not");
}

/// Log time goes on after the last entry: a process that joins later continues from the time of the others.
#[tokio::test(flavor = "multi_thread")]
async fn a_joiner_goes_on_from_where_the_others_are_by_now() {
    let machine = Machine::new();
    let one = machine.begin().await;
    one.adjust("TEA", 10).await.unwrap();
    machine.clock.pass(10 * MINUTE_MS);
    // It has renewed its leases since.
    let begun = machine.clock.monotonic();
    while machine.clock.monotonic() < begun + Duration::from_millis(100) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let two = machine.begin_with_clock(-10 * MINUTE_MS).await;
    let at = two.adjust("MILK", 1).await.unwrap().at;
    let behind = machine.clock.now().milliseconds() - at.milliseconds();
    assert!((-1_000..2_000).contains(&behind), "{behind} ms behind");
}
