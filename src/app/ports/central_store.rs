//! The stores of the central model with its checkpoints, and of the dead letters.

use crate::central::{Central, CentralCopy, DeadLetter};
use std::io;

/// Stores the central model: model and checkpoints together, saved as a whole or not at all.
///
/// Contract of an adapter (`tests/suite/ports/central_store.rs`): a save that has returned survives a crash, with
/// the checkpoints of every node as they were in the model at that moment. A save that fails, or is cut off by a
/// crash, leaves a whole model: the one before it, or its own. The one before it is kept until the new one is
/// durable.
pub trait CentralStore: Send + Sync {
    /// The newest intact model; none when none was ever saved.
    ///
    /// # Errors
    /// When the disk fails.
    fn load(&self) -> io::Result<Option<Central>>;

    /// Saves durably.
    ///
    /// # Errors
    /// When the disk fails; the next save may succeed.
    fn save(&self, copy: &CentralCopy<'_>) -> io::Result<()>;
}

/// Stores dead letters: appended durably, never rewritten.
pub trait DeadLetterStore: Send + Sync {
    /// Every letter, in its latest state, oldest first.
    fn load(&self) -> io::Result<Vec<DeadLetter>>;

    /// Records a letter, or its new state, durably.
    fn append(&self, letter: &DeadLetter) -> io::Result<()>;
}
