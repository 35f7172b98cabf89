//! The takeover of a state from another log.

use crate::{Misfit, State, Taken};
use std::mem::discriminant;

impl State {
    /// Replaces the state by the one taken over, with the time of its last movement; returns the state before.
    pub(super) fn take_over(&mut self, taken: &Taken) -> Result<Box<Self>, Misfit> {
        let (key, restored) = taken.state.clone().restore()?;
        if discriminant(self) != discriminant(&restored) || key.is_of_one_log() {
            return Err(Misfit::KIND);
        }
        if restored.version() < self.version() {
            return Err(Misfit::TAKEN);
        }
        Ok(Box::new(std::mem::replace(self, restored)))
    }
}
