//! What memory holds beyond the durable end of the log, and the way back, step by step.
//!
//! Memory moves before the disk is touched. Should the log fail, every step beyond the durable end is taken back, the last
//! one first. Steps are forgotten once they are durable, so the journal is never longer than the queue of the log.

use crate::app::ledger::idempotency::RetryId;
use crate::app::ports::LogNumber;
use crate::domain::{Key, Sequence, Undo};
use parking_lot::Mutex;
use std::collections::VecDeque;

/// One thing that memory took on with an entry.
#[derive(Debug)]
pub(crate) enum JournalStep {
    /// A state was moved by an event, after one of that log.
    Moved(Key, Undo, LogNumber),
    /// An effect became known by a key.
    Known(RetryId),
}

/// The steps, in an order in which those of one state and of one key are as they happened.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    steps: Mutex<VecDeque<(Sequence, JournalStep)>>,
}

impl Journal {
    /// Memory took on an entry that ends with `last`; the log is durable up to `durable`.
    pub(crate) fn note(&self, last: Sequence, durable: Sequence, steps: impl Iterator<Item = JournalStep>) {
        let mut kept = self.steps.lock();
        while kept.front().is_some_and(|(last, _)| *last <= durable) {
            kept.pop_front();
        }
        kept.extend(steps.map(|step| (last, step)));
    }

    /// The key of the state that the next step back moves; nothing when the next step is of another kind.
    pub(crate) fn next_state(&self) -> Option<Key> {
        match self.steps.lock().back() {
            Some((_, JournalStep::Moved(key, ..))) => Some(key.clone()),
            _ => None,
        }
    }

    /// Takes the last step off, with the end of its entry.
    pub(crate) fn take(&self) -> Option<(Sequence, JournalStep)> {
        self.steps.lock().pop_back()
    }
}
