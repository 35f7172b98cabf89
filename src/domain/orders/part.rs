//! The decisions on one shipment. Its order moves with it, in the same entry.

use super::checks::check_hold;
use super::command::{Carrier, OrderCommand, PartStep, Planned};
use super::line::Pieces;
use super::moves::{self, Deltas, order_fact, shipment_fact};
use super::order::Order;
use super::order_fact::{OrderChange, OrderFact};
use super::shipment::{Shipment, ShipmentState};
use super::shipment_fact::{LineQty, Refused, ShipmentChange};
use super::shipment_id::ShipmentId;
use crate::{Draft, Fact, Key, Quantity, Rejection, StoreId};
use smol_str::SmolStr;

/// A shipment that exists, at the version that the caller expects.
struct Part<'a> {
    command: &'a OrderCommand,
    id: ShipmentId,
    store_id: &'a StoreId,
    shipment: Shipment,
}

pub(super) fn decide(
    draft: &mut Draft<'_>,
    command: &OrderCommand,
    (number, store_id): (u16, &StoreId),
    step: &PartStep,
) -> Result<(), Rejection> {
    let id = ShipmentId::of(&command.order_id, number);
    let shipment = draft.state::<Shipment>(&Key::Shipment(id.clone())).as_ref().clone();
    if shipment.store_id.as_ref() != Some(store_id) {
        return Err(Rejection::ShipmentNotFound);
    }
    command.expected.check(shipment.version)?;
    if !moves::holds_levels(draft, &shipment) {
        return Ok(());
    }
    let part = Part { command, id, store_id, shipment };
    match step {
        PartStep::Instruct => part.instruct(draft),
        PartStep::Ship { lines, carrier } => part.ship(draft, lines, carrier),
        PartStep::Deliver => part.deliver(draft),
        PartStep::Refuse { refused, reason, planned } => {
            part.refuse(draft, *refused, reason.as_ref(), planned)
        }
        PartStep::Cancel { reason } => part.cancel(draft, reason.as_ref()),
    }
}

