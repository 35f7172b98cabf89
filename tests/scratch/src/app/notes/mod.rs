//! Reads of notes, and how many there are.

use crate::app::Ledger;
use crate::app::ledger::projection::{Moved, Projection};
use crate::app::stock::ReadError;
use crate::domain::{Key, Sku, State};
use smol_str::SmolStr;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many SKUs have a note.
#[derive(Debug, Default)]
pub(in crate::app) struct NoteCount(AtomicUsize);

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

#[cfg(test)]
mod tests {
    use crate::adapters::file::audit::audit;
    use crate::adapters::file::disk::layout::Layout;
    use crate::app::Meta;
    use crate::domain::notes::NoteCommand;
    use crate::domain::{Command, Event, EventKind, Sku};
    use crate::sim::disk::{Crash, SimDisk};
    use crate::sim::node::{SimNode, SimSettings};
    use std::path::Path;
    use std::sync::Arc;

    /// Written, snapshotted, restored, verified and read back, as every other state.
    #[tokio::test]
    async fn a_note_is_a_state_as_any_other() {
        let disk = SimDisk::new(1);
        let settings = SimSettings { snapshot_every: 2, ..SimSettings::default() };
        let open = || SimNode::open(&disk, &Arc::default(), &Arc::default(), settings).unwrap();
        let sku = Sku::new("TEA").unwrap();
        let mut node = open();
        for (text, version) in [("fragile", 1), ("fragile, this side up", 2), ("gone", 3)] {
            let command = Command::Note(NoteCommand { sku: sku.clone(), text: text.into() });
            let outcome = node.execute(command, &Meta::default()).await.unwrap();
            assert_eq!(outcome.events[0].after.version(), version);
            node.upkeep().unwrap();
        }
        drop(node);
        disk.crash(Crash::DropUnsynced);
        let node = open();
        assert_eq!(node.drive(node.ledger.note(&sku)).await.unwrap(), Some(("gone".into(), 3)));
        assert_eq!(node.ledger.notes(), 1);
        drop(node);
        assert_eq!(audit(&disk, &Layout::new(Path::new("/data"))).unwrap().findings.len(), 0);
    }

    #[test]
    fn its_event_has_its_tag() {
        let json = r#"{"eventId":"00000000-0000-0000-0000-000000000001","type":"NOTE","payload":{"sku":"TEA","text":"x"},"after":{"note":{"version":1}}}"#;
        let event = Event::decode(json).unwrap();
        assert_eq!((event.kind, event.fact.key().to_string()), (EventKind::Note, "note TEA".to_owned()));
        assert_eq!(serde_json::to_string(&event).unwrap(), json);
    }
}
