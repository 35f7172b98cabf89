//! Where the central model, its checkpoints and its dead letters are kept.

use crate::app::central::{Central, CentralCopy, DeadLetter};
use std::io;

/// Keeps the central model: model and checkpoints in one file, saved as a whole or not at all.
pub trait CentralStore: Send + Sync {
    /// The model of the newest file that is whole.
    fn load(&self) -> io::Result<Option<Central>>;

    /// Saves durably; older files beyond the newest two go afterwards.
    fn save(&self, copy: &CentralCopy<'_>) -> io::Result<()>;
}

/// Keeps dead letters: appended durably, never rewritten.
pub trait DeadLetterStore: Send + Sync {
    /// Every letter, in its latest state, oldest first.
    fn load(&self) -> io::Result<Vec<DeadLetter>>;

    /// Records a letter, or its new state, durably.
    fn append(&self, letter: &DeadLetter) -> io::Result<()>;
}
