//! Batch: many movements in one entry, atomic or each on its own.

use crate::identity::{Access, Denied};
use crate::stock::{self, StockCommand};
use crate::{Decide, Draft, Idempotency, Key, LogPlace, Refusal, Rejection, Sequence, UnappliedWhy};

/// Many movements, decided in order: each sees the effects of the ones before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// True: the first refusal refuses all.
    pub atomic: bool,
    /// The operations, 1 to 10,000.
    pub operations: Vec<Operation>,
}

/// One movement of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// The movement of this operation.
    pub command: StockCommand,
    /// The idempotency of this operation.
    pub idempotency: Option<Idempotency>,
    /// The record of its key, if the key is known.
    pub known: Option<KnownKey>,
}

/// The recorded use of an operation's idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownKey {
    /// The same payload had its effect in the event of that sequence.
    Applied(Sequence),
    /// The same payload had its effect in an event of another log of the ledger.
    AppliedIn(LogPlace),
    /// Another payload used the key.
    Reused,
}

impl Decide for Batch {
    fn permit(&self, access: &Access) -> Result<(), Denied> {
        self.operations.iter().enumerate().try_for_each(|(part, operation)| {
            operation
                .command
                .permit(access)
                .map_err(|denied| Denied { part: Some(("operations", part)), ..denied })
        })
    }

    fn add_keys(&self, keys: &mut Vec<Key>) {
        keys.extend(self.operations.iter().map(|operation| operation.command.key()));
    }

    /// Atomic: the first refusal refuses all, and names the operation. Not atomic: never refuses.
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Refusal> {
        let start = draft.mark();
        for (op, operation) in (0..).zip(&self.operations) {
            let before = draft.mark();
            draft.begin(op, operation.idempotency.clone());
            let decided = match operation.known {
                Some(KnownKey::Applied(sequence)) => {
                    draft.skip(op, UnappliedWhy::Replayed(sequence));
                    Ok(())
                }
                Some(KnownKey::AppliedIn(place)) => {
                    draft.skip(op, UnappliedWhy::ReplayedIn(place));
                    Ok(())
                }
                Some(KnownKey::Reused) => Err(Rejection::IdempotencyKeyReused),
                None => stock::decide(draft, &operation.command),
            };
            match decided {
                Ok(()) => {}
                Err(rejection) if self.atomic => {
                    draft.roll_back(start);
                    return Err(Refusal { rejection, op: Some(op) });
                }
                Err(rejection) => {
                    draft.roll_back(before);
                    draft.refuse(op, rejection);
                }
            }
        }
        Ok(())
    }

    fn operations(&self) -> &[Operation] {
        &self.operations
    }

    fn operations_mut(&mut self) -> &mut [Operation] {
        &mut self.operations
    }
}
