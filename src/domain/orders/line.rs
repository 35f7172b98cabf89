//! The lines of an order: what became of the pieces of each.

use crate::{Misfit, Quantity, Sku};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// A change of a line that leaves more pieces than were ordered, or less than none.
const CONSERVATION: Misfit =
    Misfit("the event gives a line more pieces than were ordered, or less than none");
/// A change of a line that the order does not have.
const LINE: Misfit = Misfit("the event changes a line that the order does not have");

/// One line, as it was ordered. Money is in minor units of the order's currency, such as cents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Line {
    /// Its number within the order, from 1.
    pub line: u16,
    /// The SKU.
    pub sku: Sku,
    /// The name of the product at the time of the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<SmolStr>,
    /// The ordered pieces, at least 1.
    pub qty: Quantity,
    /// The price of one piece at the time of the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<Quantity>,
    /// The discount on the whole line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Quantity>,
    /// The tax on the whole line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<Quantity>,
    /// What became of its pieces.
    #[serde(default, skip_serializing_if = "Pieces::is_none")]
    pub pieces: Pieces,
}

/// What became of pieces; the rest of the ordered ones are open: shipments hold them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Pieces {
    /// Cancelled ones.
    #[serde(skip_serializing_if = "is_zero")]
    pub cancelled: Quantity,
    /// Those that no store has been found for yet.
    #[serde(skip_serializing_if = "is_zero")]
    pub waiting: Quantity,
    /// Those that have left a store; the delivered ones are among them.
    #[serde(skip_serializing_if = "is_zero")]
    pub shipped: Quantity,
    /// Those that have reached the customer.
    #[serde(skip_serializing_if = "is_zero")]
    pub delivered: Quantity,
    /// Those that have left and came back.
    #[serde(skip_serializing_if = "is_zero")]
    pub returned: Quantity,
}

/// A change of the pieces of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LineDelta {
    /// The number of the line.
    pub line: u16,
    /// The change; each number may be negative.
    pub pieces: Pieces,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
fn is_zero(quantity: &Quantity) -> bool {
    *quantity == Quantity::ZERO
}

impl Pieces {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
    fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// The sums; none when one leaves the range.
    pub fn plus(self, other: Self) -> Option<Self> {
        Some(Self {
            cancelled: self.cancelled.checked_add(other.cancelled)?,
            waiting: self.waiting.checked_add(other.waiting)?,
            shipped: self.shipped.checked_add(other.shipped)?,
            delivered: self.delivered.checked_add(other.delivered)?,
            returned: self.returned.checked_add(other.returned)?,
        })
    }

    /// The same numbers with the opposite sign.
    #[must_use]
    pub const fn negated(self) -> Self {
        Self {
            cancelled: self.cancelled.negated(),
            waiting: self.waiting.negated(),
            shipped: self.shipped.negated(),
            delivered: self.delivered.negated(),
            returned: self.returned.negated(),
        }
    }

    /// The open ones of `qty` ordered pieces; none when these numbers are not possible.
    pub fn open_of(&self, qty: Quantity) -> Option<Quantity> {
        let all = [self.cancelled, self.waiting, self.shipped, self.delivered, self.returned];
        let none_negative = all.into_iter().all(|pieces| !pieces.is_negative());
        let of_shipped = self.delivered <= self.shipped && self.returned <= self.shipped;
        let open = qty.checked_sub(self.cancelled)?.checked_sub(self.waiting)?.checked_sub(self.shipped)?;
        (none_negative && !open.is_negative() && of_shipped).then_some(open)
    }
}

impl Line {
    /// The pieces that shipments hold.
    pub fn open(&self) -> Quantity {
        self.pieces.open_of(self.qty).unwrap_or_default()
    }

    /// True when no piece of it has left a store.
    pub(super) fn has_not_left(&self) -> bool {
        let Pieces { shipped, delivered, returned, .. } = self.pieces;
        [shipped, delivered, returned] == [Quantity::ZERO; 3]
    }

    /// The amount of the ordered pieces: price, less discount, plus tax. None without a price, and beyond the range.
    pub fn amount(&self) -> Option<Quantity> {
        let price = i128::from(self.unit_price?.get()) * i128::from(self.qty.get());
        let price = Quantity::new(i64::try_from(price).ok()?).ok()?;
        price.checked_sub(self.discount.unwrap_or_default())?.checked_add(self.tax.unwrap_or_default())
    }
}

/// Changes lines; on an error all are as before.
pub(super) fn change(lines: &mut [Line], deltas: &[LineDelta]) -> Result<(), Misfit> {
    for (done, delta) in deltas.iter().enumerate() {
        if let Err(misfit) = change_one(lines, *delta) {
            roll_back(lines, deltas.get(..done).unwrap_or_default());
            return Err(misfit);
        }
    }
    Ok(())
}

fn change_one(lines: &mut [Line], delta: LineDelta) -> Result<(), Misfit> {
    let line = lines.iter_mut().find(|line| line.line == delta.line).ok_or(LINE)?;
    let pieces = line.pieces.plus(delta.pieces).ok_or(Misfit::NUMBER)?;
    pieces.open_of(line.qty).ok_or(CONSERVATION)?;
    line.pieces = pieces;
    Ok(())
}

/// Takes changes back, the last one first.
pub(super) fn roll_back(lines: &mut [Line], deltas: &[LineDelta]) {
    for delta in deltas.iter().rev() {
        if let Some(line) = lines.iter_mut().find(|line| line.line == delta.line) {
            line.pieces = line.pieces.plus(delta.pieces.negated()).unwrap_or_default();
        }
    }
}
