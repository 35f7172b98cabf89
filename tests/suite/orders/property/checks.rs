//! What must hold after every step.

use super::acts::{ORDERS, SKUS, STORES};
use super::play::{SKU_NAMES, STORE_NAMES, name};
use crate::orders::oracle::Books;
use crate::orders::{Desk, order_id, shipment_id};
use onhand_domain::orders::{Order, ShipmentId};
use onhand_domain::stock::StockFact;
use onhand_domain::{
    After, Command, Event, Fact, Key, Quantity, ReservationId, Sku, State, StateRecord, StoreId, Taken,
    Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// The pieces that have left under each shipment.
#[derive(Debug, Default)]
pub(super) struct Left(BTreeMap<(String, Sku), i64>);

impl Left {
    pub(super) fn note(&mut self, events: &[Event]) {
        for event in events {
            if let Fact::Level(StockFact::Commit(fact)) = &event.fact {
                let key = (fact.reservation_id.as_str().to_owned(), fact.sku.clone());
                *self.0.entry(key).or_default() += fact.qty.get();
            }
        }
    }

    fn of(&self, id: &ShipmentId, sku: &Sku) -> i64 {
        self.0.get(&(id.as_str().to_owned(), sku.clone())).copied().unwrap_or_default()
    }
}

/// The events alone lead from the states before to those after, and back again.
pub(super) fn events_are_sound(before: &Desk, after: &Desk, events: &[Event]) {
    let (mut states, mut undos) = (before.states.clone(), Vec::new());
    for event in events {
        let key = event.fact.key();
        let state = states.entry(key.clone()).or_insert_with(|| State::absent(&key));
        let numbers = state.after();
        let undo = state.apply(&event.fact, before.now()).unwrap();
        assert_eq!(state.after(), event.after, "{event:?}");
        assert_eq!(event.fact.before(event.after), Some(numbers), "{event:?}");
        undos.push((key, undo));
        if let (Fact::Level(StockFact::Count(count)), After::Level(after)) = (&event.fact, event.after) {
            assert_eq!(count.counted, after.on_hand, "{event:?}");
        }
        let line = serde_json::to_string(event).unwrap();
        assert_eq!(Event::decode(&line).as_ref(), Ok(event), "{line}");
    }
    assert_eq!(states, after.states);
    let touched: Vec<Key> = undos.iter().map(|(key, _)| key.clone()).collect();
    for (key, undo) in undos.into_iter().rev() {
        states.get_mut(&key).unwrap().undo(undo);
    }
    states.retain(|_, state| state.version() > 0);
    assert_eq!(states, before.states, "every event can be undone");
    for key in touched {
        comes_back(&key, &after.states[&key]);
    }
}

/// A state comes back from its line of a snapshot, and through a takeover by another log.
fn comes_back(key: &Key, state: &State) {
    let record = state.record(key);
    let line = serde_json::to_string(&record).unwrap();
    let read: StateRecord = serde_json::from_str(&line).unwrap();
    assert_eq!(read.clone().restore().unwrap(), (key.clone(), state.clone()), "{line}");
    let fact = Fact::Take(Box::new(Taken { epoch: 3, state: record }));
    for mut other in [State::absent(key), state.clone()] {
        let before = other.clone();
        let undo = other.apply(&fact, Timestamp::EPOCH).unwrap();
        assert_eq!(&other, state);
        other.undo(undo);
        assert_eq!(other, before);
    }
}

/// The same command on states that another log moved last: each is taken over as it was, and then the same happens.
pub(super) fn takes_over(before: &Desk, after: &Desk, command: &Command, events: &[Event]) {
    let mut other = Desk { foreign: true, ..before.clone() };
    let told = other.ask(command).unwrap();
    let (first, own): (Vec<_>, Vec<_>) = told.iter().partition(|event| matches!(event.fact, Fact::Take(_)));
    assert!(own.iter().map(|event| &event.fact).eq(events.iter().map(|event| &event.fact)), "{told:?}");
    assert_eq!(other.states, after.states);
    for event in first {
        let Fact::Take(taken) = &event.fact else { unreachable!() };
        assert_eq!(taken.state, before.state(&taken.key()).record(&taken.key()));
        let line = serde_json::to_string(event).unwrap();
        assert_eq!(Event::decode(&line).as_ref(), Ok(event), "{line}");
    }
}

/// No piece appears or is lost: in each line, between order and shipments, and between shipments and levels.
pub(super) fn conserves(desk: &Desk, left: &Left) {
    for number in 0..ORDERS {
        let (id, order) = (order_id(&name(number)), desk.order(&name(number)));
        let ids: Vec<ShipmentId> =
            (1..).zip(&order.shipments).map(|(number, _)| ShipmentId::of(&id, number)).collect();
        lines_conserve(desk, &order, &ids);
        for id in &ids {
            let shipment = desk.shipment(id);
            let store = shipment.store_id.clone().unwrap();
            for sku in SKU_NAMES.map(|sku| Sku::new(sku).unwrap()) {
                let lines = || shipment.lines.iter().filter(|line| line.sku == sku);
                let held: i64 = lines().map(|line| line.held().get()).sum();
                let level = desk.level(store.as_str(), sku.as_str());
                let reserved = level.hold(&id.reservation_id()).map_or(0, |hold| hold.qty.get());
                assert_eq!(reserved, held, "{id} {sku}");
                let shipped: i64 = lines().map(|line| line.shipped.get()).sum();
                assert_eq!(left.of(id, &sku), shipped, "{id} {sku}");
            }
        }
    }
    for level in STORE_NAMES.into_iter().flat_map(|store| SKU_NAMES.map(|sku| desk.level(store, sku))) {
        let after = level.after();
        assert!((0..=after.on_hand.get()).contains(&after.reserved.get()), "{after:?}");
    }
}

fn lines_conserve(desk: &Desk, order: &Order, ids: &[ShipmentId]) {
    let shipments: Vec<_> = ids.iter().map(|id| desk.shipment(id)).collect();
    let open = ids.iter().zip(&shipments).filter(|(_, shipment)| !shipment.is_closed());
    let open: Vec<u16> = open.map(|(id, _)| id.number()).collect();
    assert_eq!(order.open_shipments, open);
    for line in &order.lines {
        let of_line =
            || shipments.iter().flat_map(|shipment| &shipment.lines).filter(|part| part.line == line.line);
        let held: i64 = of_line().map(|part| part.held().get()).sum();
        let [shipped, delivered]: [i64; 2] = [
            of_line().map(|part| part.shipped.get()).sum(),
            of_line().map(|part| part.delivered.get()).sum(),
        ];
        let pieces = line.pieces;
        let gone = pieces.cancelled.get() + pieces.waiting.get() + pieces.shipped.get();
        assert_eq!(line.qty.get(), gone + held, "{line:?}");
        assert_eq!((pieces.shipped.get(), pieces.delivered.get()), (shipped, delivered), "{line:?}");
        assert!(delivered <= shipped && pieces.returned.get() <= shipped, "{line:?}");
        assert!(of_line().all(|part| part.sku == line.sku), "{line:?}");
    }
}

/// The numbers are those of the oracle.
pub(super) fn agrees(desk: &Desk, books: &Books) {
    for (store, sku) in (0..STORES).flat_map(|store| (0..SKUS).map(move |sku| (store, sku))) {
        let after = desk.level(STORE_NAMES[store], SKU_NAMES[sku]).after();
        let on_hand = books.on_hand.get(&(store, sku)).copied().unwrap_or_default();
        let numbers = (after.on_hand.get(), after.reserved.get());
        assert_eq!(numbers, (on_hand, books.reserved(store, sku)), "{store} {sku}");
    }
    for ((store, sku, name), pieces) in &books.others {
        let level = desk.level(STORE_NAMES[*store], SKU_NAMES[*sku]);
        let hold = level.hold(&ReservationId::new(name).unwrap()).unwrap();
        assert_eq!(hold.qty.get(), *pieces, "{store} {sku} {name}");
    }
    for (number, paper) in &books.orders {
        let order = desk.order(&name(*number));
        let status = order.status().as_str();
        assert_eq!(
            (status, order.confirmed, order.on_hold),
            (books.status(*number), paper.confirmed, paper.on_hold)
        );
        assert_eq!(serde_json::to_value(order.payment_status()).unwrap(), paper.payment());
        assert_eq!(
            (order.version, order.open_shipments.clone()),
            (paper.events, books.open_parcels(*number))
        );
        assert_eq!((order.payments.len(), order.returns.len()), (paper.paid.len(), paper.back.len()));
        let avoids: BTreeSet<&str> = order.avoids.iter().map(StoreId::as_str).collect();
        assert_eq!(avoids, paper.avoids.iter().map(|store| STORE_NAMES[*store]).collect());
        assert_eq!(order.avoids.len(), avoids.len(), "each once");
        for (line, row) in order.lines.iter().zip(paper.rows.values()) {
            let pieces = line.pieces;
            let pieces =
                [pieces.cancelled, pieces.waiting, pieces.shipped, pieces.delivered, pieces.returned];
            let owed = [row.cancelled, row.waiting, row.shipped, row.delivered, row.returned];
            assert_eq!(pieces.map(Quantity::get), owed, "{number}: {line:?}");
            assert_eq!((line.sku.as_str(), line.qty.get()), (SKU_NAMES[row.sku], row.ordered));
        }
        assert_eq!(order.lines.len(), paper.rows.len());
    }
    for ((order, number), parcel) in &books.parcels {
        let shipment = desk.shipment(&shipment_id(&name(*order), *number));
        assert_eq!((shipment.state().as_str(), shipment.version), (parcel.state(), parcel.events));
        assert_eq!(shipment.store_id.as_ref().unwrap().as_str(), STORE_NAMES[parcel.store]);
        for (line, bundle) in shipment.lines.iter().zip(parcel.bundles.values()) {
            let pieces = [line.held(), line.shipped, line.delivered].map(Quantity::get);
            assert_eq!(pieces, [bundle.held, bundle.shipped, bundle.delivered], "{order} {number}: {line:?}");
        }
    }
}
