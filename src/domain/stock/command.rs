//! The command to move one level: the level, the condition on its version, and the verb.

use crate::identity::Permission;
use crate::stock::AdjustKind;
use crate::{Expected, Key, Quantity, ReservationId, Sequence, Sku, StoreId};
use smol_str::SmolStr;

/// A movement of one level.
#[derive(Debug, Clone, PartialEq)]
pub struct StockCommand {
    /// The store of the level.
    pub store_id: StoreId,
    /// The SKU of the level.
    pub sku: Sku,
    /// The condition on the level's version.
    pub expected: Expected,
    /// The kind of movement.
    pub verb: Verb,
}

/// The five verbs of stock, one of them in two forms. There is no command for an expiry.
#[derive(Debug, Clone, PartialEq)]
pub enum Verb {
    /// Pieces come or go.
    Adjust {
        /// The number of pieces, not 0; negative when they go.
        delta: Quantity,
        /// The caller's reason, free text.
        reason: Option<SmolStr>,
        /// The caller's reference.
        reference: Option<SmolStr>,
    },
    /// Pieces come or go, under a named kind.
    AdjustBy {
        /// The kind, which determines whether they come or go.
        kind: AdjustKind,
        /// The number of pieces, at least 1.
        quantity: Quantity,
        /// The caller's reason, free text.
        reason: Option<SmolStr>,
        /// The caller's reference.
        reference: Option<SmolStr>,
    },
    /// Pieces are reserved.
    Reserve(Reserve),
    /// Reserved pieces become sellable again.
    Release {
        /// The id of the reservation.
        reservation_id: ReservationId,
        /// The number of pieces, at least 1; all remaining pieces when none.
        qty: Option<Quantity>,
    },
    /// Reserved pieces leave.
    Commit(Commit),
    /// Pieces were counted.
    Count {
        /// The pieces found, at least 0.
        counted: Quantity,
        /// The moment of the count, if not now.
        as_of: Option<CountAsOf>,
        /// The caller's reason, free text.
        reason: Option<SmolStr>,
    },
}

impl Verb {
    /// What a caller must be permitted to do.
    pub const fn permission(&self) -> Permission {
        match self {
            Self::Adjust { .. } => Permission::StockAdjust,
            Self::AdjustBy { kind, .. } => match kind {
                AdjustKind::Sale | AdjustKind::Return => Permission::StockSell,
                AdjustKind::StockIn => Permission::StockReceive,
                AdjustKind::Removal => Permission::StockRemove,
                AdjustKind::Opening => Permission::StockAdjust,
            },
            Self::Reserve(_) | Self::Release { .. } | Self::Commit(_) => Permission::StockReserve,
            Self::Count { .. } => Permission::StockCount,
        }
    }
}

/// The parameters of a reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserve {
    /// The number of pieces, at least 1.
    pub qty: Quantity,
    /// The reservation's id, unique within the level.
    pub reservation_id: ReservationId,
    /// Life of the reservation, 1 to 31,536,000 seconds; it does not expire when none.
    pub ttl_seconds: Option<i64>,
    /// The caller's reference, such as an order number.
    pub reference: Option<SmolStr>,
}

/// The parameters of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The id of the reservation.
    pub reservation_id: ReservationId,
    /// The number of pieces, at least 1; all remaining pieces when none.
    pub qty: Option<Quantity>,
    /// Releases the pieces that are not committed, instead of holding them further.
    pub close_remainder: bool,
}

/// The moment of a count, and the recorded stock at that moment.
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
    /// The reservation that it is about.
    pub(super) const fn reservation_id(&self) -> Option<&ReservationId> {
        match self {
            Self::Reserve(wish) => Some(&wish.reservation_id),
            Self::Release { reservation_id, .. } => Some(reservation_id),
            Self::Commit(wish) => Some(&wish.reservation_id),
            Self::Adjust { .. } | Self::AdjustBy { .. } | Self::Count { .. } => None,
        }
    }

    /// True when it adds or reserves pieces. A strict catalogue never stops pieces that leave or are released,
    /// because they are in the store already.
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
