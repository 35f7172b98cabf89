//! The command to move one level: which level, which version, and what to do.

use crate::domain::stock::AdjustKind;
use crate::domain::{Expected, Key, Quantity, ReservationId, Sequence, Sku, StoreId};
use smol_str::SmolStr;

/// A movement someone wants.
#[derive(Debug, Clone, PartialEq)]
pub struct StockCommand {
    /// Where.
    pub store_id: StoreId,
    /// What.
    pub sku: Sku,
    /// Which version the level must have.
    pub expected: Expected,
    /// What to do.
    pub verb: Verb,
}

/// The five verbs of stock, one of them in two forms; expiry is nobody's wish.
#[derive(Debug, Clone, PartialEq)]
pub enum Verb {
    /// Pieces come or go.
    Adjust {
        /// How many, not 0.
        delta: Quantity,
        /// Why.
        reason: Option<SmolStr>,
        /// The caller's reference.
        reference: Option<SmolStr>,
    },
    /// Pieces come or go, and it has a name.
    AdjustBy {
        /// What it is called, which says whether they come or go.
        kind: AdjustKind,
        /// How many, at least 1.
        quantity: Quantity,
        /// Why.
        reason: Option<SmolStr>,
        /// The caller's reference.
        reference: Option<SmolStr>,
    },
    /// Promise pieces.
    Reserve(Reserve),
    /// Give promised pieces back.
    Release {
        /// Which reservation.
        reservation_id: ReservationId,
        /// How many pieces, at least 1; all of the rest when there is no number.
        qty: Option<Quantity>,
    },
    /// Promised pieces leave.
    Commit(Commit),
    /// Somebody counted.
    Count {
        /// What was there, at least 0.
        counted: Quantity,
        /// When it was counted, if not now.
        as_of: Option<CountAsOf>,
        /// Why.
        reason: Option<SmolStr>,
    },
}

/// A wish to reserve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserve {
    /// Pieces, at least 1.
    pub qty: Quantity,
    /// The reservation's name, unique within the level.
    pub reservation_id: ReservationId,
    /// How long it holds, 1 to 31,536,000 seconds; for ever when there is none.
    pub ttl_seconds: Option<i64>,
    /// The caller's reference, such as an order number.
    pub reference: Option<SmolStr>,
}

/// A wish to commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Which reservation.
    pub reservation_id: ReservationId,
    /// How many pieces, at least 1; all of the rest when there is no number.
    pub qty: Option<Quantity>,
    /// Release what is not committed instead of holding it on.
    pub close_remainder: bool,
}

/// The moment of a count, and what the books said then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountAsOf {
    /// After this sequence of the node's log.
    pub sequence: Sequence,
    /// On hand at that moment; 0 when the level did not exist.
    pub on_hand: Quantity,
}

impl StockCommand {
    /// The level it decides on.
    pub fn key(&self) -> Key {
        Key::Level(self.store_id.clone(), self.sku.clone())
    }
}

impl Verb {
    /// True when it takes pieces in or promises them. What only leaves, or is given back, is never held up by the
    /// catalogue: it is there.
    pub(super) const fn needs_product(&self) -> bool {
        match self {
            Self::Adjust { delta, .. } => !delta.is_negative(),
            Self::AdjustBy { kind, quantity, .. } => !kind.delta(*quantity).is_negative(),
            Self::Reserve(_) => true,
            Self::Count { counted, .. } => counted.get() > 0,
            Self::Release { .. } | Self::Commit(_) => false,
        }
    }
}
