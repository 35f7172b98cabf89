//! A batch, as it should be: each operation sees what the ones before it did.

use super::{Happened, Known, Looked, Oracle, Order, payload};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What becomes of the operations that made no event, or the refusal of the whole and the operation that earned it.
pub(super) type Decision = Result<Vec<(u32, ItemFate)>, (&'static str, Option<u32>)>;

/// What becomes of an operation that made no event.
pub(super) enum ItemFate {
    Refused(&'static str),
    Replayed(u64, Happened),
}

impl Oracle {
    /// Decides every operation, in order.
    pub(super) fn batch(
        &mut self,
        now: i64,
        atomic: bool,
        items: &[(Order, Option<u32>)],
        known: Vec<Looked>,
    ) -> Decision {
        let (mut fates, mut seen, mut records) = (Vec::new(), BTreeSet::new(), Vec::new());
        for (op, ((order, key), known)) in (0..).zip(items.iter().zip(known)) {
            let begin = self.log.len();
            let decided = match known {
                Some(Ok(known)) => {
                    // Not the alert behind it.
                    let last = known.answer.events.iter().rfind(|happened| happened.level().is_some());
                    let last = last.expect("only effects are recorded");
                    // An event that is told again comes without its time.
                    let last = Happened { at: 0, ..last.clone() };
                    fates.push((op, ItemFate::Replayed(known.sequence, last)));
                    continue;
                }
                Some(Err(code)) => Err(code),
                None if key.is_some_and(|key| !seen.insert(key)) => Err("idempotency-key-reused"),
                None => self.one(now, order),
            };
            match decided {
                Ok(()) => {
                    if let Some(key) = key {
                        let answer = self.effect(begin, Vec::new());
                        let (payload, sequence) = (payload(order), self.end());
                        records.push((("one", *key), Arc::new(Known { payload, at: now, answer, sequence })));
                    }
                }
                Err(code) if atomic => return Err((code, Some(op))),
                Err(code) => fates.push((op, ItemFate::Refused(code))),
            }
        }
        self.keys.extend(records);
        Ok(fates)
    }
}
