//! Checks that orders, their shipments and the levels agree: an order's pieces are those of its shipments, and what a shipment holds is
//! reserved in its store.
//!
//! In one log they agree after every entry. In one of several logs of a ledger an order may have moved elsewhere since, so they are
//! compared in the final states of the ledger alone.

use onhand_domain::orders::{Order, Shipment, ShipmentId, ShipmentLine};
use onhand_domain::stock::StockFact;
use onhand_domain::{Entry, Fact, Key, OrderId, Quantity, Sequence, Sku, State};
use std::collections::{BTreeMap, BTreeSet};

/// Where states are looked up.
pub(super) trait States {
    /// The state under a key.
    fn state(&self, key: &Key) -> Option<&State>;
}

impl<S: std::hash::BuildHasher> States for std::collections::HashMap<Key, State, S> {
    fn state(&self, key: &Key) -> Option<&State> {
        self.get(key)
    }
}

impl States for BTreeMap<&Key, &State> {
    fn state(&self, key: &Key) -> Option<&State> {
        self.get(key).copied()
    }
}

/// What an entry has left in disagreement, with the sequence of its last event.
pub(super) fn strange(entry: &Entry, states: &impl States) -> Vec<(Sequence, String)> {
    let (mut orders, mut shipments) = (BTreeSet::new(), BTreeSet::new());
    for event in &entry.events {
        match &event.fact {
            Fact::Order(fact) => {
                orders.insert(fact.order_id.clone());
            }
            Fact::Shipment(fact) => {
                orders.insert(fact.shipment_id.order_id());
                shipments.insert(fact.shipment_id.clone());
            }
            Fact::Level(fact) => shipments.extend(shipment_in(fact)),
            _ => {}
        }
    }
    let wrong_orders = orders.iter().filter_map(|id| order(id, states));
    let wrong_shipments = shipments.iter().filter_map(|id| shipment(id, states));
    wrong_orders.chain(wrong_shipments).map(|what| (entry.last(), what)).collect()
}

/// What disagrees in the final states of a ledger.
pub(super) fn check(states: &BTreeMap<&Key, &State>) -> Vec<String> {
    let wrong = states.keys().filter_map(|key| match key {
        Key::Order(id) => order(id, states),
        Key::Shipment(id) => shipment(id, states),
        _ => None,
    });
    wrong.collect()
}

/// The shipment whose reservation an event moves.
fn shipment_in(fact: &StockFact) -> Option<ShipmentId> {
    let id = match fact {
        StockFact::Reserve(reserved) => &reserved.reservation_id,
        StockFact::Release(settled) | StockFact::Commit(settled) | StockFact::Expire(settled) => {
            &settled.reservation_id
        }
        StockFact::Adjust(_) | StockFact::Count(_) => return None,
    };
    ShipmentId::new(id.as_str()).ok()
}

/// What is wrong between an order and its shipments.
fn order(id: &OrderId, states: &impl States) -> Option<String> {
    let found = order_of(id, states);
    let Some(order) = found else {
        return Some(format!("order {id}: it has a shipment, and there is no such order"));
    };
    let mut sums: BTreeMap<u16, [i64; 3]> = BTreeMap::new();
    let mut open = Vec::new();
    for (number, store) in (1..).zip(&order.shipments) {
        let Some(shipment) = shipment_of(&ShipmentId::of(id, number), states) else {
            return Some(format!("order {id}: its shipment {number} is not there"));
        };
        if shipment.store_id.as_ref() != Some(store) {
            return Some(format!("order {id}: its shipment {number} is of another store than {store}"));
        }
        if !shipment.is_closed() {
            open.push(number);
        }
        for line in &shipment.lines {
            let [held, shipped, delivered] = sums.entry(line.line).or_default();
            *held += line.held().get();
            *shipped += line.shipped.get();
            *delivered += line.delivered.get();
        }
    }
    if open != sorted(&order.open_shipments) {
        return Some(format!(
            "order {id}: it calls shipments {:?} open, and these are: {open:?}",
            order.open_shipments
        ));
    }
    let wrong = order.lines.iter().find_map(|line| {
        let is = [line.open(), line.pieces.shipped, line.pieces.delivered].map(Quantity::get);
        let of_shipments = sums.remove(&line.line).unwrap_or_default();
        let what = ["held", "shipped", "delivered"].into_iter().zip(is.iter().zip(&of_shipments));
        let (what, (is, sum)) = what.into_iter().find(|(_, (is, sum))| is != sum)?;
        Some(format!("order {id}: line {} has {is} pieces {what}, its shipments have {sum}", line.line))
    });
    wrong.or_else(|| sums.keys().next().map(|line| format!("order {id}: its shipments have a line {line}")))
}

fn sorted(numbers: &[u16]) -> Vec<u16> {
    let mut numbers = numbers.to_vec();
    numbers.sort_unstable();
    numbers
}

/// What is wrong between a shipment and the levels of its store.
fn shipment(id: &ShipmentId, states: &impl States) -> Option<String> {
    // A reservation may have had such an id before there were shipments.
    order_of(&id.order_id(), states)?;
    let Some(shipment) = shipment_of(id, states) else {
        return Some(format!("shipment {id}: pieces are reserved for it, and there is no such shipment"));
    };
    let store_id = shipment.store_id.as_ref()?;
    let mut held: BTreeMap<&Sku, i64> = BTreeMap::new();
    for ShipmentLine { sku, .. } in &shipment.lines {
        held.entry(sku).or_default();
    }
    for line in &shipment.lines {
        *held.entry(&line.sku).or_default() += line.held().get();
    }
    held.into_iter().find_map(|(sku, held)| {
        let level = states.state(&Key::Level(store_id.clone(), sku.clone()));
        let reserved = match level {
            Some(State::Level(level)) => level.hold(&id.reservation_id()).map_or(0, |hold| hold.qty.get()),
            _ => 0,
        };
        (reserved != held).then(|| {
            format!(
                "shipment {id}: it holds {held} of {sku}, and {reserved} are reserved for it in {store_id}"
            )
        })
    })
}

fn order_of<'a>(id: &OrderId, states: &'a impl States) -> Option<&'a Order> {
    match states.state(&Key::Order(id.clone()))? {
        State::Order(order) if order.version > 0 => Some(order),
        _ => None,
    }
}

fn shipment_of<'a>(id: &ShipmentId, states: &'a impl States) -> Option<&'a Shipment> {
    match states.state(&Key::Shipment(id.clone()))? {
        State::Shipment(shipment) if shipment.version > 0 => Some(shipment),
        _ => None,
    }
}
