//! The operations of a batch that have idempotency keys of their own: what is known of those.

use super::Ledger;
use crate::app::ledger::idempotency::{EffectPlace, RetryId, RetryMatch};
use crate::app::ports::LogNumber;
use crate::domain::stock::KnownKey;
use crate::domain::{Command, Idempotency, LogPlace, Sequence};
use std::collections::HashSet;

impl Ledger {
    /// Tells a batch what is known of its operations' keys, and answers how far the log must be durable for that to be
    /// true. A key that stands twice in one batch is a mistake.
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

/// The effect of an operation, as an entry says it.
fn applied(place: EffectPlace) -> KnownKey {
    match place {
        EffectPlace { log: LogNumber::OWN, sequence } => KnownKey::Applied(sequence),
        EffectPlace { log: LogNumber(log), sequence } => KnownKey::AppliedIn(LogPlace { log, sequence }),
    }
}
