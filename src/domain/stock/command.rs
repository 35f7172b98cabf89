//! One wish to move one level.

use crate::domain::catalogue::check_listed;
use crate::domain::stock::{
    AdjustKind, Commit, CountAsOf, Level, Reserve, StockFact, adjust, commit, count, release, reserve,
};
use crate::domain::{
    Decide, Draft, Expected, Fact, Key, Quantity, Refusal, Rejection, ReservationId, Sku, StoreId,
};
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

impl StockCommand {
    /// The level it decides on.
    pub fn key(&self) -> Key {
        Key::Level(self.store_id.clone(), self.sku.clone())
    }
}

impl Verb {
    /// True when it takes pieces in or promises them. What only leaves, or is given back, is never held up by the
    /// catalogue: it is there.
    const fn needs_product(&self) -> bool {
        match self {
            Self::Adjust { delta, .. } => !delta.is_negative(),
            Self::AdjustBy { kind, quantity, .. } => !kind.delta(*quantity).is_negative(),
            Self::Reserve(_) => true,
            Self::Count { counted, .. } => counted.get() > 0,
            Self::Release { .. } | Self::Commit(_) => false,
        }
    }
}

impl Decide for StockCommand {
    fn add_keys(&self, keys: &mut Vec<Key>) {
        keys.push(self.key());
    }

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Refusal> {
        decide(draft, self).map_err(Refusal::from)
    }
}

/// Decides one movement. The order of the checks is fixed: version, catalogue, range, reservation, stock.
pub fn decide(draft: &mut Draft<'_>, command: &StockCommand) -> Result<(), Rejection> {
    let key = command.key();
    let level = draft.state::<Level>(&key);
    command.expected.check(level.version())?;
    if command.verb.needs_product() {
        check_listed(draft, &key, &command.sku)?;
    }
    let now = draft.now();
    let facts: [Option<StockFact>; 2] = match &command.verb {
        Verb::Adjust { delta, reason, reference } => {
            [Some(adjust::decide(level, command, *delta, None, reason.as_ref(), reference.as_ref())?), None]
        }
        Verb::AdjustBy { kind, quantity, reason, reference } => {
            let (delta, reason) = (kind.delta(*quantity), reason.as_ref());
            [Some(adjust::decide(level, command, delta, Some(*kind), reason, reference.as_ref())?), None]
        }
        Verb::Reserve(wish) => [Some(reserve::decide(level, command, wish, now)?), None],
        Verb::Release { reservation_id, qty } => {
            [Some(release::decide(level, command, reservation_id, *qty)?), None]
        }
        Verb::Commit(wish) => commit::decide(level, command, wish)?,
        Verb::Count { counted, as_of, reason } => {
            [Some(count::decide(level, command, *counted, *as_of, reason.as_ref())?), None]
        }
    };
    for fact in facts.into_iter().flatten() {
        draft.record(Fact::Level(fact));
    }
    Ok(())
}

/// How many pieces of an open reservation a caller gets who asks for `qty`, or for all.
pub(super) fn pieces_of_hold(
    level: &Level,
    id: &ReservationId,
    qty: Option<Quantity>,
) -> Result<(Quantity, Quantity), Rejection> {
    let held = level.hold(id)?.qty;
    let wanted = qty.unwrap_or(held);
    if wanted > held {
        return Err(Rejection::InsufficientStock { available: held, current_version: level.version() });
    }
    Ok((wanted, held))
}