impl Part<'_> {
    /// What it holds; it must hold something.
    fn held(&self) -> Result<Vec<LineQty>, Rejection> {
        let held = self.shipment.held();
        let state = SmolStr::new_static(self.shipment.state().as_str());
        if held.is_empty() { Err(Rejection::ShipmentClosed { state }) } else { Ok(held) }
    }

    fn fact(&self, change: OrderChange) -> OrderFact {
        order_fact(&self.command.order_id, change)
    }

    fn confirm(&self, draft: &mut Draft<'_>) {
        if !draft.state::<Order>(&self.command.key()).confirmed {
            draft.record(Fact::Order(Box::new(self.fact(OrderChange::Confirmed))));
        }
    }

    /// The shipment's number, when nothing is left of it by now.
    fn closed(&self, draft: &Draft<'_>) -> Vec<u16> {
        let shipment = draft.state::<Shipment>(&Key::Shipment(self.id.clone()));
        if shipment.is_closed() { vec![self.id.number()] } else { Vec::new() }
    }

    fn instruct(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        self.held()?;
        if !self.shipment.instructed {
            check_hold(draft, self.command)?;
            let fact = shipment_fact(&self.id, self.store_id, ShipmentChange::Instructed, Vec::new());
            draft.record(Fact::Shipment(Box::new(fact)));
        }
        Ok(())
    }

    /// Shipping all that is held once more changes nothing.
    fn ship(&self, draft: &mut Draft<'_>, lines: &[LineQty], carrier: &Carrier) -> Result<(), Rejection> {
        let done = matches!(self.shipment.state(), ShipmentState::Shipped | ShipmentState::Delivered);
        if done && lines.is_empty() {
            return Ok(());
        }
        let held = self.held()?;
        debug_assert!(lines.is_sorted_by(|one, next| one.line < next.line), "each line once, in order");
        for wanted in lines {
            let of_line = held.iter().find(|held| (held.line, &held.sku) == (wanted.line, &wanted.sku));
            let held = of_line.map(|held| held.qty).unwrap_or_default();
            if wanted.qty > held {
                return Err(Rejection::ShipmentExceeds { line: wanted.line, held });
            }
        }
        check_hold(draft, self.command)?;
        let lines = if lines.is_empty() { &held } else { lines };
        self.confirm(draft);
        moves::commit(draft, &self.id, self.store_id, lines, carrier);
        let mut deltas = Deltas::default();
        deltas.add(lines, |qty| Pieces { shipped: qty, ..Pieces::default() });
        let fact = OrderFact { lines: deltas.into_lines(), ..self.fact(OrderChange::Shipped) };
        draft.record(Fact::Order(Box::new(fact)));
        Ok(())
    }

    fn deliver(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let under_way = self.shipment.under_way();
        if under_way.is_empty() {
            return match self.shipment.state() {
                ShipmentState::Delivered => Ok(()),
                state => Err(Rejection::IllegalTransition {
                    from: SmolStr::new_static(state.as_str()),
                    to: SmolStr::new_static(ShipmentState::Delivered.as_str()),
                    allowed: if self.held().is_ok() {
                        [ShipmentState::Shipped, ShipmentState::Refused, ShipmentState::Cancelled]
                            .map(|state| SmolStr::new_static(state.as_str()))
                            .to_vec()
                    } else {
                        Vec::new()
                    },
                }),
            };
        }
        let fact = shipment_fact(&self.id, self.store_id, ShipmentChange::Delivered, under_way.clone());
        draft.record(Fact::Shipment(Box::new(fact)));
        let mut deltas = Deltas::default();
        deltas.add(&under_way, |qty| Pieces { delivered: qty, ..Pieces::default() });
        let (lines, closed) = (deltas.into_lines(), self.closed(draft));
        draft.record(Fact::Order(Box::new(OrderFact { lines, closed, ..self.fact(OrderChange::Delivered) })));
        Ok(())
    }

    /// What other stores do not hold in its place waits.
    fn refuse(
        &self,
        draft: &mut Draft<'_>,
        refused: Refused,
        reason: Option<&SmolStr>,
        planned: &[Planned],
    ) -> Result<(), Rejection> {
        if self.shipment.state() == ShipmentState::Refused && planned.is_empty() {
            return Ok(());
        }
        let held = self.held()?;
        moves::release(draft, &self.id, self.store_id, &held, (Some(refused), reason));
        moves::correct_stock(draft, self.store_id, &held, refused);
        let mut deltas = Deltas::default();
        deltas.add(&held, |qty| Pieces { waiting: qty, ..Pieces::default() });
        for part in planned {
            deltas.add(&part.lines, |qty| Pieces { waiting: qty.negated(), ..Pieces::default() });
        }
        let lines = deltas.into_lines();
        if lines.iter().any(|delta| delta.pieces.waiting < Quantity::ZERO) {
            let current_version = self.shipment.version;
            return Err(Rejection::VersionConflict { current_version });
        }
        let Some(opened) = moves::hold(draft, self.command, planned)? else { return Ok(()) };
        let (closed, reason) = (self.closed(draft), reason.cloned());
        let fact = OrderFact {
            lines,
            opened,
            closed,
            avoids: Some(self.store_id.clone()),
            reason,
            ..self.fact(OrderChange::Refused)
        };
        draft.record(Fact::Order(Box::new(fact)));
        Ok(())
    }

    fn cancel(&self, draft: &mut Draft<'_>, reason: Option<&SmolStr>) -> Result<(), Rejection> {
        if self.shipment.state() == ShipmentState::Cancelled {
            return Ok(());
        }
        let held = self.held()?;
        moves::release(draft, &self.id, self.store_id, &held, (None, reason));
        let mut deltas = Deltas::default();
        deltas.add(&held, |qty| Pieces { waiting: qty, ..Pieces::default() });
        let (lines, closed, reason) = (deltas.into_lines(), self.closed(draft), reason.cloned());
        let fact = OrderFact {
            lines,
            closed,
            avoids: Some(self.store_id.clone()),
            reason,
            ..self.fact(OrderChange::Withdrawn)
        };
        draft.record(Fact::Order(Box::new(fact)));
        Ok(())
    }
}
