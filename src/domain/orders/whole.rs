//! The decisions on a whole order: confirm, cancel, ship, deliver.

use super::checks::{check_hold, existing, illegal};
use super::command::{Carrier, OrderCommand, Planned};
use super::line::Pieces;
use super::moves::{self, Deltas, order_fact, shipment_fact};
use super::order::Order;
use super::order_fact::{OrderChange, OrderFact, Partial};
use super::place;
use super::shipment_fact::ShipmentChange;
use super::status::OrderStatus;
use crate::{Draft, Fact, Quantity, Rejection};
use smol_str::SmolStr;

pub(super) fn confirm(
    draft: &mut Draft<'_>,
    command: &OrderCommand,
    planned: &[Planned],
) -> Result<(), Rejection> {
    let order = existing(draft, command)?;
    match order.status() {
        OrderStatus::Placed => {}
        OrderStatus::Confirmed => return Ok(()),
        status => return Err(illegal(status, OrderStatus::Confirmed)),
    }
    check_hold(draft, command)?;
    let may_wait = order.details.policy.partial == Partial::Backorder;
    place::allot_waiting(draft, command, planned)?;
    let waiting = waiting(draft.state::<Order>(&command.key()));
    if draft.needs().is_empty() && waiting > Quantity::ZERO && !may_wait {
        return Err(Rejection::NotAllotted { waiting });
    }
    draft.record(Fact::Order(Box::new(order_fact(&command.order_id, OrderChange::Confirmed))));
    Ok(())
}

fn waiting(order: &Order) -> Quantity {
    order.sums().map(|(_, pieces)| pieces.waiting).unwrap_or_default()
}

pub(super) fn cancel(
    draft: &mut Draft<'_>,
    command: &OrderCommand,
    reason: Option<&SmolStr>,
) -> Result<(), Rejection> {
    let order = existing(draft, command)?;
    match order.status() {
        OrderStatus::Cancelled => return Ok(()),
        status @ OrderStatus::Delivered => return Err(illegal(status, OrderStatus::Cancelled)),
        _ => {}
    }
    if order.lines.iter().any(|line| line.pieces.shipped > Quantity::ZERO) {
        return Err(Rejection::AlreadyShipped);
    }
    let closed = order.open_shipments.clone();
    let lines = order.lines.iter().map(|line| {
        let waiting = line.pieces.waiting;
        let cancelled = waiting.checked_add(line.open()).unwrap_or_default();
        let pieces = Pieces { cancelled, waiting: waiting.negated(), ..Pieces::default() };
        super::LineDelta { line: line.line, pieces }
    });
    let lines = lines.filter(|delta| delta.pieces != Pieces::default()).collect();
    let Some(open) = moves::open_shipments(draft, command) else { return Ok(()) };
    for (id, shipment) in open {
        let Some(store_id) = &shipment.store_id else { continue };
        moves::release(draft, &id, store_id, &shipment.held(), (None, reason));
    }
    let reason = reason.cloned();
    let fact = OrderFact { lines, closed, reason, ..order_fact(&command.order_id, OrderChange::Cancelled) };
    draft.record(Fact::Order(Box::new(fact)));
    Ok(())
}

/// All or nothing: an order that waits for stock is not shipped.
pub(super) fn ship(
    draft: &mut Draft<'_>,
    command: &OrderCommand,
    carrier: &Carrier,
) -> Result<(), Rejection> {
    let order = existing(draft, command)?;
    match order.status() {
        OrderStatus::Placed | OrderStatus::Confirmed => {}
        OrderStatus::Shipped => return Ok(()),
        status => return Err(illegal(status, OrderStatus::Shipped)),
    }
    check_hold(draft, command)?;
    let (waiting, confirmed) = (waiting(order), order.confirmed);
    if waiting > Quantity::ZERO {
        return Err(Rejection::NotAllotted { waiting });
    }
    let Some(open) = moves::open_shipments(draft, command) else { return Ok(()) };
    if !confirmed {
        draft.record(Fact::Order(Box::new(order_fact(&command.order_id, OrderChange::Confirmed))));
    }
    let mut deltas = Deltas::default();
    for (id, shipment) in open {
        let (held, Some(store_id)) = (shipment.held(), &shipment.store_id) else { continue };
        if !held.is_empty() {
            moves::commit(draft, &id, store_id, &held, carrier);
            deltas.add(&held, |qty| Pieces { shipped: qty, ..Pieces::default() });
        }
    }
    let fact =
        OrderFact { lines: deltas.into_lines(), ..order_fact(&command.order_id, OrderChange::Shipped) };
    draft.record(Fact::Order(Box::new(fact)));
    Ok(())
}

pub(super) fn deliver(draft: &mut Draft<'_>, command: &OrderCommand) -> Result<(), Rejection> {
    let order = existing(draft, command)?;
    match order.status() {
        OrderStatus::Shipped => {}
        OrderStatus::Delivered => return Ok(()),
        status => return Err(illegal(status, OrderStatus::Delivered)),
    }
    let Some(open) = moves::open_shipments(draft, command) else { return Ok(()) };
    let (mut deltas, mut closed) = (Deltas::default(), Vec::new());
    for (id, shipment) in open {
        let (under_way, Some(store_id)) = (shipment.under_way(), &shipment.store_id) else { continue };
        let fact = shipment_fact(&id, store_id, ShipmentChange::Delivered, under_way.clone());
        draft.record(Fact::Shipment(Box::new(fact)));
        deltas.add(&under_way, |qty| Pieces { delivered: qty, ..Pieces::default() });
        closed.push(id.number());
    }
    let lines = deltas.into_lines();
    let fact = OrderFact { lines, closed, ..order_fact(&command.order_id, OrderChange::Delivered) };
    draft.record(Fact::Order(Box::new(fact)));
    Ok(())
}
