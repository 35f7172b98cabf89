//! A draft over states of which another log of the ledger moved some last.

use super::many::batch;
use super::{NOON, Shop, adjust, keys, movement, on, reserve, reserve_for};
use onhand_domain::Expected::{Any, Version};
use onhand_domain::imports::ImportRows;
use onhand_domain::{
    Command, Draft, EventKind, Fact, Finished, ImportId, Refusal, State, StateRecord, Timestamp, decide,
};
use uuid::Uuid;

/// Decides on states of which those at the given positions are foreign, under the given epoch.
fn ask(shop: &mut Shop, foreign: &[Option<u64>], command: &Command) -> (Finished, Result<(), Refusal>) {
    let keys = keys();
    let mut count = 100;
    let mut new_id = || {
        count += 1;
        Uuid::from_u128(count)
    };
    let states = shop.states.iter_mut().collect();
    let now = Timestamp::from_milliseconds(shop.now);
    let mut draft = Draft::new(now, &keys, states, &mut new_id).taking(foreign.to_vec());
    assert!(draft.expire_due(1_000));
    let decided = decide(&mut draft, command);
    (draft.finish(), decided)
}

/// Kind, the operation it belongs to, and the version after it.
fn told(finished: &Finished) -> Vec<(EventKind, Option<u32>, u64)> {
    finished.events.iter().map(|event| (event.kind, event.op, event.after.version())).collect()
}

fn given() -> Shop {
    let mut shop = Shop::given(&[adjust(5), reserve("r-0", 2)]);
    shop.now = NOON + 60_000;
    shop
}

#[test]
fn a_state_of_another_log_is_taken_over_before_the_first_event() {
    let mut shop = given();
    let before = shop.states[0].clone();
    let (finished, decided) = ask(&mut shop, &[Some(7)], &on("A", Version(2), adjust(1)));
    assert_eq!(decided, Ok(()));
    assert_eq!(told(&finished), [(EventKind::Take, None, 2), (EventKind::Adjust, None, 3)]);
    assert_eq!(finished.taken().collect::<Vec<_>>(), [0]);
    let Fact::Take(taken) = &finished.events[0].fact else { panic!() };
    assert_eq!((taken.epoch, &taken.state), (7, &before.record(&keys()[0])));
    assert_ne!(finished.events[0].event_id, finished.events[1].event_id);
    // These events alone reproduce the state from nothing.
    let mut alone = State::absent(&keys()[0]);
    for event in &finished.events {
        alone.apply(&event.fact, Timestamp::from_milliseconds(shop.now)).unwrap();
        assert_eq!(alone.after(), event.after);
    }
    assert_eq!(alone, shop.states[0]);
}

#[test]
fn a_rejected_command_takes_nothing_over() {
    let mut shop = given();
    let before = shop.states.clone();
    let (finished, decided) = ask(&mut shop, &[Some(7), Some(8)], &on("A", Version(1), adjust(1)));
    assert!(decided.is_err() && finished.events.is_empty());
    assert_eq!(shop.states, before);
    let (finished, decided) = ask(&mut shop, &[Some(7)], &on("B", Any, adjust(1)));
    assert_eq!((decided, told(&finished)), (Ok(()), vec![(EventKind::Adjust, None, 1)]), "A is not moved");
}

#[test]
fn a_batch_takes_over_once_and_again_after_it_went_back() {
    let on = |sku, delta| movement(sku, Any, adjust(delta));
    let mut shop = given();
    let operations = vec![on("A", -9), on("B", 4), on("A", 1), on("A", 1), on("B", 1)];
    let (finished, _) = ask(&mut shop, &[Some(7), Some(8)], &batch(false, operations));
    let owed = [
        (EventKind::Take, None, 0),
        (EventKind::Adjust, Some(1), 1),
        (EventKind::Take, None, 2),
        (EventKind::Adjust, Some(2), 3),
        (EventKind::Adjust, Some(3), 4),
        (EventKind::Adjust, Some(4), 2),
    ];
    assert_eq!(told(&finished), owed);
    assert_eq!(finished.taken().collect::<Vec<_>>(), [1, 0]);
    let mut shop = given();
    let before = shop.states.clone();
    let operations = vec![on("A", 1), on("B", 4), on("A", -9)];
    let (finished, decided) = ask(&mut shop, &[Some(7), Some(8)], &batch(true, operations));
    assert!(decided.is_err() && finished.events.is_empty());
    assert_eq!((finished.taken().count(), &shop.states), (0, &before));
}

#[test]
fn a_takeover_is_repeated_after_a_rollback() {
    let (mut shop, keys) = (given(), keys());
    let before = shop.states.clone();
    let mut new_id = Uuid::nil;
    let now = Timestamp::from_milliseconds(shop.now);
    let states = shop.states.iter_mut().collect();
    let mut draft = Draft::new(now, &keys, states, &mut new_id).taking(vec![Some(7), None]);
    let start = draft.mark();
    decide(&mut draft, &on("A", Any, adjust(1))).unwrap();
    let taken = draft.mark();
    decide(&mut draft, &on("A", Any, adjust(1))).unwrap();
    draft.roll_back(taken);
    assert_eq!(draft.events().len(), 2, "the take stays with what follows it");
    draft.roll_back(start);
    decide(&mut draft, &on("A", Any, adjust(2))).unwrap();
    let Some(Fact::Take(again)) = draft.events().first().map(|event| &event.fact) else { panic!() };
    assert_eq!(again.epoch, 7);
    assert!(matches!(&again.state, StateRecord::Level(level) if level.version == 2));
    draft.abandon();
    assert_eq!(shop.states, before);
}

#[test]
fn expiries_and_imports_take_over_too() {
    let mut shop = given();
    shop.ask(&on("A", Any, reserve_for("r-1", 1, 10))).unwrap();
    shop.now += 20_000;
    let (finished, _) = ask(&mut shop, &[Some(7)], &on("A", Any, adjust(1)));
    let owed = [(EventKind::Take, None, 3), (EventKind::Expire, None, 4), (EventKind::Adjust, None, 5)];
    assert_eq!(told(&finished), owed);
    let import_id = ImportId::new("I").unwrap();
    let step = ImportRows { import_id, after_row: 0, through_row: 2, last: true, rows: vec![], is_own: true };
    let (finished, _) = ask(&mut shop, &[None, None, Some(9)], &Command::Import(step));
    assert_eq!(told(&finished), [(EventKind::Take, None, 0), (EventKind::Import, None, 1)]);
}
