//! The rules of a batch: each operation sees the effect of the ones before it.

use crate::oracle::acts::{Happened, LevelRequest, payload};
use crate::oracle::decision::{Decision, ItemFate, KeyLookup, UsedKey};
use crate::oracle::model::Oracle;
use std::collections::BTreeSet;
use std::sync::Arc;

impl Oracle {
    /// Decides every operation, in order.
    pub(super) fn batch(
        &mut self,
        now: i64,
        atomic: bool,
        items: &[(LevelRequest, Option<u32>)],
        known: Vec<KeyLookup>,
    ) -> Decision {
        let (mut fates, mut seen, mut records) = (Vec::new(), BTreeSet::new(), Vec::new());
        for (op, ((order, key), known)) in (0..).zip(items.iter().zip(known)) {
            let begin = self.log.len();
            let decided = match known {
                Some(Ok(known)) => {
                    // The alert behind it is not replayed.
                    let last = known.answer.events.iter().rfind(|happened| happened.level().is_some());
                    let last = last.expect("only effects are recorded");
                    // A replayed event has no time.
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
                        records
                            .push((("one", *key), Arc::new(UsedKey { payload, at: now, answer, sequence })));
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
