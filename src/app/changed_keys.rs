//! The keys of changed states, until a list has applied the changes.

use onhand_domain::Key;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use tokio::sync::Notify;

/// Changed keys, each with the number of its latest note.
#[derive(Default)]
pub(crate) struct ChangedKeys {
    noted: Mutex<Noted>,
    /// Signals that there are changed states.
    pub(crate) news: Notify,
    /// Held by the caller that applies the changes.
    pub(crate) applying: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Noted {
    keys: BTreeMap<Key, u64>,
    notes: u64,
}

impl ChangedKeys {
    /// Notes that the state under this key has changed.
    pub(crate) fn note(&self, key: &Key) {
        let mut noted = self.noted.lock();
        noted.notes += 1;
        let note = noted.notes;
        noted.keys.insert(key.clone(), note);
        drop(noted);
        self.news.notify_one();
    }

    /// A changed key with its note.
    pub(crate) fn next(&self) -> Option<(Key, u64)> {
        self.noted.lock().keys.first_key_value().map(|(key, note)| (key.clone(), *note))
    }

    /// Removes the note of an applied key, unless the state has changed since.
    pub(crate) fn done(&self, key: &Key, note: u64) {
        let mut noted = self.noted.lock();
        if noted.keys.get(key) == Some(&note) {
            noted.keys.remove(key);
        }
    }
}
