//! The trait of a command: which states it decides on, and how.

use crate::identity::{Access, Denied};
use crate::stock::Operation;
use crate::{Draft, Key, Refusal};

/// The part of a command that belongs to its capability: the states it decides on, and the decision.
pub trait Decide {
    /// Checks that its caller may do what the command does, wherever it came in: an alias or an operation of a batch needs what it
    /// does. A row of an import needs the permission for imports, which stands for all that rows do.
    ///
    /// # Errors
    /// [`Denied`]: the first part that is beyond the access.
    fn permit(&self, access: &Access) -> Result<(), Denied>;

    /// Adds the keys of the states it decides on.
    fn add_keys(&self, keys: &mut Vec<Key>);

    /// Records its events in the draft, or refuses; on a refusal the draft is as it was.
    ///
    /// # Errors
    /// [`Refusal`]: nothing was changed.
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Refusal>;

    /// The operations of a batch, each of which may have an idempotency key of its own.
    fn operations(&self) -> &[Operation] {
        &[]
    }

    /// As [`Decide::operations`], to note the records of their keys.
    fn operations_mut(&mut self) -> &mut [Operation] {
        &mut []
    }
}
