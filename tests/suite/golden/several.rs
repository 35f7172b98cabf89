//! The bytes of a log that takes states over from another one.

use super::{FORMAT, FORMATS, are_golden, directory};
use crate::several::{Several, adjust, import, key, layout, reserve};
use onhand_domain::EventKind;
use onhand_file::audit::audit_directory;
use onhand_sim_machine::disk::SimDisk;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const FILES: [&str; 4] = [
    "nodes/1/node.json",
    "nodes/1/log/00000000000000000001.jsonl",
    "nodes/2/node.json",
    "nodes/2/log/00000000000000000001.jsonl",
];

/// A level with an open, an expiring and a closed reservation and an import go to the second log, the level comes back.
fn write() -> Several {
    let mut several = Several::new();
    several.act(0, &adjust("A", 10)).unwrap();
    for (name, ttl) in [("closed", Some(1)), ("open", None), ("expiring", Some(60))] {
        several.act(0, &reserve("A", 2, name, ttl)).unwrap();
    }
    several.clock.pass(1_000);
    several.act(0, &import(0, false)).unwrap();
    several.act(0, &adjust("A", 1)).unwrap();
    several.clock.pass(1_000);
    several.act(1, &adjust("A", -1)).unwrap();
    several.act(1, &import(1, true)).unwrap();
    several.act(0, &adjust("A", 5)).unwrap();
    several
}

#[test]
fn today_writes_the_bytes_of_the_format() {
    are_golden(&write().disk, &FILES, &directory(FORMAT));
}

#[test]
fn today_reads_the_bytes_of_every_format() {
    for format in FORMATS {
        let disk = SimDisk::new(1);
        for file in FILES {
            disk.put(Path::new("/data").join(file), &fs::read(directory(format).join(file)).unwrap());
        }
        for number in [1, 2] {
            for place in [layout().member(number).snapshots(), layout().member(number).archive()] {
                onhand_disk::create_dir_durably(&disk, &place).unwrap();
            }
        }
        let audit = audit_directory(&disk, &layout()).unwrap();
        assert_eq!(
            audit.findings().collect::<Vec<_>>().len(),
            0,
            "{:?}",
            audit.findings().collect::<Vec<_>>()
        );
        assert_eq!(audit.states()[&key("A")], &write().heads[&key("A")].state);
        let text = FILES.map(|file| fs::read_to_string(directory(format).join(file)).unwrap()).concat();
        let kinds: BTreeSet<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
        let take = kinds.iter().filter(|kind| text.contains(&format!("\"type\":\"{kind}\"")));
        assert!(take.copied().collect::<Vec<_>>().contains(&"TAKE"));
    }
}
