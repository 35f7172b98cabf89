//! Taking a state over from another log.

use crate::domain::{Misfit, State, Taken};
use std::mem::discriminant;

impl State {
    /// Becomes what is taken over, up to the time of its last movement; answers what it was.
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
