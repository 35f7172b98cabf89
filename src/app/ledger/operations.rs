//! Idempotency within a batch: operations with keys of their own.

use super::Ledger;
use crate::ledger::idempotency::{EffectPlace, RetryMatch};
use crate::ports::LogNumber;
use crate::ports::RetryId;
use onhand_domain::stock::KnownKey;
use onhand_domain::{Command, Idempotency, LogPlace, Sequence};
use std::collections::HashSet;

impl Ledger {
    /// Notes in a batch which keys of its operations are known, and returns the sequence up to which the log must be durable for that
    /// to hold. The second use of a key within the batch is noted as reused.
    pub(super) fn note_known(
        &self,
        command: &mut Command,
        parts: &[(usize, RetryId, Idempotency)],
    ) -> Sequence {
        let now = self.now();
        let mut seen = HashSet::with_capacity(parts.len());
        let mut head = Sequence::START;
        for (op, id, known_by) in parts {
            let (known, place) = match self.idempotency.find(*id, known_by, now) {
                Some(RetryMatch::Applied(place)) => (applied(place), place),
                Some(RetryMatch::Reused(place)) => (KnownKey::Reused, place),
                None if seen.insert(*id) => continue,
                None => {
                    command.note(*op, KnownKey::Reused);
                    continue;
                }
            };
            command.note(*op, known);
            if place.log == LogNumber::OWN {
                head = head.max(place.sequence);
            }
        }
        head
    }
}

/// The effect of an operation, in the form that an entry records.
fn applied(place: EffectPlace) -> KnownKey {
    match place {
        EffectPlace { log: LogNumber::OWN, sequence } => KnownKey::Applied(sequence),
        EffectPlace { log: LogNumber(log), sequence } => KnownKey::AppliedIn(LogPlace { log, sequence }),
    }
}
