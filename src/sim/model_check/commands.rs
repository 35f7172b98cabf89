//! The acts of the model as commands of the ledger.

use crate::model_check::values::{expected, pieces, place};
use crate::model_check::{catalogue_commands, identity};
use crate::oracle::{Act, LevelRequest, LevelVerb, Oracle, batch_payload, payload};
use onhand_app::{Meta, fingerprint};
use onhand_domain::stock::{Batch, Commit, Operation, Reserve, StockCommand, Verb};
use onhand_domain::{Command, Idempotency, ReservationId};

pub(crate) fn command(oracle: &Oracle, clock: i64, act: &Act) -> (Command, Meta) {
    let (command, idempotency) = match act {
        Act::One(order, key) => {
            let known_by = key.map(|key| known_by("one", key, &payload(order)));
            (Command::Stock(stock(oracle, clock, order)), known_by)
        }
        Act::Batch { atomic, items, key } => {
            let operation = |(order, key): &(LevelRequest, Option<u32>)| Operation {
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
            (catalogue_commands::command(oracle, saying, *expect), known_by)
        }
        Act::Identity(request, key) => {
            let known_by = key.map(|key| known_by("identity", key, &format!("{request:?}")));
            (identity::command(*request), known_by)
        }
        Act::Describe { update, products, key } => {
            let known_by = key.map(|key| known_by("describe", key, &format!("{update} {products:?}")));
            (catalogue_commands::many(oracle, *update, products), known_by)
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

fn stock(oracle: &Oracle, clock: i64, order: &LevelRequest) -> StockCommand {
    let expected = expected(order.expect, oracle.version(clock, order.sku));
    let reservation = |id: &u32| ReservationId::new(&id.to_string()).expect("a number is an id");
    let verb = match &order.wish {
        LevelVerb::Adjust(delta) => Verb::Adjust { delta: pieces(*delta), reason: None, reference: None },
        LevelVerb::Reserve { pieces: wanted, id, ttl_seconds } => Verb::Reserve(Reserve {
            qty: pieces(*wanted),
            reservation_id: reservation(id),
            ttl_seconds: *ttl_seconds,
            reference: None,
        }),
        LevelVerb::Release { id, pieces: wanted } => {
            Verb::Release { reservation_id: reservation(id), qty: wanted.map(pieces) }
        }
        LevelVerb::Commit { id, pieces: wanted, close } => Verb::Commit(Commit {
            reservation_id: reservation(id),
            qty: wanted.map(pieces),
            close_remainder: *close,
        }),
        LevelVerb::Count(counted) => Verb::Count { counted: pieces(*counted), as_of: None, reason: None },
    };
    let (store_id, sku) = place(oracle, order.sku);
    StockCommand { store_id, sku, expected, verb }
}
