//! Stories of one node on the simulated disk: commands, retries, expiry, restarts.

use onhand_app::ports::Moment;
use onhand_app::{CommandError, Meta, Outcome, fingerprint};
use onhand_domain::stock::{Batch, Commit, Operation, Reserve, StockCommand, Verb};
use onhand_domain::{
    Command, Expected, Idempotency, Quantity, Rejection, ReservationId, Sequence, Sku, StoreId, Timestamp,
};
use onhand_sim::node::{SimNode, SimSettings};
pub(crate) use onhand_sim::world::World;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use tokio::task::coop::unconstrained;

pub(crate) fn qty(pieces: i64) -> Quantity {
    Quantity::new(pieces).unwrap()
}

pub(crate) fn stock(sku: &str, expected: Expected, verb: Verb) -> StockCommand {
    StockCommand { store_id: StoreId::new("LONDON").unwrap(), sku: Sku::new(sku).unwrap(), expected, verb }
}

pub(crate) fn adjust(sku: &str, delta: i64) -> Command {
    let verb = Verb::Adjust { delta: qty(delta), reason: None, reference: None };
    Command::Stock(stock(sku, Expected::Any, verb))
}

pub(crate) fn reserve(sku: &str, pieces: i64, id: &str, ttl_seconds: Option<i64>) -> Command {
    let reservation_id = ReservationId::new(id).unwrap();
    let wish = Reserve { qty: qty(pieces), reservation_id, ttl_seconds, reference: None };
    Command::Stock(stock(sku, Expected::Any, Verb::Reserve(wish)))
}

pub(crate) fn keyed(key: &str, payload: &str) -> Meta {
    let idempotency =
        Idempotency { key: key.into(), scope: "test".into(), fingerprint: fingerprint(payload.as_bytes()) };
    Meta { idempotency: Some(idempotency), ..Meta::default() }
}

