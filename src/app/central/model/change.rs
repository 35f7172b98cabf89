//! The part of an event that the central model needs.

use crate::central::model::waits::LevelPlace;
use onhand_domain::Timestamp;
use onhand_domain::stock::{Effect, LevelAfter};

/// The change of one level by an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// Store and SKU of the level.
    pub(crate) place: LevelPlace,
    /// How the event moves it.
    pub(crate) motion: Motion,
    /// The numbers of the level after it.
    pub(crate) after: LevelAfter,
}

/// How an event moves its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Motion {
    /// By this effect.
    By(Effect),
    /// Not at all: its log takes the level over from another log, where it last moved at that time.
    Taken {
        /// The time of the level's last movement.
        updated_at: Timestamp,
    },
}
