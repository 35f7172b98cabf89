//! The shipment: what one store is to send for one order.

use super::shipment_fact::{LineQty, Refused, ShipmentChange, ShipmentFact};
use crate::limits::ORDER_LINES_MAX;
use crate::{Misfit, Quantity, Sku, StoreId, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// An event that does not follow the state of its shipment.
pub(super) const STEP: Misfit = Misfit("the event does not follow the state of the shipment");
/// More pieces than the shipment has in that state.
const PIECES: Misfit = Misfit("the event moves pieces that the shipment does not have");

/// The state of a shipment, worked out from its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the words of ShipmentChange")]
pub enum ShipmentState {
    Held,
    Instructed,
    Shipped,
    Delivered,
    Refused,
    Cancelled,
}

/// One line of a shipment. The pieces that are neither shipped nor dropped are held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShipmentLine {
    /// The number of the order's line.
    pub line: u16,
    /// Its SKU.
    pub sku: Sku,
    /// The pieces that were held at first.
    pub qty: Quantity,
    /// Those that have left; the delivered ones are among them.
    #[serde(default)]
    pub shipped: Quantity,
    /// Those that have reached the customer.
    #[serde(default)]
    pub delivered: Quantity,
    /// Those that the store refused, or that were cancelled.
    #[serde(default)]
    pub dropped: Quantity,
}

/// A shipment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shipment {
    /// The store that sends it; none before its first event.
    pub store_id: Option<StoreId>,
    /// The lines.
    pub lines: Vec<ShipmentLine>,
    /// True when the store is to send it.
    pub instructed: bool,
    /// Why the store refused, where it did.
    pub refused: Option<Refused>,
    /// The reason of the last step that gave one.
    pub reason: Option<SmolStr>,
    /// Who carries it.
    pub carrier: Option<SmolStr>,
    /// The number by which the carrier follows it.
    pub tracking: Option<SmolStr>,
    /// Counts its events.
    pub version: u64,
    /// The time of the last event.
    pub updated_at: Timestamp,
}

/// The pieces of a shipment after an event, over all lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShipmentAfter {
    /// The pieces that the store holds for it.
    pub held: Quantity,
    /// Those that have left the store.
    pub shipped: Quantity,
    /// Those that have reached the customer.
    pub delivered: Quantity,
    /// The version.
    pub version: u64,
}

impl ShipmentState {
    /// The name, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Instructed => "instructed",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
        }
    }
}

impl ShipmentLine {
    /// The pieces that the store holds; none when the numbers are not possible.
    pub(super) fn held_of(&self) -> Option<Quantity> {
        let held = self.qty.checked_sub(self.shipped)?.checked_sub(self.dropped)?;
        let possible =
            [self.shipped, self.delivered, self.dropped, held].iter().all(|pieces| !pieces.is_negative());
        (possible && self.delivered <= self.shipped).then_some(held)
    }

    /// The pieces that the store holds.
    pub fn held(&self) -> Quantity {
        self.held_of().unwrap_or_default()
    }

    /// The pieces on their way.
    pub fn under_way(&self) -> Quantity {
        self.shipped.checked_sub(self.delivered).unwrap_or_default()
    }
}

impl Shipment {
    /// See [`ShipmentState`].
    pub fn state(&self) -> ShipmentState {
        let ShipmentAfter { held, shipped, delivered, .. } = self.after();
        if held > Quantity::ZERO {
            if self.instructed { ShipmentState::Instructed } else { ShipmentState::Held }
        } else if shipped > Quantity::ZERO {
            if delivered == shipped { ShipmentState::Delivered } else { ShipmentState::Shipped }
        } else if self.refused.is_some() {
            ShipmentState::Refused
        } else {
            ShipmentState::Cancelled
        }
    }

    /// True when nothing is held, and nothing is on its way.
    pub fn is_closed(&self) -> bool {
        let ShipmentAfter { held, shipped, delivered, .. } = self.after();
        held == Quantity::ZERO && shipped == delivered
    }

    /// The pieces that the store holds, by line.
    pub fn held(&self) -> Vec<LineQty> {
        self.pieces(ShipmentLine::held)
    }

