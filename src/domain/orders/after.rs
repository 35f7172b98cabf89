//! The decisions on payments, returns and the hold of an order.

use super::checks::existing;
use super::command::OrderCommand;
use super::line::{LineDelta, Pieces};
use super::moves::order_fact;
use super::order::Order;
use super::order_fact::{OrderChange, OrderFact};
use super::payment::{Payment, PaymentSums};
use super::returning::{self, Return, ReturnState};
use crate::limits::{ORDER_PAYMENTS_MAX, ORDER_RETURNS_MAX};
use crate::stock::{AdjustKind, Adjusted, StockFact, check_delta};
use crate::{Draft, Fact, Key, Quantity, Rejection};
use smol_str::SmolStr;

/// Records a payment. The same record once more changes nothing.
pub(super) fn pay(draft: &mut Draft<'_>, command: &OrderCommand, payment: &Payment) -> Result<(), Rejection> {
    let order = existing(draft, command)?;
    let payment = Payment { at: draft.now(), ..payment.clone() };
    if let Some(known) = order.payments.iter().find(|known| known.payment_id == payment.payment_id) {
        let same = Payment { at: payment.at, ..known.clone() } == payment;
        return if same { Ok(()) } else { Err(Rejection::PaymentExists) };
    }
    if order.payments.len() >= ORDER_PAYMENTS_MAX {
        return Err(Rejection::TooManyPayments);
    }
    let sums = PaymentSums::of(&order.payments).unwrap_or_default();
    if let Some(room) = sums.room(payment.kind, order.amount()).filter(|room| payment.amount > *room) {
        return Err(Rejection::AmountExceeds { available: room });
    }
    let mut with = order.payments.clone();
    with.push(payment.clone());
    PaymentSums::of(&with).ok_or(Rejection::OutOfRange)?;
    let fact = OrderFact { payment: Some(payment), ..order_fact(&command.order_id, OrderChange::Payment) };
    draft.record(Fact::Order(Box::new(fact)));
    Ok(())
}

/// Sets or releases the hold; the same once more changes nothing.
pub(super) fn set_hold(
    draft: &mut Draft<'_>,
    command: &OrderCommand,
    hold: bool,
    reason: Option<&SmolStr>,
) -> Result<(), Rejection> {
    let order = existing(draft, command)?;
    if order.on_hold == hold {
        return Ok(());
    }
    let change = if hold { OrderChange::Held } else { OrderChange::HoldReleased };
    let fact = OrderFact { reason: reason.cloned(), ..order_fact(&command.order_id, change) };
    draft.record(Fact::Order(Box::new(fact)));
    Ok(())
}

/// A step of a return. Pieces that come and can be sold are stock of the store from then on.
pub(super) fn take_back(
    draft: &mut Draft<'_>,
    command: &OrderCommand,
    step: &Return,
) -> Result<(), Rejection> {
    let order = existing(draft, command)?;
    let known = order.returns.iter().find(|known| known.return_id == step.return_id);
    let step = match known {
        // A step that says no pieces is about those of the request.
        Some(known) => Return {
            lines: if step.lines.is_empty() { known.lines.clone() } else { step.lines.clone() },
            store_id: step.store_id.clone().or_else(|| known.store_id.clone()),
            reason: step.reason.clone().or_else(|| known.reason.clone()),
            ..step.clone()
        },
        None => step.clone(),
    };
    check_step(order, known, &step)?;
    if known == Some(&step) {
        return Ok(());
    }
    let mut lines = Vec::new();
    if let (ReturnState::Received, Some(store_id)) = (step.state, step.store_id.clone()) {
        let order = order.clone();
        for returned in &step.lines {
            let Some(line) = order.lines.iter().find(|line| line.line == returned.line) else { continue };
            lines.push(LineDelta {
                line: line.line,
                pieces: Pieces { returned: returned.qty, ..Pieces::default() },
            });
            if returned.sellable == Quantity::ZERO {
                continue;
            }
            let key = Key::Level(store_id.clone(), line.sku.clone());
            check_delta(draft.state::<crate::stock::Level>(&key), returned.sellable)?;
            draft.record(Fact::Level(StockFact::Adjust(Adjusted {
                sku: line.sku.clone(),
                store_id: store_id.clone(),
                delta: returned.sellable,
                expected_version: None,
                reason: None,
                reference: Some(SmolStr::new(command.order_id.as_str())),
                occurred_at: None,
                kind: Some(AdjustKind::Return),
            })));
        }
    }
    let returned = Some(Box::new(step));
    let fact = OrderFact { lines, returned, ..order_fact(&command.order_id, OrderChange::Return) };
    draft.record(Fact::Order(Box::new(fact)));
    Ok(())
}

fn check_step(order: &Order, known: Option<&Return>, step: &Return) -> Result<(), Rejection> {
    match known {
        None if step.state != ReturnState::Requested => return Err(Rejection::ReturnNotFound),
        None if order.returns.len() >= ORDER_RETURNS_MAX => return Err(Rejection::TooManyReturns),
        Some(known) if step.state == known.state => {
            let same = known == step;
            return if same { Ok(()) } else { Err(Rejection::ReturnExists) };
        }
        Some(known) if !known.state.allowed().contains(&step.state) => {
            let text = |state: ReturnState| SmolStr::new_static(state.as_str());
            let allowed = known.state.allowed().iter().map(|state| text(*state)).collect();
            return Err(Rejection::IllegalTransition {
                from: text(known.state),
                to: text(step.state),
                allowed,
            });
        }
        _ => {}
    }
    match returning::exceeds(&order.lines, &order.returns, step) {
        Some((line, available)) => Err(Rejection::ReturnExceeds { line, available }),
        None => Ok(()),
    }
}
