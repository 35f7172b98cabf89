//! The keys of a file in memory.

use super::lines::{Entry, Id};
use std::collections::{HashMap, HashSet};

/// A key with its id.
#[derive(Clone, Copy)]
pub(super) struct NamedKey {
    pub(super) id: Id,
    pub(super) key: [u8; 32],
}

/// Keys that are durable, and the file that they were read from.
#[derive(Default)]
pub(super) struct Known {
    file: Option<Id>,
    subjects: HashMap<Box<str>, Id>,
    keys: HashMap<Id, [u8; 32]>,
}

impl Known {
    /// Of a file of which nothing was read yet.
    pub(super) fn of(file: Id) -> Self {
        Self { file: Some(file), ..Self::default() }
    }

    pub(super) const fn file(&self) -> Option<Id> {
        self.file
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn key_of(&self, subject: &str) -> Option<NamedKey> {
        self.key(*self.subjects.get(subject)?)
    }

    pub(super) fn key(&self, id: Id) -> Option<NamedKey> {
        Some(NamedKey { id, key: *self.keys.get(&id)? })
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> {
        self.subjects.iter().filter_map(|(subject, id)| {
            let NamedKey { id, key } = self.key(*id)?;
            Some(Entry::new(subject.clone(), id, key))
        })
    }

    /// Adds keys; the error says what is wrong with them.
    pub(super) fn add(&mut self, entries: Vec<Entry>) -> Result<(), String> {
        for Entry { subject, key_id, key } in entries {
            if self.subjects.contains_key(&subject) || self.keys.contains_key(&key_id) {
                return Err(format!("the subject {subject} or its key is in it twice"));
            }
            self.keys.insert(key_id, key.0);
            self.subjects.insert(subject, key_id);
        }
        Ok(())
    }

    /// What is known is of another file now, which does not have the keys of some subjects.
    pub(super) fn become_file(&mut self, file: Id, but: &HashSet<Box<str>>) {
        self.file = Some(file);
        for subject in but {
            if let Some(id) = self.subjects.remove(subject) {
                self.keys.remove(&id);
            }
        }
    }
}
