//! What is said to a node and what it says, in the words of the oracle.

use super::{Heard, place, said};
use crate::app::{CommandError, Meta, Outcome, fingerprint};
use crate::domain::stock::{Batch, Commit, Operation, Reserve, StockCommand, Verb};
use crate::domain::{
    After, Command, Event, EventKind, Expected, Fact, Idempotency, Key, Quantity, ReservationId, UnappliedWhy,
};
use crate::sim::oracle::{
    Act, Answer, Done, Expect, Happened, Oracle, Order, What, Wish, batch_payload, payload,
};

/// All SKUs there are in plays, in key order.
pub const CATALOGUE: [&str; 16] =
    ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O", "P"];

pub(in crate::sim) fn command(oracle: &Oracle, clock: i64, act: &Act) -> (Command, Meta) {
    let (command, idempotency) = match act {
        Act::One(order, key) => {
            let known_by = key.map(|key| known_by("one", key, &payload(order)));
            (Command::Stock(stock(oracle, clock, order)), known_by)
        }
        Act::Batch { atomic, items, key } => {
            let operation = |(order, key): &(Order, Option<u32>)| Operation {
                command: stock(oracle, clock, order),
                idempotency: key.map(|key| known_by("one", key, &payload(order))),
                known: None,
            };
            let known_by = key.map(|key| known_by("batch", key, &batch_payload(*atomic, items)));
            let operations = items.iter().map(operation).collect();
            (Command::Batch(Batch { atomic: *atomic, operations }), known_by)
        }
        Act::Say(saying, expect, key) => {
            let known_by = key.map(|key| known_by("say", key, &format!("{saying:?}")));
            (said::command(oracle, saying, *expect), known_by)
        }
        Act::Describe { update, products, key } => {
            let known_by = key.map(|key| known_by("describe", key, &format!("{update} {products:?}")));
            (said::many(oracle, *update, products), known_by)
        }
    };
    (command, Meta { idempotency, ..Meta::default() })
}

fn known_by(scope: &str, key: u32, payload: &str) -> Idempotency {
    Idempotency {
        key: format!("k-{key}").into(),
        scope: scope.into(),
        fingerprint: fingerprint(payload.as_bytes()),
    }
}

/// What the caller knows of a version that is this one.
pub(super) const fn expected(expect: Expect, version: u64) -> Expected {
    match expect {
        Expect::Any => Expected::Any,
        Expect::Exists => Expected::Exists,
        Expect::Right => Expected::Version(version),
        Expect::Wrong => Expected::Version(version + 1_000_000),
    }
}

fn stock(oracle: &Oracle, clock: i64, order: &Order) -> StockCommand {
    let expected = expected(order.expect, oracle.version(clock, order.sku));
    let reservation = |id: &u32| ReservationId::new(&id.to_string()).expect("a number is an id");
    let verb = match &order.wish {
        Wish::Adjust(delta) => Verb::Adjust { delta: pieces(*delta), reason: None, reference: None },
        Wish::Reserve { pieces: wanted, id, ttl_seconds } => Verb::Reserve(Reserve {
            qty: pieces(*wanted),
            reservation_id: reservation(id),
            ttl_seconds: *ttl_seconds,
            reference: None,
        }),
        Wish::Release { id, pieces: wanted } => {
            Verb::Release { reservation_id: reservation(id), qty: wanted.map(pieces) }
        }
        Wish::Commit { id, pieces: wanted, close } => Verb::Commit(Commit {
            reservation_id: reservation(id),
            qty: wanted.map(pieces),
            close_remainder: *close,
        }),
        Wish::Count(counted) => Verb::Count { counted: pieces(*counted), as_of: None, reason: None },
    };
    let (store_id, sku) = place(oracle, order.sku);
    StockCommand { store_id, sku, expected, verb }
}

pub(super) fn pieces(pieces: i64) -> Quantity {
    Quantity::new(pieces).expect("a quantity")
}

/// Of several processes each says `TAKE` when it takes over what another one moved: the oracle knows nothing of that.
pub(in crate::sim) fn hear(outcome: Result<Outcome, CommandError>) -> Heard {
    Heard::Answer(match outcome {
        Ok(outcome) => {
            let at = outcome.at.milliseconds();
            let unapplied = outcome.unapplied.iter().map(|unapplied| {
                let why = match &unapplied.why {
                    UnappliedWhy::Refused(rejection) => rejection.code().to_owned(),
                    UnappliedWhy::Replayed(sequence) => format!("replayed {sequence}"),
                    UnappliedWhy::ReplayedIn(place) => format!("replayed {place:?}"),
                };
                (unapplied.op, why)
            });
            Answer::Done(Done {
                sequence: outcome.sequence.0,
                events: outcome
                    .events
                    .iter()
                    .filter(|event| event.kind != EventKind::Take)
                    .map(|event| happened(event, at))
                    .collect(),
                unapplied: unapplied.collect(),
                // A replayed event has its own time, which the outcome does not carry.
                replays: outcome.replays.iter().map(|(op, event)| (*op, happened(event, 0))).collect(),
                replayed: outcome.replayed,
            })
        }
        Err(CommandError::Refused(refusal)) => {
            Answer::Refused { code: refusal.rejection.code(), op: refusal.op }
        }
        Err(CommandError::OutcomeUnknown) => return Heard::Unknown,
        Err(CommandError::ReadOnly) => return Heard::ReadOnly,
        Err(CommandError::History(_)) => return Heard::Unread,
        Err(CommandError::Closed) => panic!("nobody closes a log in a play"),
        Err(CommandError::Overloaded) => panic!("a play is too short for that"),
        Err(CommandError::Contended) => panic!("nobody else is there"),
    })
}

/// An event in the words of the oracle; the time is that of its entry, in milliseconds.
///
/// # Panics
/// When it is of nothing that there is in a play.
pub fn happened(event: &Event, at: i64) -> Happened {
    let what = match (&event.fact, event.after) {
        (Fact::Level(_), After::Level(after)) => {
            What::Level { on_hand: after.on_hand.get(), reserved: after.reserved.get() }
        }
        (Fact::Product(fact), _) => What::Product(fact.product.as_ref().map(said::goods)),
        (Fact::Store(fact), _) => What::Store(said::name(&fact.store.name)),
        (Fact::Threshold(fact), _) => What::Threshold(fact.low_stock_threshold.map(Quantity::get)),
        (Fact::Alert(fact), After::Alert(after)) if fact.raised == after.raised => {
            let threshold = fact.threshold.map(Quantity::get);
            What::Alert { raised: fact.raised, qty: fact.qty.get(), threshold }
        }
        _ => panic!("there is nothing of the kind in a play: {event:?}"),
    };
    let sku = match event.fact.key() {
        Key::Level(_, sku) | Key::Product(sku) | Key::Threshold(_, sku) | Key::Alert(_, sku) => Some(sku),
        _ => None,
    };
    let known = |sku: &str| CATALOGUE.into_iter().find(|known| *known == sku).expect("a SKU of the play");
    let sku = sku.map(|sku| known(sku.as_str()));
    Happened { sku, kind: event.kind.as_str(), what, version: event.after.version(), at }
}
