//! The effect of one event on one level, or the reason it cannot be applied.
//!
//! The logs of one ledger move the same levels, and are read in any order. Each version belongs to one event in one of the logs, so the
//! version tells how much of a level is known, from whichever log:
//!
//! | the event | the effect |
//! | --- | --- |
//! | is of the next version | it moves the level |
//! | is a `TAKE` of the same version or a later one | the level gets the numbers it carries, ahead of the events of other logs |
//! | is of a known version, and another log moved the level last | none, the level contains it: *superseded* |
//! | anything else | none, it becomes a dead letter |
//!
//! The log that moved a level last has no older event of it behind that one, so the third row never hides a repeated event. A `TAKE` of
//! the known version must carry the known numbers.
//!
//! An event behind a dead letter holds back its level *in its own log*. Another log that took the level over continues, and so does the
//! same log with its next `TAKE`, which carries the effect of the waiting events: it ends the waiting and closes the letter with a note. A
//! later redrive of the letter finds its event superseded; a discard never restores older numbers. Checkpoints, `atLeast` and
//! dead letters belong to the log.

use crate::central::model::change::{Change, Motion};
use crate::central::model::level::{ABSENT, CentralLevel};
use crate::ports::Delivery;
use onhand_domain::Timestamp;
use onhand_domain::stock::LevelAfter;
use uuid::Uuid;

/// The log an event stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    /// The log's node.
    pub(crate) node: Uuid,
    /// The ledger, of which the log may be one of several.
    pub(crate) ledger: Uuid,
}

impl Origin {
    /// The origin of a delivery.
    pub(crate) fn of(delivery: &Delivery) -> Self {
        Self { node: delivery.node, ledger: delivery.ledger }
    }
}

/// Why an event cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Poison {
    /// The event cannot be decoded.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// Its version does not follow the one before it.
    #[error("its version is {found}, after version {known}")]
    Version {
        /// The version in the model.
        known: u64,
        /// The version the event leads to.
        found: u64,
    },
    /// Its numbers do not follow those before it.
    #[error("it leads to {found:?}, but central had {known:?} before it")]
    Numbers {
        /// The numbers in the model.
        known: LevelAfter,
        /// The numbers after the event.
        found: LevelAfter,
    },
}

/// The effect of an event on its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StepOutcome {
    /// The level becomes this.
    To(CentralLevel),
    /// None: the level contains the event.
    Superseded,
}

/// Computes the effect of an event; `rebase` accepts the event's numbers, after the event before it was discarded.
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