pub(crate) fn rejection(outcome: Result<Outcome, CommandError>) -> Rejection {
    match outcome {
        Err(CommandError::Refused(refusal)) => refusal.rejection,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// Polls a new command once, without writing the log.
pub(crate) fn at_once(node: &SimNode, command: Command, meta: &Meta) -> Poll<Result<Outcome, CommandError>> {
    // Unconstrained: else tokio keeps every mutex locked after so many polls in one turn.
    let work = pin!(unconstrained(node.ledger.execute(command, meta)));
    work.poll(&mut Context::from_waker(Waker::noop()))
}

/// (qty, on hand, reserved, version)
pub(crate) async fn level(node: &SimNode, sku: &str) -> Option<(i64, i64, i64, u64)> {
    let (store, sku) = (StoreId::new("LONDON").unwrap(), Sku::new(sku).unwrap());
    let view = node.drive(node.ledger.level(&store, &sku)).await.unwrap()?;
    let numbers = view.numbers;
    Some((numbers.qty().get(), numbers.on_hand.get(), numbers.reserved.get(), numbers.version))
}

#[tokio::test]
async fn acknowledged_changes_survive_a_power_cut() {
    let world = World::new(SimSettings::default());
    let node = world.open();
    node.execute(adjust("A", 10), &Meta::default()).await.unwrap();
    node.execute(reserve("A", 3, "r-1", None), &Meta::default()).await.unwrap();
    assert_eq!(level(&node, "A").await, Some((7, 10, 3, 2)));
    drop(node);
    world.power_cut(1);
    let node = world.open();
    assert_eq!(level(&node, "A").await, Some((7, 10, 3, 2)));
    let verb = Verb::Commit(Commit {
        reservation_id: ReservationId::new("r-1").unwrap(),
        qty: Some(qty(2)),
        close_remainder: true,
    });
    let done = node.execute(Command::Stock(stock("A", Expected::Version(2), verb)), &Meta::default()).await;
    assert_eq!(done.unwrap().events.len(), 2);
    assert_eq!(level(&node, "A").await, Some((8, 8, 0, 4)));
}

#[tokio::test]
async fn a_retry_replays_the_first_answer_also_after_a_crash() {
    let world = World::new(SimSettings::default());
    let node = world.open();
    let first = node.execute(adjust("A", 10), &keyed("k", "10")).await.unwrap();
    let again = node.execute(adjust("A", 10), &keyed("k", "10")).await.unwrap();
    assert_eq!((again.sequence, again.replayed), (first.sequence, true));
    assert_eq!(again.events, first.events);
    assert_eq!(
        rejection(node.execute(adjust("A", 9), &keyed("k", "9")).await),
        Rejection::IdempotencyKeyReused
    );
    drop(node);
    world.power_cut(2);
    let node = world.open();
    let again = node.execute(adjust("A", 10), &keyed("k", "10")).await.unwrap();
    assert_eq!((again.sequence, again.replayed, again.events), (first.sequence, true, first.events));
    assert_eq!(level(&node, "A").await, Some((10, 10, 0, 1)));
    world.clock.pass(300_000);
    assert!(!node.execute(adjust("A", 10), &keyed("k", "10")).await.unwrap().replayed);
}

#[tokio::test]
async fn a_hold_expires_exactly_by_timer_or_by_command() {
    let world = World::new(SimSettings::default());
    let node = world.open();
    node.execute(adjust("A", 1), &Meta::default()).await.unwrap();
    node.execute(reserve("A", 1, "r-1", Some(10)), &Meta::default()).await.unwrap();
    world.clock.pass(9_999);
    let refused = node.execute(reserve("A", 1, "r-2", None), &Meta::default()).await;
    assert_eq!(
        rejection(refused),
        Rejection::InsufficientStock { available: Quantity::ZERO, current_version: 2 }
    );
    world.clock.pass(1);
    let done = node.execute(reserve("A", 1, "r-2", Some(5)), &Meta::default()).await.unwrap();
    assert_eq!(
        done.events.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>(),
        ["EXPIRE", "RESERVE"]
    );
    world.clock.pass(5_000);
    node.drive(node.ledger.expire_due()).await.unwrap();
    assert_eq!(level(&node, "A").await, Some((1, 1, 0, 5)));
}

#[tokio::test]
async fn a_hold_behind_a_released_one_still_expires_by_itself() {
    let world = World::new(SimSettings::default());
    let node = world.open();
    node.execute(adjust("A", 5), &Meta::default()).await.unwrap();
    node.execute(reserve("A", 1, "early", Some(10)), &Meta::default()).await.unwrap();
    node.execute(reserve("A", 2, "late", Some(20)), &Meta::default()).await.unwrap();
    let reservation_id = ReservationId::new("early").unwrap();
    let release = Verb::Release { reservation_id, qty: None };
    node.execute(Command::Stock(stock("A", Expected::Any, release)), &Meta::default()).await.unwrap();
    world.clock.pass(10_000);
    node.drive(node.ledger.expire_due()).await.unwrap();
    assert_eq!(level(&node, "A").await, Some((3, 5, 2, 4)));
    world.clock.pass(10_000);
    node.drive(node.ledger.expire_due()).await.unwrap();
    assert_eq!(level(&node, "A").await, Some((5, 5, 0, 5)));
}

#[tokio::test]
async fn a_hold_that_falls_due_while_the_queue_is_full_expires_once_there_is_room() {
    let world = World::new(SimSettings::default());
    let node = world.open();
    node.execute(adjust("A", 1), &Meta::default()).await.unwrap();
    node.execute(reserve("A", 1, "r", Some(10)), &Meta::default()).await.unwrap();
    world.clock.pass(10_000);
    let meta = Meta::default();
    let mut queued = 0;
    // Polled once and dropped: each change is queued, and nothing is written meanwhile.
    while at_once(&node, adjust("B", 1), &meta).is_pending() {
        queued += 1;
    }
    assert!(queued > 1_000, "the queue holds {queued}");
    let refused = node.ledger.expire_due().await;
    assert!(matches!(refused, Err(CommandError::Overloaded)), "{refused:?}");
    node.write_waiting().unwrap();
    node.drive(node.ledger.expire_due()).await.unwrap();
    assert_eq!(level(&node, "A").await, Some((1, 1, 0, 3)));
}

#[tokio::test]
async fn a_batch_is_decided_in_order_and_atomic_means_all_or_nothing() {
    let world = World::new(SimSettings::default());
    let node = world.open();
    node.execute(adjust("A", 5), &Meta::default()).await.unwrap();
    let operation = |command| match command {
        Command::Stock(command) => Operation { command, idempotency: None, known: None },
        _ => unreachable!(),
    };
    let operations: Vec<Operation> = vec![
        operation(reserve("A", 3, "r-1", None)),
        operation(reserve("A", 3, "r-2", None)),
        operation(adjust("B", 7)),
    ];
    let atomic = Command::Batch(Batch { atomic: true, operations: operations.clone() });
    match node.execute(atomic, &Meta::default()).await {
        Err(CommandError::Refused(refusal)) => assert_eq!(refusal.op, Some(1)),
        other => panic!("{other:?}"),
    }
    assert_eq!((level(&node, "A").await, level(&node, "B").await), (Some((5, 5, 0, 1)), None));
    let each = Command::Batch(Batch { atomic: false, operations });
    let first = node.execute(each.clone(), &keyed("b", "x")).await.unwrap();
    assert_eq!((first.events.len(), first.unapplied.len()), (2, 1));
    assert_eq!((level(&node, "A").await, level(&node, "B").await), (Some((2, 5, 3, 2)), Some((7, 7, 0, 1))));
    let again = node.execute(each, &keyed("b", "x")).await.unwrap();
    assert_eq!((again.events, again.unapplied), (first.events, first.unapplied));
}

#[tokio::test]
async fn snapshots_rotation_and_history_agree() {
    let settings = SimSettings { segment_bytes: 4_000, snapshot_every: 10, ..SimSettings::default() };
    let world = World::new(settings);
    let mut node = world.open();
    for round in 0..100 {
        world.clock.pass(1_000);
        node.execute(adjust(if round % 2 == 0 { "A" } else { "B" }, 1), &Meta::default()).await.unwrap();
        node.upkeep().unwrap();
    }
    let segments =
        world.disk.files().iter().filter(|path| path.extension().is_some_and(|e| e == "jsonl")).count();
    assert!(segments > 3, "{segments} segments");
    drop(node);
    world.power_cut(3);
    let node = world.open();
    assert_eq!(node.report.snapshot, Sequence(100), "{:?} {:?}", node.report, world.disk.files());
    assert_eq!(level(&node, "A").await, Some((50, 50, 0, 50)));
    let (store, sku) = (StoreId::new("LONDON").unwrap(), Sku::new("A").unwrap());
    for (moment, on_hand) in [(1, 1), (2, 1), (3, 2), (99, 50), (100, 50)] {
        let view =
            node.drive(node.ledger.level_as_of(&store, &sku, Moment::Sequence(Sequence(moment)))).await;
        assert_eq!(view.unwrap().unwrap().numbers.on_hand, qty(on_hand), "as of {moment}");
    }
    let start = Timestamp::parse("2026-11-20T16:00:00Z").unwrap();
    let view = node.drive(node.ledger.level_as_of(&store, &sku, Moment::Time(start.plus_seconds(3)))).await;
    assert_eq!(view.unwrap().unwrap().numbers.on_hand, qty(2));
}
