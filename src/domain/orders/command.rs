//! A step of an order that a caller requests.

use super::order_fact::Placed;
use super::payment::Payment;
use super::returning::Return;
use super::shipment_fact::{LineQty, Refused};
use crate::{Expected, Key, OrderId, Sku, StoreId};
use smol_str::SmolStr;

/// A step of an order, together with its shipments and their levels.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderCommand {
    /// The order.
    pub order_id: OrderId,
    /// The condition on the version of the order; of the shipment, where the step is about one.
    pub expected: Expected,
    /// The step.
    pub step: OrderStep,
    /// The shipments of the order that the caller has seen, and their levels. They are locked at once; what else the decision
    /// needs costs another round.
    pub beside: Vec<Key>,
}

/// What one store is to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The store.
    pub store_id: StoreId,
    /// The pieces, by line in order.
    pub lines: Vec<LineQty>,
}

/// The step.
#[derive(Debug, Clone, PartialEq)]
pub enum OrderStep {
    /// The order is placed, and stores hold pieces for it. What they do not hold waits or is cancelled, as the lines say.
    Place(Box<Placed>, Vec<Planned>),
    /// It is confirmed, and stores hold pieces that have been waiting.
    Confirm(Vec<Planned>),
    /// Stores hold pieces that have been waiting.
    Allot(Vec<Planned>),
    /// All that has not left is cancelled.
    Cancel {
        /// The caller's reason, free text.
        reason: Option<SmolStr>,
    },
    /// All that stores hold has left; the order is confirmed by it.
    Ship(Carrier),
    /// All that has left has reached the customer.
    Deliver,
    /// A payment is recorded; its time is that of the decision.
    Pay(Payment),
    /// Nothing is sent any more, or again.
    Hold {
        /// True for a hold, false when it is released.
        hold: bool,
        /// The caller's reason, free text.
        reason: Option<SmolStr>,
    },
    /// A return takes a step: it has the state that it is to have, and the pieces where they are other than those of the request.
    Return {
        /// The return.
        step: Box<Return>,
        /// The SKUs of its lines, for their levels in the store that receives it.
        skus: Vec<Sku>,
    },
    /// One shipment.
    Part {
        /// Its number.
        number: u16,
        /// Its store, for the permission of the caller; never changes.
        store_id: StoreId,
        /// The step.
        step: PartStep,
    },
}

/// Who carries something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Carrier {
    /// The name.
    pub carrier: Option<SmolStr>,
    /// The number by which the carrier follows it.
    pub tracking: Option<SmolStr>,
}

/// A step of one shipment.
#[derive(Debug, Clone, PartialEq)]
pub enum PartStep {
    /// The store is to send it.
    Instruct,
    /// These pieces have left; all that it holds, where no lines are named.
    Ship {
        /// Pieces by line.
        lines: Vec<LineQty>,
        /// Who carries them.
        carrier: Carrier,
    },
    /// All that has left has reached the customer.
    Deliver,
    /// The store does not send what it still holds; other stores send it in its place, or it waits.
    Refuse {
        /// Why, and so what becomes of the stock.
        refused: Refused,
        /// The caller's reason, free text.
        reason: Option<SmolStr>,
        /// The stores in its place.
        planned: Vec<Planned>,
    },
    /// What it still holds waits again.
    Cancel {
        /// The caller's reason, free text.
        reason: Option<SmolStr>,
    },
}

impl OrderCommand {
    /// The key of the order.
    pub(super) fn key(&self) -> Key {
        Key::Order(self.order_id.clone())
    }

    /// The stores that are to hold something.
    pub(super) fn planned(&self) -> &[Planned] {
        match &self.step {
            OrderStep::Place(_, planned)
            | OrderStep::Confirm(planned)
            | OrderStep::Allot(planned)
            | OrderStep::Part { step: PartStep::Refuse { planned, .. }, .. } => planned,
            _ => &[],
        }
    }
}
