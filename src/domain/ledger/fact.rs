//! The methods of a fact that do not depend on its kind.

use crate::{Fact, Timestamp};

impl Fact {
    /// The time of the last movement of its state, for an event at `at`: a `TAKE` is no movement.
    pub fn moved_at(&self, at: Timestamp) -> Timestamp {
        match self {
            Self::Take(taken) => taken.state.updated_at(),
            _ => at,
        }
    }
}
