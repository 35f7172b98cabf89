//! The states in memory: one entity for each key, with its slot behind an async mutex of its own.
//!
//! There may be millions, so memory holds each key and state once: the table and the directory hold handles.

#![allow(
    clippy::mutable_key_type,
    reason = "the key of an entity never changes, and its slot has no part in the order"
)]

use crate::ports::LogNumber;
use ahash::RandomState;
use dashmap::DashMap;
use onhand_domain::{Key, Sequence, State, Timestamp};
use parking_lot::RwLock;
use std::borrow::Borrow;
use std::collections::{BTreeSet, HashMap};
use std::hash::{Hash, Hasher};
use std::ops::Bound;
use std::sync::Arc;
use tokio::sync::{Mutex, MutexGuard};

/// A state and the last event that moved it.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) state: State,
    /// The sequence of the last event; a read of the state waits until it is durable.
    pub(crate) head: Sequence,
    /// The log that moved it last.
    pub(crate) log: LogNumber,
    /// The earliest moment scheduled for this state, never after its next due moment; [`Timestamp::NEVER`] when none is scheduled.
    pub(crate) watched: Timestamp,
}

/// One key of the ledger with its state.
#[derive(Debug)]
pub(crate) struct Entity {
    key: Key,
    slot: Mutex<Slot>,
}

/// A shared handle to an entity.
pub(crate) type Handle = Arc<Entity>;

/// An entity and the two counters of its handles fit in a glibc block of 176 bytes; the next larger block has 192.
const _: () = assert!(size_of::<Entity>() + 2 * size_of::<usize>() <= 168);

impl Entity {
    fn new(key: Key, slot: Slot) -> Self {
        Self { key, slot: Mutex::new(slot) }
    }

    /// The locked slot; none when another caller holds it.
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, Slot>> {
        self.slot.try_lock().ok()
    }

    /// Waits for the lock of the slot.
    pub(crate) async fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().await
    }
}

/// A handle that hashes and compares by the key of its entity.
#[derive(Debug, Clone)]
struct ByKey(Handle);

impl Borrow<Key> for ByKey {
    fn borrow(&self) -> &Key {
        &self.0.key
    }
}

impl PartialEq for ByKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.key == other.0.key
    }
}

impl Eq for ByKey {}

impl PartialOrd for ByKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ByKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.key.cmp(&other.0.key)
    }
}

impl Hash for ByKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.key.hash(state);
    }
}

/// All entities: a table by key, and a directory in key order.
#[derive(Debug, Default)]
pub(crate) struct Entities {
    entities: DashMap<ByKey, (), RandomState>,
    /// The entities whose state has a version above 0.
    directory: RwLock<BTreeSet<ByKey>>,
}

impl Entities {
    pub(crate) fn restore(states: HashMap<Key, State>, head: Sequence) -> Self {
        // Allocated in key order, because the directory is walked in key order: neighbours are neighbours in memory, too.
        let mut states: Vec<(Key, State)> = states.into_iter().collect();
        states.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let entities = DashMap::with_capacity_and_hasher(states.len(), RandomState::new());
        let entity = |(key, state): (Key, State)| {
            let watched = state.next_due().unwrap_or(Timestamp::NEVER);
            let slot = Slot { state, head, log: LogNumber::OWN, watched };
            let entity = ByKey(Arc::new(Entity::new(key, slot)));
            entities.insert(entity.clone(), ());
            entity
        };
        let directory = states.into_iter().map(entity).collect();
        Self { entities, directory: RwLock::new(directory) }
    }

    /// The entity of a key; creates one when there is none.
    pub(crate) fn entity(&self, key: &Key) -> Handle {
        if let Some(entity) = self.find(key) {
            return entity;
        }
        let (state, head, log) = (State::absent(key), Sequence::START, LogNumber::OWN);
        let slot = Slot { state, head, log, watched: Timestamp::NEVER };
        let made = ByKey(Arc::new(Entity::new(key.clone(), slot)));
        Arc::clone(&self.entities.entry(made).or_default().key().0)
    }

    /// The entity of a key, if it exists.
    pub(crate) fn find(&self, key: &Key) -> Option<Handle> {
        self.entities.get(key).map(|entity| Arc::clone(&entity.key().0))
    }

    /// Adds a key to the directory. The caller holds its entity, so it exists.
    pub(crate) fn list(&self, key: &Key) {
        if let Some(entity) = self.find(key) {
            self.directory.write().insert(ByKey(entity));
        }
    }

    /// Removes a key from the directory: its state is back at version 0.
    pub(crate) fn unlist(&self, key: &Key) {
        self.directory.write().remove(key);
    }

    /// Removes an entity whose state is at version 0, unless another caller is about to use it.
    ///
    /// `entity` is the caller's handle. A handle is only ever cloned under the table's lock, so two handles are the table's and the
    /// caller's; an entity in the directory has a third.
    pub(crate) fn forget(&self, entity: &Handle) {
        self.entities.remove_if(&entity.key, |kept, ()| {
            Arc::ptr_eq(&kept.0, entity) && Arc::strong_count(entity) == 2
        });
    }

    /// At most `limit` keys after `after`, in key order.
    pub(crate) fn keys_after(&self, after: Bound<&Key>, limit: usize) -> Vec<Key> {
        let directory = self.directory.read();
        directory
            .range::<Key, _>((after, Bound::Unbounded))
            .take(limit)
            .map(|entity| entity.0.key.clone())
            .collect()
    }

    /// The number of states.
    pub(crate) fn len(&self) -> usize {
        self.directory.read().len()
    }
}
