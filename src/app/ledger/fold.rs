//! The fold: states computed from entries alone. Recovery, snapshots, `verify` and `rebuild` use it.

use onhand_domain::{After, Entry, Event, Key, Misfit, Sequence, State};
use std::collections::HashMap;

/// States by key, and the last sequence folded into them.
#[derive(Debug, Default)]
pub struct Fold {
    /// Every state of an event or a snapshot.
    pub states: HashMap<Key, State>,
    /// The sequence of the last event that was folded.
    pub sequence: Sequence,
}

/// The log contradicts itself.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// An entry does not follow the one before it.
    #[error("sequence {found} follows {expected_after}; entries are missing or repeated")]
    Gap {
        /// The last sequence folded.
        expected_after: Sequence,
        /// The sequence of the entry that came.
        found: Sequence,
    },
    /// An event cannot have happened to its state.
    #[error("event {sequence} of {key}: {misfit}")]
    Misfit {
        /// The sequence of the event.
        sequence: Sequence,
        /// The key of its state.
        key: Box<Key>,
        /// The rule it breaks.
        misfit: Misfit,
    },
    /// The state an event recorded is not the one it leads to.
    #[error("event {sequence} of {key} says {recorded:?} but the events before it add up to {folded:?}")]
    After {
        /// The sequence of the event.
        sequence: Sequence,
        /// The key of its state.
        key: Box<Key>,
        /// The numbers that the event records.
        recorded: After,
        /// The numbers that the fold computes.
        folded: After,
    },
}

impl Fold {
    /// Adds one entry, which must follow the last one.
    ///
    /// # Errors
    /// [`FoldError`]; the fold is then of no further use.
    pub fn add(&mut self, entry: &Entry) -> Result<(), FoldError> {
        self.add_seen(entry, |_, _, _| {})
    }

    /// As [`Fold::add`]; `look` is called for each event with the state before it.
    ///
    /// # Errors
    /// As [`Fold::add`].
    pub fn add_seen(
        &mut self,
        entry: &Entry,
        mut look: impl FnMut(Sequence, &Event, &State),
    ) -> Result<(), FoldError> {
        if entry.sequence != self.sequence.plus(1) {
            return Err(FoldError::Gap { expected_after: self.sequence, found: entry.sequence });
        }
        for (sequence, event) in entry.numbered() {
            let key = event.fact.key();
            let misfit = |misfit| FoldError::Misfit { sequence, key: Box::new(event.fact.key()), misfit };
            let folded = if let Some(state) = self.states.get_mut(&key) {
                look(sequence, event, state);
                state.apply(&event.fact, entry.at).map_err(misfit)?;
                state.after()
            } else {
                let mut state = State::absent(&key);
                look(sequence, event, &state);
                state.apply(&event.fact, entry.at).map_err(misfit)?;
                let after = state.after();
                self.states.insert(key, state);
                after
            };
            if folded != event.after {
                let key = Box::new(event.fact.key());
                return Err(FoldError::After { sequence, key, recorded: event.after, folded });
            }
        }
        self.sequence = entry.last();
        Ok(())
    }
}
