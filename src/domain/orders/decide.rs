//! The decision of a step: who may take it, the states it is decided on, and the dispatch to the file of each.

use super::command::{OrderCommand, OrderStep};
use super::shipment_fact::LineQty;
use super::shipment_id::ShipmentId;
use super::{after, part, place, whole};
use crate::identity::{Access, Denied, Permission};
use crate::{Decide, Draft, Key, Refusal};

impl Decide for OrderCommand {
    /// A store sees to its own shipments; whoever places an order has no say in other stores than theirs. A customer has none, and the
    /// rules of the chain choose.
    fn permit(&self, access: &Access) -> Result<(), Denied> {
        match &self.step {
            OrderStep::Place(..) if access.may_own(Permission::OrdersPlace) => Ok(()),
            OrderStep::Place(_, planned) => {
                if planned.is_empty() && !access.may_somewhere(Permission::OrdersPlace) {
                    return access.permit(Permission::OrdersPlace);
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
