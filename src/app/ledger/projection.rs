//! Projections: what a capability derives from the states and keeps in memory, and what decisions are based on of it.
//!
//! The ledger knows none of them by name: `app/projections.rs` lists them.

use crate::app::Ledger;
use crate::domain::{Evidence, Key, Sequence, State};
use futures_util::future::BoxFuture;
use std::collections::HashMap;

/// A state that is another one now.
pub(crate) struct Moved<'a> {
    pub(crate) key: &'a Key,
    pub(crate) state: &'a State,
    /// The sequence of its last event in this process's log; [`Sequence::START`] when that of another process moved it.
    pub(crate) head: Sequence,
    /// True when this process's log moved it.
    pub(crate) own: bool,
}

/// A projection of the states. All but [`Projection::changed`] and [`Projection::restored`] may be left out.
pub(crate) trait Projection: Send + Sync {
    /// A state is another one now: it was moved forward, or rolled back. Called with the mutex of the state held, in the order
    /// of its changes, so it must not wait for anything. Answers the key of a state that has to be re-evaluated for it.
    fn changed(&self, moved: &Moved<'_>) -> Option<Key>;

    /// At a start, before the first command: every state there is. Answers the keys of states that have to be re-evaluated,
    /// because the last run ended in between.
    fn restored(&self, states: &HashMap<Key, State>) -> Vec<Key>;

    /// Adds the keys that commands on these keys decide on as well, as far as that can be seen without a mutex; with `all`
    /// every one that they might.
    fn beside(&self, keys: &[Key], all: bool, more: &mut Vec<Key>) {
        let _ = (keys, all, more);
    }

    /// Adds what a decision on these keys is based on, asked with their mutexes held.
    fn evidence(&self, keys: &[Key], evidence: &mut Evidence) {
        let _ = (keys, evidence);
    }

    /// True when the evidence for these keys would refuse something only because the logs of other processes have not been read.
    fn is_in_doubt(&self, keys: &[Key]) -> bool {
        let _ = keys;
        false
    }

    /// How far this process's log must be durable for a refusal by the evidence to hold.
    fn rests_on(&self, keys: &[Key]) -> Sequence {
        let _ = keys;
        Sequence::START
    }

    /// A key that is due and stands for many: the keys of the states to be re-evaluated in its place.
    fn due_for<'a>(&'a self, ledger: &'a Ledger, due: &'a Key) -> Option<BoxFuture<'a, Vec<Key>>> {
        let _ = (ledger, due);
        None
    }

    /// Another process has moved the state under this key, perhaps before it knew what is known here, and may be gone by now:
    /// the key of a state that has to be re-evaluated for it.
    fn stale<'a>(&'a self, ledger: &'a Ledger, moved: &'a Key) -> Option<BoxFuture<'a, Option<Key>>> {
        let _ = (ledger, moved);
        None
    }
}
