//! Commands and their decision; each variant is a row of the registry.

use super::registry::FOLLOW_UPS;
use crate::identity::{Access, Denied};
use crate::stock::KnownKey;
use crate::{Command, Decide, Draft, Idempotency, Key, Refusal};

impl Command {
    /// The states it decides on, sorted and unique: the order in which their mutexes are taken.
    pub fn keys(&self) -> Vec<Key> {
        let mut keys = Vec::new();
        match self {
            Self::Due(due) => {
                keys.extend(due.iter().filter_map(Key::decided_with));
                keys.extend_from_slice(due);
            }
            command => {
                if let Some(part) = command.part() {
                    part.add_keys(&mut keys);
                }
            }
        }
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// Checks that its caller may do what the command does.
    ///
    /// # Errors
    /// [`Denied`]: the first part that is beyond the access.
    pub fn permit(&self, access: &Access) -> Result<(), Denied> {
        self.part().map_or(Ok(()), |part| part.permit(access))
    }

    /// The idempotency of each operation that has its own, with the operation's index.
    pub fn operation_idempotency(&self) -> impl Iterator<Item = (usize, &Idempotency)> {
        let operations = self.part().map_or(&[][..], Decide::operations);
        operations
            .iter()
            .enumerate()
            .filter_map(|(index, operation)| Some((index, operation.idempotency.as_ref()?)))
    }

    /// The key of the state that an operation of a batch decides on.
    pub fn key_of_operation(&self, op: u32) -> Option<Key> {
        let operations = self.part()?.operations();
        operations.get(usize::try_from(op).ok()?).map(|operation| operation.command.key())
    }

    /// Notes the record of an operation's idempotency key; an operation without a note is decided.
    pub fn note(&mut self, index: usize, known: KnownKey) {
        if let Some(operation) = self.part_mut().and_then(|part| part.operations_mut().get_mut(index)) {
            operation.known = Some(known);
        }
    }
}

/// Records the events that follow from a decision, such as alerts. Called after the decision, because it needs the final states.
pub fn follow_up(draft: &mut Draft<'_>) {
    // The events belong to the whole command: the answer to a retry of its last operation must not contain them.
    draft.end_operations();
    for follow_up in FOLLOW_UPS {
        follow_up(draft);
    }
}

/// Decides a command: records its events in the draft, or returns a refusal.
///
/// The draft must hold a state for each of [`Command::keys`], with nothing due. On a refusal the draft is as it
/// was. A decision that needs other states too requests them ([`Draft::needs`]), and is void.
pub fn decide(draft: &mut Draft<'_>, command: &Command) -> Result<(), Refusal> {
    command.part().map_or(Ok(()), |part| part.decide(draft))
}
