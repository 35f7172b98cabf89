//! The states in memory: one slot a key, each behind its own async mutex.

use crate::app::idempotency::KnownEffect;
use crate::app::ports::LogNumber;
use crate::domain::{Key, Sequence, State, Timestamp};
use dashmap::DashMap;
use parking_lot::RwLock;
use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;
use tokio::sync::Mutex;

/// A state and the last event that moved it.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) state: State,
    /// The sequence of the last event; what is shown of the state must wait until it is durable.
    pub(crate) head: Sequence,
    /// The log that moved it last.
    pub(crate) log: LogNumber,
    /// The moment at which somebody will look whether the state is due; not after its next due moment.
    pub(crate) watched: Option<Timestamp>,
}

/// What the log and its snapshot add up to at a start.
#[derive(Debug, Default)]
pub struct Restored {
    /// Every state with a version above 0.
    pub states: Vec<(Key, State)>,
    /// The idempotency records that are still kept, oldest first.
    pub known: Vec<KnownEffect>,
}

/// All slots, found by key or walked in key order.
#[derive(Debug, Default)]
pub(crate) struct Entities {
    slots: DashMap<Key, Arc<Mutex<Slot>>>,
    /// The keys of states with a version above 0.
    directory: RwLock<BTreeSet<Key>>,
}

impl Entities {
    pub(crate) fn restore(states: Vec<(Key, State)>, head: Sequence) -> Self {
        let slots = DashMap::with_capacity(states.len());
        let mut directory = BTreeSet::new();
        for (key, state) in states {
            directory.insert(key.clone());
            let watched = state.next_due();
            slots.insert(key, Arc::new(Mutex::new(Slot { state, head, log: LogNumber::OWN, watched })));
        }
        Self { slots, directory: RwLock::new(directory) }
    }

    /// The slot of a key; made when there is none.
    pub(crate) fn slot(&self, key: &Key) -> Arc<Mutex<Slot>> {
        if let Some(slot) = self.find(key) {
            return slot;
        }
        let absent = || {
            let (state, head, log) = (State::absent(key), Sequence::START, LogNumber::OWN);
            Arc::new(Mutex::new(Slot { state, head, log, watched: None }))
        };
        Arc::clone(&self.slots.entry(key.clone()).or_insert_with(absent))
    }

    /// The slot of a key, if there is one.
    pub(crate) fn find(&self, key: &Key) -> Option<Arc<Mutex<Slot>>> {
        self.slots.get(key).map(|slot| Arc::clone(&slot))
    }

    /// A state came into being under this key.
    pub(crate) fn list(&self, key: Key) {
        self.directory.write().insert(key);
    }

    /// The state under this key has no version any more.
    pub(crate) fn unlist(&self, key: &Key) {
        self.directory.write().remove(key);
    }

    /// Forgets the slot of a key whose state never came into being, unless somebody else is about to use it.
    ///
    /// `slot` is the caller's handle; a handle is only ever cloned under the map's lock, so two are map and caller.
    pub(crate) fn forget(&self, key: &Key, slot: &Arc<Mutex<Slot>>) {
        self.slots.remove_if(key, |_, kept| Arc::ptr_eq(kept, slot) && Arc::strong_count(kept) == 2);
    }

    /// At most `limit` keys after `after`, in key order.
    pub(crate) fn keys_after(&self, after: Bound<&Key>, limit: usize) -> Vec<Key> {
        self.directory.read().range((after, Bound::Unbounded)).take(limit).cloned().collect()
    }

    /// How many states there are.
    pub(crate) fn len(&self) -> usize {
        self.directory.read().len()
    }
}
