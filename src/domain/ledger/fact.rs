//! Facts: what an event says, whatever its kind.

use crate::domain::{Fact, Timestamp};

impl Fact {
    /// When its state moved last, if the event is of the time `at`: what is taken over did not move then.
    pub fn moved_at(&self, at: Timestamp) -> Timestamp {
        match self {
            Self::Take(taken) => taken.state.updated_at(),
            _ => at,
        }
    }
}
