//! Payments of an order: records of what happened elsewhere. Nothing is paid here.

use crate::limits::ORDER_PAYMENTS_MAX;
use crate::{Misfit, PaymentId, Quantity, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// A payment that cannot be: a second one of its id, or an amount beyond what it is about.
const PAYMENT: Misfit = Misfit("the event records a payment that cannot be");

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaymentKind {
    /// The customer's bank has reserved the amount.
    Authorised,
    /// The reservation of the amount was given up.
    Voided,
    /// The amount was taken.
    Captured,
    /// The amount was given back.
    Refunded,
    /// The payment was refused: it changes nothing.
    Failed,
    /// The customer disputes the amount.
    Disputed,
    /// A dispute about the amount has ended for the shop.
    Settled,
}

/// A record of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Payment {
    /// Its id, unique within the order.
    pub payment_id: PaymentId,
    /// What happened.
    pub kind: PaymentKind,
    /// The amount in minor units of the order's currency, at least 1.
    pub amount: Quantity,
    /// The id at the payment provider, free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<SmolStr>,
    /// When it was recorded.
    pub at: Timestamp,
}

/// How far an order is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaymentStatus {
    /// Nothing is paid.
    Unpaid,
    /// The whole or a part is authorised, and nothing is captured.
    Authorised,
    /// A part is captured.
    PartPaid,
    /// All of it is captured.
    Paid,
    /// A part of what was captured is refunded.
    PartRefunded,
    /// All that was captured is refunded.
    Refunded,
    /// The customer disputes something.
    Disputed,
}

/// The amounts of all payments of an order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PaymentSums {
    /// Authorised, without what was voided.
    pub authorised: Quantity,
    /// Captured; refunded amounts are among them.
    pub captured: Quantity,
    /// Refunded.
    pub refunded: Quantity,
    /// Disputed, without what was settled.
    pub disputed: Quantity,
}

impl PaymentSums {
    /// The sums of some records; none when a sum leaves its range.
    pub fn of(payments: &[Payment]) -> Option<Self> {
        payments.iter().try_fold(Self::default(), Self::with)
    }

    fn with(mut self, payment: &Payment) -> Option<Self> {
        let (sum, adds) = match payment.kind {
            PaymentKind::Authorised => (&mut self.authorised, true),
            PaymentKind::Voided => (&mut self.authorised, false),
            PaymentKind::Captured => (&mut self.captured, true),
            PaymentKind::Refunded => (&mut self.refunded, true),
            PaymentKind::Disputed => (&mut self.disputed, true),
            PaymentKind::Settled => (&mut self.disputed, false),
            PaymentKind::Failed => return Some(self),
        };
        let moved = if adds { sum.checked_add(payment.amount) } else { sum.checked_sub(payment.amount) };
        *sum = moved.filter(|sum| !sum.is_negative())?;
        Some(self)
    }

    /// See [`PaymentStatus`]; `total` is the amount of the order.
    pub fn status(&self, total: Option<Quantity>) -> PaymentStatus {
        let zero = Quantity::ZERO;
        if self.disputed > zero {
            PaymentStatus::Disputed
        } else if self.captured > zero && self.refunded >= self.captured {
            PaymentStatus::Refunded
        } else if self.refunded > zero {
            PaymentStatus::PartRefunded
        } else if self.captured > zero {
            if total.is_none_or(|total| self.captured >= total) {
                PaymentStatus::Paid
            } else {
                PaymentStatus::PartPaid
            }
        } else if self.authorised > zero {
            PaymentStatus::Authorised
        } else {
            PaymentStatus::Unpaid
        }
    }

    /// The most that a further payment of that kind may be; none when there is no bound. No more is captured than was authorised or
    /// than the order costs, and no more is given back than was captured.
    pub fn room(&self, kind: PaymentKind, total: Option<Quantity>) -> Option<Quantity> {
        let less = |most: Quantity, than: Quantity| Some(most.checked_sub(than).unwrap_or_default());
        match kind {
            PaymentKind::Authorised | PaymentKind::Failed => None,
            PaymentKind::Voided => Some(self.authorised),
            PaymentKind::Captured => less(self.authorised.max(total?), self.captured),
            PaymentKind::Refunded => less(self.captured, self.refunded),
            PaymentKind::Disputed => less(self.captured, self.disputed),
            PaymentKind::Settled => Some(self.disputed),
        }
    }
}

/// Adds a record.
pub(super) fn add(
    payments: &mut Vec<Payment>,
    payment: &Payment,
    total: Option<Quantity>,
) -> Result<(), Misfit> {
    let sums = PaymentSums::of(payments).ok_or(PAYMENT)?;
    let beyond = sums.room(payment.kind, total).is_some_and(|room| payment.amount > room);
    let known = payments.iter().any(|known| known.payment_id == payment.payment_id);
    if beyond || known || payment.amount <= Quantity::ZERO || payments.len() >= ORDER_PAYMENTS_MAX {
        return Err(PAYMENT);
    }
    sums.with(payment).ok_or(Misfit::NUMBER)?;
    payments.push(payment.clone());
    Ok(())
}
