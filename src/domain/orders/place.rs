//! Placing: an order comes to be, and stores hold its pieces; and pieces that are allotted later.

use super::checks::{check_hold, existing, illegal};
use super::command::{OrderCommand, Planned};
use super::line::Pieces;
use super::moves::{self, Deltas, order_fact};
use super::order::Order;
use super::order_fact::{OrderChange, OrderFact, Placed};
use super::status::OrderStatus;
use crate::{Draft, Fact, Quantity, Rejection};

/// Places an order. Placing the same content again changes nothing.
pub(super) fn place(
    draft: &mut Draft<'_>,
    command: &OrderCommand,
    placed: &Placed,
    planned: &[Planned],
) -> Result<(), Rejection> {
    let order = draft.state::<Order>(&command.key());
    if order.version > 0 {
        let differs = order.differs(placed);
        let current_version = order.version;
        return if differs.is_empty() {
            Ok(())
        } else {
            Err(Rejection::OrderExists { current_version, differs })
        };
    }
    let mut ordered = Order::default();
    ordered.place(placed).map_err(|_| Rejection::OutOfRange)?;
    let Some(opened) = moves::hold(draft, command, planned)? else { return Ok(()) };
    let mut held = Deltas::default();
    for part in planned {
        held.add(&part.lines, |qty| Pieces { shipped: qty, ..Pieces::default() });
    }
    // What stores hold, and nothing else, is left of each line.
    let held = held.into_lines();
    let is_open = |line: &super::Line| {
        let held = held.iter().find(|held| held.line == line.line).map(|held| held.pieces.shipped);
        line.open() == held.unwrap_or_default()
    };
    if !ordered.lines.iter().all(is_open) {
        return Err(Rejection::NotAllotted {
            waiting: ordered.lines.iter().map(super::Line::open).max().unwrap_or_default(),
        });
    }
    let fact = OrderFact {
        placed: Some(Box::new(Placed { placed_at: draft.now(), ..placed.clone() })),
        opened,
        ..order_fact(&command.order_id, OrderChange::Placed)
    };
    draft.record(Fact::Order(Box::new(fact)));
    if placed.details.policy.auto_confirm {
        draft.record(Fact::Order(Box::new(order_fact(&command.order_id, OrderChange::Confirmed))));
    }
    Ok(())
}

/// Stores hold pieces that have been waiting.
pub(super) fn allot(
    draft: &mut Draft<'_>,
    command: &OrderCommand,
    planned: &[Planned],
) -> Result<(), Rejection> {
    let order = existing(draft, command)?;
    let status = order.status();
    if matches!(status, OrderStatus::Shipped | OrderStatus::Delivered | OrderStatus::Cancelled) {
        return Err(illegal(status, OrderStatus::Confirmed));
    }
    allot_waiting(draft, command, planned)
}

/// As [`allot`], of an order that goes on.
pub(super) fn allot_waiting(
    draft: &mut Draft<'_>,
    command: &OrderCommand,
    planned: &[Planned],
) -> Result<(), Rejection> {
    if planned.is_empty() {
        return Ok(());
    }
    check_hold(draft, command)?;
    let mut deltas = Deltas::default();
    for part in planned {
        deltas.add(&part.lines, |qty| Pieces { waiting: qty.negated(), ..Pieces::default() });
    }
    let lines = deltas.into_lines();
    let order = draft.state::<Order>(&command.key());
    for delta in &lines {
        let waiting = order.lines.iter().find(|line| line.line == delta.line).map(|line| line.pieces.waiting);
        let waiting = waiting.unwrap_or_default();
        // The order has moved on since the stores were chosen.
        if waiting.checked_add(delta.pieces.waiting).is_none_or(Quantity::is_negative) {
            return Err(Rejection::VersionConflict { current_version: order.version });
        }
    }
    let Some(opened) = moves::hold(draft, command, planned)? else { return Ok(()) };
    let fact = OrderFact { lines, opened, ..order_fact(&command.order_id, OrderChange::Allotted) };
    draft.record(Fact::Order(Box::new(fact)));
    Ok(())
}