    /// The pieces on their way, by line.
    pub fn under_way(&self) -> Vec<LineQty> {
        self.pieces(ShipmentLine::under_way)
    }

    fn pieces(&self, of: impl Fn(&ShipmentLine) -> Quantity) -> Vec<LineQty> {
        let lines =
            self.lines.iter().map(|line| LineQty { line: line.line, sku: line.sku.clone(), qty: of(line) });
        lines.filter(|line| line.qty > Quantity::ZERO).collect()
    }

    pub(super) fn after(&self) -> ShipmentAfter {
        let none = ShipmentAfter { version: self.version, ..ShipmentAfter::default() };
        let sum = |sums: ShipmentAfter, line: &ShipmentLine| {
            Some(ShipmentAfter {
                held: sums.held.checked_add(line.held_of()?)?,
                shipped: sums.shipped.checked_add(line.shipped)?,
                delivered: sums.delivered.checked_add(line.delivered)?,
                version: sums.version,
            })
        };
        self.lines.iter().try_fold(none, sum).unwrap_or(none)
    }

    fn hold(&mut self, fact: &ShipmentFact) -> Result<(), Misfit> {
        let rising = fact.lines.windows(2).all(|pair| matches!(pair, [one, next] if one.line < next.line));
        if fact.lines.is_empty() || fact.lines.len() > ORDER_LINES_MAX || !rising {
            return Err(PIECES);
        }
        let none = Quantity::ZERO;
        let line = |LineQty { line, sku, qty }: LineQty| ShipmentLine {
            line,
            sku,
            qty,
            shipped: none,
            delivered: none,
            dropped: none,
        };
        self.store_id = Some(fact.store_id.clone());
        self.lines = fact.lines.iter().cloned().map(line).collect();
        if self.lines.iter().all(|line| line.qty > none) { Ok(()) } else { Err(PIECES) }
    }

    fn move_pieces(&mut self, fact: &ShipmentFact) -> Result<(), Misfit> {
        let about_pieces = fact.change != ShipmentChange::Instructed;
        if about_pieces == fact.lines.is_empty() {
            return Err(STEP);
        }
        for LineQty { line, sku, qty } in &fact.lines {
            let of_line = |known: &&mut ShipmentLine| known.line == *line && known.sku == *sku;
            let line = self.lines.iter_mut().find(of_line).ok_or(PIECES)?;
            let pieces = match fact.change {
                ShipmentChange::Shipped => &mut line.shipped,
                ShipmentChange::Delivered => &mut line.delivered,
                ShipmentChange::Refused | ShipmentChange::Cancelled => &mut line.dropped,
                ShipmentChange::Held | ShipmentChange::Instructed => return Err(STEP),
            };
            *pieces = pieces.checked_add(*qty).filter(|_| *qty > Quantity::ZERO).ok_or(PIECES)?;
            line.held_of().ok_or(PIECES)?;
        }
        Ok(())
    }

    pub(super) fn step(&mut self, fact: &ShipmentFact, at: Timestamp) -> Result<(), Misfit> {
        let begins = fact.change == ShipmentChange::Held;
        let same_store = self.store_id.as_ref() == Some(&fact.store_id);
        if begins != (self.version == 0) || (!begins && !same_store) {
            return Err(STEP);
        }
        if (fact.change == ShipmentChange::Refused) != fact.refused.is_some() {
            return Err(STEP);
        }
        if begins {
            self.hold(fact)?;
        } else {
            self.move_pieces(fact)?;
        }
        self.instructed |= fact.change == ShipmentChange::Instructed;
        let replace = |member: &mut Option<SmolStr>, by: &Option<SmolStr>| {
            if by.is_some() {
                member.clone_from(by);
            }
        };
        self.refused = fact.refused.or(self.refused);
        replace(&mut self.reason, &fact.reason);
        replace(&mut self.carrier, &fact.carrier);
        replace(&mut self.tracking, &fact.tracking);
        self.version += 1;
        self.updated_at = at;
        // The sums are within the range, too.
        let sums = self.lines.iter().try_fold(Quantity::ZERO, |sum, line| sum.checked_add(line.qty));
        sums.map(|_| ()).ok_or(Misfit::NUMBER)
    }
}
