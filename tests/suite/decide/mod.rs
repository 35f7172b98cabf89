//! Every rejection of every verb: after these events of a level, this command has that answer.

mod belonging;
mod identity;
mod listed;
mod many;
mod products;
mod stock;
mod taking;

use crate::node::qty;
use onhand_domain::stock::{Commit, CountAsOf, Reserve, StockCommand, Verb};
use onhand_domain::{
    After, Command, Draft, Expected, ImportId, Key, Refusal, Rejection, ReservationId, Sequence, Sku, State,
    StoreId, Timestamp, Unapplied, decide,
};
use uuid::Uuid;

pub(crate) const NOON: i64 = 1_795_190_400_000;

/// One store with a level `A`, a level `B` and an import `I`, without a log.
#[derive(Clone)]
pub(crate) struct Shop {
    pub(crate) now: i64,
    pub(crate) states: Vec<State>,
}

/// (on hand, reserved, version)
pub(crate) type Numbers = (i64, i64, u64);

fn store() -> StoreId {
    StoreId::new("LONDON").unwrap()
}

pub(crate) fn keys() -> Vec<Key> {
    let level = |sku| Key::Level(store(), Sku::new(sku).unwrap());
    vec![level("A"), level("B"), Key::Import(ImportId::new("I").unwrap())]
}

impl Shop {
    pub(crate) fn new() -> Self {
        Self { now: NOON, states: keys().iter().map(State::absent).collect() }
    }

    /// Expires what is due and decides.
    pub(crate) fn ask(&mut self, command: &Command) -> Result<(Vec<Numbers>, Vec<Unapplied>), Refusal> {
        let (keys, mut count) = (keys(), 0);
        let mut new_id = || {
            count += 1;
            Uuid::from_u128(count)
        };
        let states = self.states.iter_mut().collect();
        let mut draft = Draft::new(Timestamp::from_milliseconds(self.now), &keys, states, &mut new_id);
        assert!(draft.expire_due(1_000));
        let (events, mark) = (draft.events().len(), draft.mark());
        let decided = decide(&mut draft, command);
        if decided.is_err() {
            assert_eq!(draft.mark(), mark, "a refusal leaves the draft as it was");
        }
        let finished = draft.finish();
        decided.map(|()| (finished.events[events..].iter().map(numbers).collect(), finished.unapplied))
    }

    fn given(verbs: &[Verb]) -> Self {
        let mut shop = Self::new();
        for verb in verbs {
            shop.ask(&on("A", Expected::Any, verb.clone())).unwrap();
            shop.now += 1_000;
        }
        shop
    }
}

fn numbers(event: &onhand_domain::Event) -> Numbers {
    match event.after {
        After::Level(after) => (after.on_hand.get(), after.reserved.get(), after.version),
        After::Import(after) => (after.applied.cast_signed(), after.refused.cast_signed(), after.version),
        other => (0, 0, other.version()),
    }
}

pub(crate) fn on(sku: &str, expected: Expected, verb: Verb) -> Command {
    Command::Stock(movement(sku, expected, verb))
}

pub(crate) fn movement(sku: &str, expected: Expected, verb: Verb) -> StockCommand {
    StockCommand { store_id: store(), sku: Sku::new(sku).unwrap(), expected, verb }
}

pub(crate) fn id(name: &str) -> ReservationId {
    ReservationId::new(name).unwrap()
}

fn adjust(delta: i64) -> Verb {
    Verb::Adjust { delta: qty(delta), reason: None, reference: None }
}

fn reserve(name: &str, pieces: i64) -> Verb {
    Verb::Reserve(Reserve { qty: qty(pieces), reservation_id: id(name), ttl_seconds: None, reference: None })
}

fn reserve_for(name: &str, pieces: i64, ttl: i64) -> Verb {
    let ttl_seconds = Some(ttl);
    Verb::Reserve(Reserve { qty: qty(pieces), reservation_id: id(name), ttl_seconds, reference: None })
}

fn release(name: &str, pieces: Option<i64>) -> Verb {
    Verb::Release { reservation_id: id(name), qty: pieces.map(qty) }
}

fn commit(name: &str, pieces: Option<i64>, close_remainder: bool) -> Verb {
    Verb::Commit(Commit { reservation_id: id(name), qty: pieces.map(qty), close_remainder })
}

fn count(counted: i64) -> Verb {
    Verb::Count { counted: qty(counted), as_of: None, reason: None }
}

fn count_as_of(counted: i64, booked: i64) -> Verb {
    let as_of = Some(CountAsOf { sequence: Sequence(7), on_hand: qty(booked) });
    Verb::Count { counted: qty(counted), as_of, reason: None }
}

fn conflict(current_version: u64) -> Rejection {
    Rejection::VersionConflict { current_version }
}

fn insufficient(available: i64, current_version: u64) -> Rejection {
    Rejection::InsufficientStock { available: qty(available), current_version }
}
