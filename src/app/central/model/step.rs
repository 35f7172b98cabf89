//! One event onto one level: what the level comes to, or why the event cannot be.
//!
//! The logs of one ledger tell of the same levels, and are read in any order. A version is of one event in one of them, so
//! the version says how much is known of a level, whoever told it:
//!
//! | the event | and then |
//! | --- | --- |
//! | is of the next version | it moves the level |
//! | is a `TAKE` of the same version or a later one | the level becomes what it carries, and jumps over what other logs will tell |
//! | is of a version that is known, and another log moved the level last | it is contained already: *superseded* |
//! | anything else | it cannot be: a dead letter |
//!
//! The log that moved a level last cannot have an older event of it behind that one, so the third row never hides a repeat.
//! A `TAKE` of the version that is known must have the very numbers that are known.
//!
//! An event that waits behind a dead letter holds back its level *in its own log*. Another log that took the level over goes
//! on, and so does the same log with its next `TAKE`, which carries everything that waited: it ends the waiting and closes the
//! letter with a note. A letter that is redriven later finds its event superseded; one that is discarded never brings older
//! numbers back. Checkpoints, `atLeast` and dead letters stay those of the log.

use crate::app::central::CentralLevel;
use crate::app::central::model::apply::{Change, Motion};
use crate::app::ports::Delivery;
use crate::domain::stock::LevelAfter;
use crate::domain::{Quantity, Timestamp};
use uuid::Uuid;

/// Whose log an event stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    /// The log's node.
    pub(crate) node: Uuid,
    /// The ledger, of which the log may be one of several.
    pub(crate) ledger: Uuid,
}

impl Origin {
    /// Whose events were delivered.
    pub(crate) fn of(delivery: &Delivery) -> Self {
        Self { node: delivery.node, ledger: delivery.ledger }
    }
}

/// Why an event cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Poison {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// Its version does not follow the one before it.
    #[error("its version is {found}, after version {known}")]
    Version {
        /// The version central has.
        known: u64,
        /// The version the event leads to.
        found: u64,
    },
    /// Its numbers do not follow those before it.
    #[error("it leads to {found:?}, but central had {known:?} before it")]
    Numbers {
        /// What central has.
        known: LevelAfter,
        /// What the event leads to.
        found: LevelAfter,
    },
}

/// What an event does to its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StepOutcome {
    /// The level is this now.
    To(CentralLevel),
    /// Nothing: what it tells is in the level.
    Superseded,
}

/// The numbers of a level no event has been seen of.
pub(crate) const ABSENT: LevelAfter =
    LevelAfter { on_hand: Quantity::ZERO, reserved: Quantity::ZERO, version: 0 };

/// What becomes of a level by an event; `rebase` takes the event's numbers as they are, after one in front of it was
/// discarded.
///
/// # Errors
/// [`Poison`].
pub(crate) fn step(
    known: Option<&CentralLevel>,
    origin: Origin,
    change: &Change,
    at: Timestamp,
    rebase: bool,
) -> Result<StepOutcome, Poison> {
    let (had, after) = (known.map_or(ABSENT, |known| known.numbers), change.after);
    let moved_elsewhere = known.is_some_and(|known| known.node != origin.node);
    let version = Poison::Version { known: had.version, found: after.version };
    let numbers = Poison::Numbers { known: had, found: after };
    if after.version == had.version && moved_elsewhere && after != had {
        return Err(numbers);
    }
    let (fits, updated_at) = match change.motion {
        Motion::Taken { updated_at } => match after.version.cmp(&had.version) {
            std::cmp::Ordering::Less if moved_elsewhere => return Ok(StepOutcome::Superseded),
            std::cmp::Ordering::Less => return Err(version),
            std::cmp::Ordering::Equal => (after == had, updated_at),
            std::cmp::Ordering::Greater => (true, updated_at),
        },
        Motion::By(_) if moved_elsewhere && after.version <= had.version => {
            return Ok(StepOutcome::Superseded);
        }
        Motion::By(_) if rebase => (true, at),
        Motion::By(_) if after.version != had.version.saturating_add(1) => return Err(version),
        Motion::By(effect) => (after.before(effect) == Some(had), at),
    };
    if fits && !after.reserved.is_negative() && after.reserved <= after.on_hand {
        let Origin { node, ledger } = origin;
        Ok(StepOutcome::To(CentralLevel { ledger, node, numbers: after, updated_at }))
    } else {
        Err(numbers)
    }
}
