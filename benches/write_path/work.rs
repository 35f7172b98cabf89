//! The pieces of the write path, one at a time: what `write_path` times and `instructions` counts.

use onhand_app::ports::{Clock, EventIds, EventLog, NewEntry};
use onhand_disk::RealDisk;
use onhand_disk::clock::{SystemClock, TimeOrderedIds};
use onhand_disk::layout::Layout;
use onhand_domain::stock::{Adjusted, LevelAfter, Reserve, Reserved, StockCommand, StockFact, Verb};
use onhand_domain::{
    After, Command, Draft, Event, Expected, Fact, Idempotency, Key, Quantity, ReservationId, Sku, State,
    StoreId, Timestamp, decide,
};
use onhand_file::recovery::{OpenNode, OpenOptions, SEGMENT_BYTES, open};
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

/// Levels that events go round over.
pub(crate) const LEVELS: u64 = 100_000;

fn quantity(pieces: u64) -> Quantity {
    Quantity::new(i64::try_from(pieces).unwrap()).unwrap()
}

fn place(level: u64) -> (StoreId, Sku) {
    let store = StoreId::new(&format!("STORE-{}", level % 10)).unwrap();
    (store, Sku::new(&format!("SKU-{:06}", level / 10)).unwrap())
}

fn stocked(delta: Quantity, level: u64, version: u64, on_hand: Quantity) -> Event {
    let (store_id, sku) = place(level);
    let fact = Fact::Level(StockFact::Adjust(Adjusted {
        sku,
        store_id,
        delta,
        expected_version: None,
        reason: Some("delivery".into()),
        reference: None,
        occurred_at: None,
        kind: None,
    }));
    let after = After::Level(LevelAfter { on_hand, reserved: Quantity::ZERO, version });
    Event { event_id: TimeOrderedIds.event_id(), op: None, idempotency: None, kind: fact.kind(), fact, after }
}

fn reserve(hold: u64) -> Command {
    let (store_id, sku) = place(0);
    Command::Stock(StockCommand {
        store_id,
        sku,
        expected: Expected::Any,
        verb: Verb::Reserve(Reserve {
            qty: quantity(1),
            reservation_id: ReservationId::new(&format!("hold-{hold}")).unwrap(),
            ttl_seconds: None,
            reference: None,
        }),
    })
}

/// A level with stock and open holds.
fn level(holds: u64) -> (Key, State) {
    let (store, sku) = place(0);
    let key = Key::Level(store, sku);
    let mut state = State::absent(&key);
    let now = SystemClock.now();
    state.apply(&stocked(quantity(1_000_000), 0, 1, quantity(1_000_000)).fact, now).unwrap();
    for hold in 0..holds {
        let keys = [key.clone()];
        let mut new_id = || TimeOrderedIds.event_id();
        let mut draft = Draft::new(now, &keys, vec![&mut state], &mut new_id);
        decide(&mut draft, &reserve(hold)).unwrap();
        draft.finish();
    }
    (key, state)
}

/// A level on which commands are decided and taken back.
pub(crate) struct Desk {
    keys: [Key; 1],
    state: State,
    command: Command,
    now: Timestamp,
}

impl Desk {
    /// A level with so many open holds.
    pub(crate) fn new(holds: u64) -> Self {
        let (key, state) = level(holds);
        Self { keys: [key], state, command: reserve(u64::MAX), now: SystemClock.now() }
    }

    /// One decision.
    pub(crate) fn decide(&mut self) {
        let mut new_id = || TimeOrderedIds.event_id();
        let mut draft = Draft::new(self.now, &self.keys, vec![&mut self.state], &mut new_id);
        decide(&mut draft, black_box(&self.command)).unwrap();
        draft.abandon();
    }
}

fn options(directory: &Path) -> OpenOptions {
    OpenOptions {
        ballast_bytes: 0,
        disk: Arc::new(RealDisk),
        layout: Layout::new(directory),
        segment_bytes: SEGMENT_BYTES,
        idempotency_ttl_ms: 300_000,
    }
}

/// A data directory, open.
pub(crate) fn opened(directory: &Path) -> OpenNode {
    open(&options(directory), &SystemClock, &TimeOrderedIds).unwrap()
}

/// Encodes and queues an entry.
pub(crate) fn append(node: &OpenNode, event: &[Event], idempotency: Option<&Idempotency>) {
    let entry = NewEntry {
        generation: node.log.durable().generation(),
        decided_at: SystemClock.now(),
        valid_before: None,
        actor: None,
        request_id: Some(&"4f1c2d3e-1".into()),
        idempotency,
        events: event,
        unapplied: &[],
    };
    node.log.append(&entry).unwrap();
}

/// A reservation, and the key of its caller.
pub(crate) fn reserved() -> (Event, Idempotency) {
    let (store_id, sku) = place(0);
    let fact = Fact::Level(StockFact::Reserve(Reserved {
        sku,
        store_id,
        qty: quantity(1),
        reservation_id: ReservationId::new(&TimeOrderedIds.event_id().to_string()).unwrap(),
        expires_at: Some(SystemClock.now().plus_seconds(900)),
        expected_version: None,
        reference: None,
    }));
    let after = After::Level(LevelAfter { on_hand: quantity(9), reserved: quantity(1), version: 2 });
    let event_id = TimeOrderedIds.event_id();
    let event = Event { event_id, op: None, idempotency: None, kind: fact.kind(), fact, after };
    let key = Idempotency {
        key: TimeOrderedIds.event_id().to_string().into(),
        scope: "reserve STORE-0/SKU-000000".into(),
        fingerprint: "7c35c5a1785d2070".into(),
    };
    (event, key)
}

/// Writes so many events over [`LEVELS`] levels, as batches do.
pub(crate) fn fill(node: &OpenNode, events: u64) {
    let mut number = 0;
    while number < events {
        let several: Vec<Event> = (number..events.min(number + 100))
            .map(|number| {
                let version = number / LEVELS + 1;
                stocked(quantity(1), number % LEVELS, version, quantity(version))
            })
            .collect();
        number += several.len() as u64;
        append(node, &several, None);
        if number.is_multiple_of(20_000) {
            node.log.write_waiting().unwrap();
        }
    }
    node.log.write_waiting().unwrap();
}
