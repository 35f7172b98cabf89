//! The rollback journal: every change of memory that is not durable yet, with its undo.
//!
//! Memory changes before the entry is written. When the log fails, every step beyond the durable end is rolled back, the last one
//! first. Durable steps are removed, so the journal is never longer than the queue of the log.

use crate::ports::LogNumber;
use crate::ports::RetryId;
use onhand_domain::{Key, Sequence, Undo};
use parking_lot::Mutex;
use std::collections::VecDeque;

/// One change of memory by an entry.
#[derive(Debug)]
pub(crate) enum JournalStep {
    /// An event moved the state under the key; the log is the one that moved it before.
    Moved(Key, Undo, LogNumber),
    /// An idempotency record was inserted.
    Known(RetryId),
}

/// The steps with the last sequence of their entry; the steps of one state, and of one idempotency key, in the order they happened.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    steps: Mutex<VecDeque<(Sequence, JournalStep)>>,
}

impl Journal {
    /// Adds the steps of an entry that ends with `last`, and removes the steps up to `durable`.
    pub(crate) fn note(&self, last: Sequence, durable: Sequence, steps: impl Iterator<Item = JournalStep>) {
        let mut kept = self.steps.lock();
        while kept.front().is_some_and(|(last, _)| *last <= durable) {
            kept.pop_front();
        }
        kept.extend(steps.map(|step| (last, step)));
    }

    /// The key of the state that the last step moved; none when the last step is of another kind.
    pub(crate) fn next_state(&self) -> Option<Key> {
        match self.steps.lock().back() {
            Some((_, JournalStep::Moved(key, ..))) => Some(key.clone()),
            _ => None,
        }
    }

    /// Removes the last step; returns it with the last sequence of its entry.
    pub(crate) fn take(&self) -> Option<(Sequence, JournalStep)> {
        self.steps.lock().pop_back()
    }
}
