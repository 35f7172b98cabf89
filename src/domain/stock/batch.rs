//! Batch: many movements in one entry, all or nothing or each by itself.

use crate::domain::stock::{self, StockCommand};
use crate::domain::{Draft, Idempotency, LogPlace, Refusal, Rejection, Sequence, UnappliedWhy};

/// Many movements, decided in order: each sees what the ones before it did.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// True: the first refusal refuses all.
    pub atomic: bool,
    /// 1 to 10,000.
    pub operations: Vec<Operation>,
}

/// One movement of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// What to do.
    pub command: StockCommand,
    /// By what a retry of this operation is known.
    pub idempotency: Option<Idempotency>,
    /// What is known of that key already.
    pub known: Option<KnownKey>,
}

/// What is known of an operation's idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownKey {
    /// The same payload had its effect in the event of that sequence.
    Applied(Sequence),
    /// The same payload had its effect in an event of another log of the ledger.
    AppliedIn(LogPlace),
    /// Another payload had the key.
    Reused,
}

/// Decides every operation.
///
/// # Errors
/// Atomic: the first refusal, with the operation's index; the draft is as it was. Not atomic: never.
pub fn decide_batch(draft: &mut Draft<'_>, batch: &Batch) -> Result<(), Refusal> {
    let start = draft.mark();
    for (op, operation) in (0..).zip(&batch.operations) {
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
            Err(rejection) if batch.atomic => {
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
