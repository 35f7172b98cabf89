//! A step of an order that a caller requests, and the states it is decided on.

use super::order::Placed;
use super::payment::Payment;
use super::returning::Return;
use super::shipment::{LineQty, Refused};
use super::shipment_id::ShipmentId;
use super::{after, part, place, whole};
use crate::identity::{Access, Denied, Permission};
use crate::{Decide, Draft, Expected, Key, OrderId, Refusal, Sku, StoreId};
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
    fn planned(&self) -> &[Planned] {
        match &self.step {
            OrderStep::Place(_, planned)
            | OrderStep::Confirm(planned)
            | OrderStep::Allot(planned)
            | OrderStep::Part { step: PartStep::Refuse { planned, .. }, .. } => planned,
            _ => &[],
        }
    }
}

impl Decide for OrderCommand {
    /// A store sees to its own shipments; whoever places an order has no say in other stores than theirs. A customer has none, and the
    /// rules of the chain choose.
    fn permit(&self, access: &Access) -> Result<(), Denied> {
        match &self.step {
            OrderStep::Place(..) if access.may_own(Permission::OrdersPlace) => Ok(()),
            OrderStep::Place(_, planned) => {
                if planned.is_empty() && access.may_somewhere(Permission::OrdersPlace) {
                    return Ok(());
                }
                planned.iter().try_for_each(|part| access.permit_in(Permission::OrdersPlace, &part.store_id))
            }
            OrderStep::Part { store_id, .. } => access.permit_in(Permission::OrdersShip, store_id),
            _ => access.permit(Permission::OrdersManage),
        }
    }

    fn add_keys(&self, keys: &mut Vec<Key>) {
        keys.push(self.key());
        if matches!(self.step, OrderStep::Place(..)) {
            let numbers = (1..).zip(self.planned());
            keys.extend(numbers.map(|(number, _)| Key::Shipment(ShipmentId::of(&self.order_id, number))));
        }
        if let OrderStep::Part { number, .. } = self.step {
            keys.push(Key::Shipment(ShipmentId::of(&self.order_id, number)));
        }
        if let OrderStep::Return { step, skus } = &self.step
            && let Some(store_id) = &step.store_id
        {
            keys.extend(skus.iter().map(|sku| Key::Level(store_id.clone(), sku.clone())));
        }
        for part in self.planned() {
            let level = |line: &LineQty| Key::Level(part.store_id.clone(), line.sku.clone());
            keys.extend(part.lines.iter().map(level));
        }
        keys.extend_from_slice(&self.beside);
    }

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Refusal> {
        let before = draft.mark();
        let decided = match &self.step {
            OrderStep::Place(placed, planned) => place::place(draft, self, placed, planned),
            OrderStep::Confirm(planned) => whole::confirm(draft, self, planned),
            OrderStep::Allot(planned) => place::allot(draft, self, planned),
            OrderStep::Cancel { reason } => whole::cancel(draft, self, reason.as_ref()),
            OrderStep::Ship(carrier) => whole::ship(draft, self, carrier),
            OrderStep::Deliver => whole::deliver(draft, self),
            OrderStep::Pay(payment) => after::pay(draft, self, payment),
            OrderStep::Hold { hold, reason } => after::set_hold(draft, self, *hold, reason.as_ref()),
            OrderStep::Return { step, .. } => after::take_back(draft, self, step),
            OrderStep::Part { number, store_id, step } => {
                part::decide(draft, self, (*number, store_id), step)
            }
        };
        decided.map_err(|rejection| {
            draft.roll_back(before);
            rejection.into()
        })
    }
}
