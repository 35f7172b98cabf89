//! The order as a kind of state: its event, its form in a snapshot.

use super::line::Pieces;
use super::order::{Order, OrderAfter, STEP};
use super::order_fact::{OrderFact, Placed};
use super::payment::{Payment, PaymentSums};
use super::returning::Return;
use crate::{EventKind, Kind, Misfit, OrderId, StoreId, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};

/// The order before an event.
pub type OrderUndo = Box<Order>;

/// An order in a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields of Order, under their names")]
pub struct OrderRecord {
    pub order_id: OrderId,
    pub placed: Placed,
    pub confirmed: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub on_hold: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payments: Vec<Payment>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub returns: Vec<Return>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub avoids: Vec<StoreId>,
    pub shipments: Vec<StoreId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open_shipments: Vec<u16>,
    pub version: u64,
    pub updated_at: Timestamp,
}

impl Kind for Order {
    type Id = (OrderId,);
    type State = Box<Self>;
    type Fact = Box<OrderFact>;
    type After = OrderAfter;
    type Record = Box<OrderRecord>;
    type Undo = OrderUndo;

    fn id(fact: &Box<OrderFact>) -> (OrderId,) {
        (fact.order_id.clone(),)
    }

    fn event(_: &Box<OrderFact>) -> EventKind {
        EventKind::Order
    }

    fn read<'de, D: Deserializer<'de>>(_: EventKind, payload: D) -> Result<Box<OrderFact>, D::Error> {
        Deserialize::deserialize(payload)
    }

    fn apply(order: &mut Box<Self>, fact: &Box<OrderFact>, at: Timestamp) -> Result<OrderUndo, Misfit> {
        let before = order.clone();
        match order.step(fact, at) {
            Ok(()) => Ok(before),
            Err(misfit) => {
                *order = before;
                Err(misfit)
            }
        }
    }

    fn undo(order: &mut Box<Self>, before: OrderUndo) {
        *order = before;
    }

    fn after(order: &Box<Self>) -> OrderAfter {
        order.as_ref().after()
    }

    fn before(fact: &Box<OrderFact>, after: OrderAfter) -> Option<OrderAfter> {
        let version = after.version.checked_sub(1)?;
        if let Some(placed) = &fact.placed {
            let ordered = Self { lines: placed.lines.clone(), version: after.version, ..Self::default() };
            let none = Self::default().after();
            return (version == 0 && ordered.after() == after).then_some(none);
        }
        let moved = fact.lines.iter().try_fold(Pieces::default(), |sum, delta| sum.plus(delta.pieces))?;
        Some(OrderAfter {
            waiting: after.waiting.checked_sub(moved.waiting)?,
            open: after
                .open
                .checked_add(moved.cancelled)?
                .checked_add(moved.waiting)?
                .checked_add(moved.shipped)?,
            shipped: after.shipped.checked_sub(moved.shipped)?,
            version,
        })
    }

    fn version_of(after: &OrderAfter) -> u64 {
        after.version
    }

    fn version(order: &Box<Self>) -> u64 {
        order.version
    }

    fn set_updated_at(order: &mut Box<Self>, at: Timestamp) {
        order.updated_at = at;
    }

    fn record(order: &Box<Self>, (order_id,): (OrderId,)) -> Box<OrderRecord> {
        let order = (**order).clone();
        let Self { placed_at, details, lines, .. } = order;
        // What was looked at is of the placing: it stands in the log alone.
        let placed = Placed { placed_at, details, lines, routing: None, rules: None, looked: Vec::new() };
        Box::new(OrderRecord {
            order_id,
            placed,
            confirmed: order.confirmed,
            on_hold: order.on_hold,
            payments: order.payments,
            returns: order.returns,
            avoids: order.avoids,
            shipments: order.shipments,
            open_shipments: order.open_shipments,
            version: order.version,
            updated_at: order.updated_at,
        })
    }

    fn restore(record: Box<OrderRecord>) -> Result<((OrderId,), Box<Self>), Misfit> {
        let mut order = Self::default();
        order.place(&record.placed)?;
        let numbers = 1..=record.shipments.len();
        let known = record.open_shipments.iter().all(|number| numbers.contains(&usize::from(*number)));
        if record.version == 0 || !known || PaymentSums::of(&record.payments).is_none() {
            return Err(STEP);
        }
        let order = Self {
            confirmed: record.confirmed,
            on_hold: record.on_hold,
            payments: record.payments,
            returns: record.returns,
            avoids: record.avoids,
            shipments: record.shipments,
            open_shipments: record.open_shipments,
            version: record.version,
            updated_at: record.updated_at,
            ..order
        };
        Ok(((record.order_id,), Box::new(order)))
    }

    fn id_in(record: &Box<OrderRecord>) -> (OrderId,) {
        (record.order_id.clone(),)
    }

    fn updated_at_in(record: &Box<OrderRecord>) -> Timestamp {
        record.updated_at
    }
}
