//! Which process may change a level, and what the other one sees of it.

use super::{Machine, Process, TTL, adjust};
use crate::node::{keyed, rejection, reserve};
use onhand_app::ports::HistoryError;
use onhand_app::stock::ReadError;
use onhand_app::{CommandError, Meta};
use onhand_domain::stock::{Batch, Operation};
use onhand_domain::{Command, Expected, Rejection, Sku};
use onhand_file::audit::audit_directory;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::time::sleep;

async fn two() -> (Machine, Process, Process) {
    let machine = Machine::new();
    let (one, two) = (machine.begin().await, machine.begin().await);
    (machine, one, two)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_changes_hands_and_nothing_of_it_is_lost() {
    let (_machine, one, two) = two().await;
    one.adjust("TEA", 10).await.unwrap();
    assert_eq!(two.level("TEA").await, Some((10, 1)), "what one has acknowledged the other one shows");
    let taken = two.execute(adjust("TEA", -3, Expected::Version(1)), &Meta::default()).await.unwrap();
    assert_eq!(taken.events.len(), 2, "taken over, then changed: {taken:?}");
    assert_eq!(two.level("TEA").await, Some((7, 2)));
    assert_eq!(one.level("TEA").await, Some((7, 2)));
    one.adjust("TEA", 1).await.unwrap();
    two.adjust("TEA", 1).await.unwrap();
    let stale = one.execute(adjust("TEA", -1, Expected::Version(3)), &Meta::default()).await;
    assert!(matches!(rejection(stale), Rejection::VersionConflict { current_version: 4 }));
    let too_much = one.adjust("TEA", -10).await;
    assert!(matches!(rejection(too_much), Rejection::InsufficientStock { .. }));
    assert_eq!((one.level("TEA").await, two.level("TEA").await), (Some((9, 4)), Some((9, 4))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_at_the_other_process_replays() {
    let (_machine, one, two) = two().await;
    let first = one.execute(adjust("TEA", 10, Expected::Any), &keyed("k", "10")).await.unwrap();
    let again = two.execute(adjust("TEA", 10, Expected::Any), &keyed("k", "10")).await.unwrap();
    assert!(again.replayed);
    assert_eq!((again.sequence, again.events), (first.sequence, first.events));
    let other = two.execute(adjust("TEA", 11, Expected::Any), &keyed("k", "11")).await;
    assert!(matches!(rejection(other), Rejection::IdempotencyKeyReused));
    assert_eq!(two.level("TEA").await, Some((10, 1)));
    // As an operation of a batch, and that batch again at the first.
    let operation = |sku: &str, key: &str| {
        let Command::Stock(command) = adjust(sku, 10, Expected::Any) else { unreachable!() };
        Operation { command, idempotency: keyed(key, "10").idempotency, known: None }
    };
    let batch = || {
        let operations = vec![operation("TEA", "k"), operation("MILK", "m")];
        Command::Batch(Batch { atomic: false, operations })
    };
    let done = two.execute(batch(), &keyed("b", "b")).await.unwrap();
    assert_eq!((done.events.len(), done.replays.len()), (1, 1));
    let replayed = one.execute(batch(), &keyed("b", "b")).await.unwrap();
    assert!(replayed.replayed);
    assert_eq!((replayed.events, replayed.replays), (done.events, done.replays));
}

/// The result of polling a future once.
async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    // As much as a task may do before it must yield.
    tokio::task::yield_now().await;
    std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}

/// Two attempts of one change, at two processes: the later one has seen that its key is unknown, and waits for the
/// mutex of the level while the lease goes to the other process and back.
#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_waited_while_the_other_one_was_made_elsewhere_replays() {
    let mut waited = 0;
    // A task that has used up its budget must yield as soon as it has the mutex of the level: at one of these numbers.
    for done in 124..=128 {
        let (_machine, one, two) = two().await;
        two.adjust("TEA", 10).await.unwrap();
        let mut holder = pin!(async {
            for _ in 0..done {
                tokio::task::consume_budget().await;
            }
            two.adjust("TEA", 1).await
        });
        let held = poll_once(holder.as_mut()).await;
        let free = tokio::time::timeout(Duration::from_millis(20), two.level("TEA")).await;
        let change = || adjust("TEA", -1, Expected::Any);
        let key = keyed("k", "-1");
        let mut late = pin!(two.execute(change(), &key));
        if free.is_err() && poll_once(late.as_mut()).await.is_pending() {
            waited += 1;
            let asked = async {
                sleep(TTL / 2).await;
                if held.is_pending() {
                    holder.await.unwrap();
                }
            };
            let ((), first, late) = tokio::join!(asked, one.execute(change(), &key), late);
            assert_eq!(first.unwrap().events.last(), late.unwrap().events.last(), "one change");
            assert_eq!(two.level("TEA").await, Some((10, 3)));
        }
    }
    assert_ne!(waited, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_was_killed_is_taken_over_from_at_once_with_all_it_had_acknowledged() {
    let (machine, one, two) = two().await;
    one.adjust("TEA", 10).await.unwrap();
    one.adjust("TEA", 5).await.unwrap();
    one.kill().await;
    two.adjust("TEA", -1).await.unwrap();
    assert_eq!(two.level("TEA").await, Some((14, 3)));
    let again = machine.begin().await;
    assert_eq!(again.level("TEA").await, Some((14, 3)));
    again.adjust("TEA", -1).await.unwrap();
    assert_eq!(two.level("TEA").await, Some((13, 4)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_paused_past_its_term_acknowledges_nothing() {
    let machine = Machine::new();
    let mut one = machine.begin_by_hand().await;
    let two = machine.begin().await;
    let change = one.adjust("TEA", 10);
    let written = async {
        while one.ledger.log().queue_depth() == 0 {
            sleep(Duration::from_millis(1)).await;
        }
        one.log.write_waiting().unwrap();
    };
    let (changed, ()) = tokio::join!(change, written);
    changed.unwrap();
    // The next one is in progress when the process stops.
    let ledger = Arc::clone(&one.ledger);
    let late = tokio::spawn(async move {
        ledger.execute(adjust("TEA", -10, Expected::Any), &keyed("late", "-10")).await
    });
    while one.ledger.log().queue_depth() == 0 {
        sleep(Duration::from_millis(1)).await;
    }
    one.pause().await;
    two.adjust("TEA", -8).await.unwrap();
    assert_eq!(two.level("TEA").await, Some((2, 2)));
    // It resumes, and finds its term over.
    one.log.write_waiting().unwrap_err();
    assert!(matches!(late.await.unwrap(), Err(CommandError::OutcomeUnknown)));
    assert!(one.log.probe().is_err(), "and it does not come back");
    let more = one.adjust("TEA", 1).await;
    assert!(
        matches!(more, Err(CommandError::ReadOnly | CommandError::History(HistoryError::TakenOver))),
        "{more:?}"
    );
    let read = one.ledger.level(&super::store(), &Sku::new("TEA").unwrap()).await;
    assert!(matches!(read, Err(ReadError::History(HistoryError::TakenOver))), "{read:?}");
    drop(one);
    // The retry, at the other process and at its own next start: it had not happened, and cannot any more.
    let retry = two.execute(adjust("TEA", -10, Expected::Any), &keyed("late", "-10")).await;
    assert!(matches!(rejection(retry), Rejection::InsufficientStock { .. }));
    let again = machine.begin().await;
    assert_eq!(again.level("TEA").await, Some((2, 2)));
    again.adjust("TEA", 1).await.unwrap();
    assert_eq!(two.level("TEA").await, Some((3, 3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_was_taken_over_from_gives_no_rejections() {
    let (_machine, mut one, two) = two().await;
    one.adjust("TEA", 1).await.unwrap();
    one.pause().await;
    two.adjust("TEA", 9).await.unwrap();
    let refused = one.adjust("TEA", -5).await;
    assert!(
        matches!(refused, Err(CommandError::History(HistoryError::TakenOver))),
        "by what it has in memory: {refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_a_living_process_keeps_is_contended() {
    let machine = Machine::new();
    let one = machine.begin_by_hand().await;
    let two = machine.begin().await;
    // It renews, but its disk does not finish the change.
    let ledger = Arc::clone(&one.ledger);
    let change =
        tokio::spawn(async move { ledger.execute(adjust("TEA", 1, Expected::Any), &Meta::default()).await });
    while one.ledger.log().queue_depth() == 0 {
        sleep(Duration::from_millis(1)).await;
    }
    let refused = two.adjust("TEA", 1).await;
    assert!(matches!(refused, Err(CommandError::Contended)), "{refused:?}");
    one.log.write_waiting().unwrap();
    change.await.unwrap().unwrap();
    two.adjust("TEA", 1).await.unwrap();
    assert_eq!(two.level("TEA").await, Some((2, 2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_process_releases_its_leases() {
    let (machine, one, two) = two().await;
    one.adjust("TEA", 10).await.unwrap();
    one.stop().await;
    let begun = std::time::Instant::now();
    two.adjust("TEA", 1).await.unwrap();
    assert!(begun.elapsed() < TTL, "without waiting for them to expire");
    assert_eq!(machine.begin().await.level("TEA").await, Some((11, 2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_expires_once_at_any_lease_holder() {
    let (machine, one, mut two) = two().await;
    one.adjust("TEA", 10).await.unwrap();
    two.execute(reserve("TEA", 4, "r", Some(10)), &Meta::default()).await.unwrap();
    two.pause().await;
    machine.clock.pass(11_000);
    // Only the remaining process handles it, once the other one's time is over.
    let mut waited = Duration::ZERO;
    while one.level("TEA").await != Some((10, 3)) {
        sleep(Duration::from_millis(5)).await;
        machine.clock.pass(5);
        waited += Duration::from_millis(5);
        assert!(waited < Duration::from_secs(20), "it never expired: {:?}", one.level("TEA").await);
    }
    sleep(TTL).await;
    assert_eq!(one.level("TEA").await, Some((10, 3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_is_unreadable_or_lost_is_asked_about() {
    let (machine, one, two) = two().await;
    let path = std::path::Path::new("/data/locks/LONDON~TEA");
    one.adjust("TEA", 10).await.unwrap();
    let forged = |json: &str| format!("{:08x} {json}\n", crc32c::crc32c(json.as_bytes()));
    let contents = [
        String::new(),
        "\0\0\0\0".to_owned(),
        "garbage\n".to_owned(),
        "00000000 {\"epoch\":3,\"holder\":{\"node\":77,\"term\":1}}\n".to_owned(),
        // A valid lease, but with an epoch that these processes do not know.
        forged("{\"epoch\":99999999999999999,\"holder\":{\"node\":77,\"term\":1}}"),
        forged("{\"epoch\":18446744073709551615,\"holder\":{\"node\":77,\"term\":1}}"),
        forged("{\"epoch\":18446744073709551615}"),
    ];
    for (place, content) in contents.iter().enumerate() {
        machine.disk.put(path, content.as_bytes());
        let process = if place % 2 == 0 { &two } else { &one };
        process.adjust("TEA", 1).await.unwrap();
        let sum = 11 + i64::try_from(place).unwrap();
        assert_eq!(one.level("TEA").await, Some((sum, 2 + place as u64)));
        assert_eq!(two.level("TEA").await, one.level("TEA").await);
    }
    onhand_disk::Disk::remove(&machine.disk, path).unwrap();
    one.adjust("TEA", 1).await.unwrap();
    two.adjust("TEA", 1).await.unwrap();
    assert_eq!(two.level("TEA").await, Some((19, 10)));
    one.stop().await;
    two.stop().await;
    let audit = audit_directory(&machine.disk, &Machine::layout()).unwrap();
    let found: Vec<_> = audit.findings().map(|finding| &finding.what).collect();
    assert!(found.is_empty(), "one at a time, under epochs that rise: {found:?}");
}
