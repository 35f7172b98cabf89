//! Reads of notes, and how many there are.

use crate::Ledger;
use crate::ledger::projection::{Moved, Projection};
use crate::stock::ReadError;
use onhand_domain::{Key, Sku, State};
use smol_str::SmolStr;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many SKUs have a note.
#[derive(Debug, Default)]
pub(crate) struct NoteCount(AtomicUsize);

impl Projection for NoteCount {
    fn changed(&self, moved: &Moved<'_>) -> Option<Key> {
        if moved.state.version() == 1 && matches!(moved.key, Key::Note(_)) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        None
    }

    fn restored(&self, states: &HashMap<Key, State>) -> Vec<Key> {
        self.0.store(states.keys().filter(|key| matches!(key, Key::Note(_))).count(), Ordering::Relaxed);
        Vec::new()
    }
}

impl Ledger {
    /// The note on a SKU, and its version.
    ///
    /// # Errors
    /// As [`Ledger::read`].
    pub async fn note(&self, sku: &Sku) -> Result<Option<(SmolStr, u64)>, ReadError> {
        let key = Key::Note(sku.clone());
        let seen = self.read(&key, |state| match state {
            State::Note(master) => master.details.clone().map(|text| (text, master.version)),
            _ => None,
        });
        Ok(seen.await?.flatten())
    }

    /// How many SKUs have a note.
    pub fn notes(&self) -> usize {
        self.projections.notes.0.load(Ordering::Relaxed)
    }
}
