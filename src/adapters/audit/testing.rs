//! A chain on a simulated disk, for the tests of this package.

use crate::check::{TrailCheck, check};
use crate::options::TrailOptions;
use crate::read::read;
use crate::writer::ChainWriter;
use onhand_app::ports::{AuditEntry, AuditKind, TrailPlace, TrailQuery};
use onhand_domain::Timestamp;
use onhand_sim_machine::disk::SimDisk;
use std::path::Path;
use std::sync::Arc;

pub(crate) const DIRECTORY: &str = "/data/audit";
pub(crate) const DAY_MS: i64 = 86_400_000;

pub(crate) fn options(keep_days: u32) -> TrailOptions {
    TrailOptions { directory: DIRECTORY.into(), chain: 0, keep_days, file_bytes: 1_200 }
}

/// A disk with a data directory.
pub(crate) fn data_directory(seed: u64) -> SimDisk {
    let disk = SimDisk::new(seed);
    disk.put("/data/node.json", b"");
    disk
}

pub(crate) fn writer(disk: &SimDisk) -> ChainWriter {
    ChainWriter::new(Arc::new(disk.clone()), options(400))
}

pub(crate) fn time(day: i64) -> Timestamp {
    Timestamp::from_milliseconds(1_796_000_000_000 + day * DAY_MS)
}

/// An entry that is recognised by its request.
pub(crate) fn entry(number: usize, day: i64) -> AuditEntry {
    AuditEntry {
        request_id: Some(format!("r-{number}").into()),
        ..AuditEntry::new(time(day), AuditKind::Refused)
    }
}

/// Takes six entries in three groups over two days; returns how many are durable for sure.
pub(crate) fn script(writer: &mut ChainWriter) -> usize {
    let mut durable = 0;
    for group in 0..3 {
        let day = i64::try_from(group / 2).unwrap();
        writer.add([entry(2 * group, day), entry(2 * group + 1, day)]);
        let written = writer.write(time(day));
        if written.and_then(|_| writer.sync()).is_ok() {
            durable = 2 * group + 2;
        }
    }
    durable
}

/// The requests of the entries that the trail has, in order; what the trail says about itself is left out.
pub(crate) fn requests(disk: &SimDisk) -> Vec<String> {
    let after = TrailPlace::new();
    let query = TrailQuery { after: &after, limit: 1_000, since: None, fresh: false, passes: &|_| true };
    let pieces = read(disk, Path::new(DIRECTORY), &query).unwrap();
    let entries = pieces.into_iter().flat_map(|piece| piece.entries);
    entries.filter_map(|(_, entry)| entry.request_id.map(String::from)).collect()
}

pub(crate) fn checked(disk: &SimDisk) -> TrailCheck {
    check(disk, Path::new(DIRECTORY)).unwrap()
}

#[track_caller]
pub(crate) fn is_sound(disk: &SimDisk, context: &str) {
    let checked = checked(disk);
    assert_eq!(checked.breaks, [], "{context}");
}

pub(crate) fn names(numbers: impl Iterator<Item = usize>) -> Vec<String> {
    numbers.map(|number| format!("r-{number}")).collect()
}
