//! The bytes of a `CLOCK` event, which was added to format 1 later: `tests/golden/format-*-clock`.

use super::{FORMAT, are_golden};
use crate::node::{World, adjust, reserve};
use crate::rules;
use onhand_app::Meta;
use onhand_domain::EventKind;
use onhand_sim::node::SimSettings;
use onhand_sim_machine::disk::{Crash, SimDisk};
use std::fs;
use std::path::{Path, PathBuf};

const FILE: &str = "log/00000000000000000001.jsonl";

fn directory(format: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/format-{format}-clock"))
}

/// The kinds of its events, as today's program reads them.
pub(super) fn kinds(format: u32) -> Vec<EventKind> {
    let disk = SimDisk::new(1);
    for file in [FILE, "node.json"] {
        disk.put(Path::new("/data").join(file), &fs::read(directory(format).join(file)).unwrap());
    }
    let entries = rules::entries(&disk);
    rules::check(&entries);
    let node = World { disk, ..World::new(SimSettings::default()) }.open();
    assert_eq!(node.report.replayed, 4);
    entries.iter().flat_map(|entry| &entry.events).map(|event| event.kind).collect()
}

#[tokio::test]
async fn today_writes_the_bytes_of_a_leap() {
    let world = World::new(SimSettings::default());
    let node = world.open();
    node.execute(adjust("A", 5), &Meta::default()).await.unwrap();
    node.execute(reserve("A", 1, "r", Some(3_600)), &Meta::default()).await.unwrap();
    drop(node);
    world.disk.crash(Crash::ProcessKill);
    world.clock.jump(86_400_000);
    let node = world.open();
    node.keep_time().await.unwrap();
    node.drive(node.ledger.expire_due()).await.unwrap();
    are_golden(&world.disk, &[FILE, "node.json"], &directory(FORMAT));
}
