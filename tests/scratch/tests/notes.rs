//! A note from its command to its restored state, on a simulated disk.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "all of this is tests")]

use onhand_file::audit::audit;
use onhand_disk::layout::Layout;
use onhand_app::Meta;
use onhand_domain::notes::NoteCommand;
use onhand_domain::{Command, Event, EventKind, Sku};
use onhand_sim_machine::disk::{Crash, SimDisk};
use onhand_sim::node::{SimNode, SimSettings};
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
