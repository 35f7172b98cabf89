//! Projections: data that a capability derives from the states and keeps in memory, and the evidence it gives to decisions.
//!
//! The ledger knows no projection by name: `app/projections.rs` lists them.

use crate::Ledger;
use futures_util::future::BoxFuture;
use onhand_domain::{Evidence, Key, Sequence, State};
use std::collections::HashMap;

/// A state that has changed.
pub(crate) struct Moved<'a> {
    pub(crate) key: &'a Key,
    pub(crate) state: &'a State,
    /// The sequence of its last event in this process's log; [`Sequence::START`] when that of another process moved it.
    pub(crate) head: Sequence,
    /// True when this process's log moved it.
    pub(crate) own: bool,
    /// True when a change was taken from it that never became durable.
    pub(crate) rolled_back: bool,
}

/// A projection of the states. Only [`Projection::changed`] has no default.
pub(crate) trait Projection: Send + Sync {
    /// Applies a state that was moved or rolled back. Called with the slot's lock held, in the order of the
    /// changes, so it must not wait. Returns the key of a state to be re-evaluated because of it.
    fn changed(&self, moved: &Moved<'_>) -> Option<Key>;

    /// Applies all states at a start, before the first command; by default one after the other. Returns the keys of
    /// the states that the last run has not re-evaluated before it ended.
    fn restored(&self, states: &HashMap<Key, State>) -> Vec<Key> {
        let changed = |(key, state)| {
            self.changed(&Moved { key, state, head: Sequence::START, own: false, rolled_back: false })
        };
        states.iter().filter_map(changed).collect()
    }

    /// Adds the keys that a command on these keys decides on as well. Called without locks, so it is an estimate; with `all` it adds
    /// every key that the command might need.
    fn beside(&self, keys: &[Key], all: bool, more: &mut Vec<Key>) {
        let _ = (keys, all, more);
    }

    /// Adds the evidence for a decision on these keys. Called with their slots locked.
    fn evidence(&self, keys: &[Key], evidence: &mut Evidence) {
        let _ = (keys, evidence);
    }

    /// True when the evidence for these keys could be wrong only because the logs of other processes are not read up to now.
    fn is_in_doubt(&self, keys: &[Key]) -> bool {
        let _ = keys;
        false
    }

    /// The sequence up to which this process's log must be durable for a refusal by the evidence to hold.
    fn rests_on(&self, keys: &[Key]) -> Sequence {
        let _ = keys;
        Sequence::START
    }

    /// For a due key that stands for many: the keys of the states to be re-evaluated in its place.
    fn due_for<'a>(&'a self, ledger: &'a Ledger, due: &'a Key) -> Option<BoxFuture<'a, Vec<Key>>> {
        let _ = (ledger, due);
        None
    }

    /// The key of a state to be re-evaluated because another process moved the state under `moved`: that process may have decided before it
    /// knew a change that this one knows, and may have stopped since.
    fn stale<'a>(&'a self, ledger: &'a Ledger, moved: &'a Key) -> Option<BoxFuture<'a, Option<Key>>> {
        let _ = (ledger, moved);
        None
    }
}
