//! Stories of retries across single commands and batches.

use crate::node::{World, adjust, at_once, keyed, qty, rejection, reserve, stock};
use onhand_app::ports::{AppendError, Clock, NewEntry};
use onhand_app::{CommandError, Meta, Outcome};
use onhand_domain::stock::{Batch, Commit, Operation, Verb};
use onhand_domain::{Command, Expected, Idempotency, Rejection, ReservationId, Sequence};
use onhand_sim::node::SimSettings;
use std::pin::pin;
use std::task::{Context, Waker};

fn operation(command: Command, meta: &Meta) -> Operation {
    let Command::Stock(command) = command else { panic!("an operation is one movement") };
    Operation { command, idempotency: meta.idempotency.clone(), known: None }
}

fn batch(atomic: bool, operations: Vec<Operation>) -> Command {
    Command::Batch(Batch { atomic, operations })
}

fn kinds(outcome: &Outcome) -> Vec<&'static str> {
    outcome.events.iter().map(|event| event.kind.as_str()).collect()
}

fn commit_and_close(id: &str, pieces: i64) -> Command {
    let reservation_id = ReservationId::new(id).unwrap();
    let verb = Verb::Commit(Commit { reservation_id, qty: Some(qty(pieces)), close_remainder: true });
    Command::Stock(stock("A", Expected::Any, verb))
}

#[tokio::test]
async fn an_operation_of_a_batch_retried_alone_is_answered_alone() {
    let world = World::new(SimSettings::default());
    let node = world.open();
    node.execute(adjust("A", 9), &Meta::default()).await.unwrap();
    node.execute(reserve("A", 5, "r-1", None), &Meta::default()).await.unwrap();
    let (key, alone) = (keyed("k", "commit"), || commit_and_close("r-1", 3));
    let operations = vec![
        operation(adjust("B", 1), &Meta::default()),
        operation(alone(), &key),
        operation(adjust("B", 1), &Meta::default()),
    ];
    let all = node.execute(batch(true, operations), &keyed("all", "all")).await.unwrap();
    assert_eq!(kinds(&all), ["ADJUST", "COMMIT", "RELEASE", "ADJUST"]);
    let again = node.execute(alone(), &key).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.events, all.events[1..3], "the other operations are nobody's business here");
    assert_eq!((again.sequence, again.unapplied.len()), (all.sequence.plus(1), 0));
}

#[tokio::test]
async fn a_command_retried_in_a_batch_is_answered_by_its_own_event_and_not_by_an_expiry_in_front() {
    let world = World::new(SimSettings::default());
    let node = world.open();
    node.execute(adjust("A", 9), &Meta::default()).await.unwrap();
    node.execute(reserve("A", 5, "r-1", Some(1)), &Meta::default()).await.unwrap();
    world.clock.pass(1_000);
    let key = keyed("k", "adjust");
    let first = node.execute(adjust("A", 2), &key).await.unwrap();
    assert_eq!(kinds(&first), ["EXPIRE", "ADJUST"]);
    let again = node.execute(batch(true, vec![operation(adjust("A", 2), &key)]), &Meta::default()).await;
    assert_eq!(again.unwrap().replays, [(0, first.events[1].clone())]);
}

#[tokio::test]
async fn a_key_is_not_called_used_before_its_use_is_durable() {
    let world = World::new(SimSettings::default());
    let node = world.open();
    node.execute(adjust("B", 1), &Meta::default()).await.unwrap();
    let one = keyed("k", "one");
    let mut first = pin!(node.ledger.execute(adjust("A", 1), &one));
    let mut context = Context::from_waker(Waker::noop());
    assert!(first.as_mut().poll(&mut context).is_pending(), "it waits for the disk");

    let (other, meta) = (adjust("A", 2), keyed("k", "two"));
    assert!(at_once(&node, other.clone(), &meta).is_pending(), "a crash could still take the key back");
    let in_batch = |atomic| batch(atomic, vec![operation(adjust("B", 2), &meta)]);
    assert!(at_once(&node, in_batch(true), &Meta::default()).is_pending());
    assert!(at_once(&node, in_batch(false), &Meta::default()).is_pending());

    node.write_waiting().unwrap();
    assert_eq!(rejection(node.execute(other, &meta).await), Rejection::IdempotencyKeyReused);
    assert_eq!(node.drive(first).await.unwrap().sequence, Sequence(2));
}

#[tokio::test]
async fn a_decision_does_not_enter_the_log_behind_the_time_it_was_made_for() {
    let world = World::new(SimSettings::default());
    let node = world.open();
    let decided_at = world.clock.now();
    world.clock.pass(1_000);
    let done = node.execute(adjust("A", 1), &Meta::default()).await.unwrap();
    let entry = |valid_before| NewEntry {
        generation: node.ledger.log().durable().generation(),
        decided_at,
        valid_before: Some(valid_before),
        actor: None,
        request_id: None,
        idempotency: None,
        events: &done.events,
        unapplied: &[],
    };
    let append = |valid_before| node.ledger.log().append(&entry(valid_before)).map(|appended| appended.at);
    assert_eq!(append(done.at), Err(AppendError::Stale), "a hold has fallen due meanwhile");
    assert_eq!(append(done.at.plus_milliseconds(1)), Ok(done.at), "log time does not go back");
}

#[tokio::test]
async fn one_key_on_two_operations_of_a_batch_is_a_mistake() {
    let world = World::new(SimSettings::default());
    let node = world.open();
    let key: Option<Idempotency> = keyed("k", "one").idempotency;
    let meta = Meta { idempotency: key, ..Meta::default() };
    let twice = || vec![operation(adjust("A", 1), &meta), operation(adjust("A", 1), &meta)];
    match node.execute(batch(true, twice()), &Meta::default()).await {
        Err(CommandError::Refused(refusal)) => {
            assert_eq!((refusal.op, refusal.rejection), (Some(1), Rejection::IdempotencyKeyReused));
        }
        other => panic!("{other:?}"),
    }
    let each = node.execute(batch(false, twice()), &Meta::default()).await.unwrap();
    assert_eq!((each.events.len(), each.unapplied[0].op), (1, 1));
}
