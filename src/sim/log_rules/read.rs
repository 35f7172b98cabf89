//! Reads the durable log of a simulated disk as bytes, without the ledger and the log's own reader.

use onhand_disk::layout::{Layout, archived_first, segment_first};
use onhand_domain::{Entry, Sequence, Timestamp};
use onhand_file::format::segment::{Damage, Scan};
use onhand_sim_machine::disk::SimDisk;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The data directory of simulated nodes.
pub fn layout() -> Layout {
    Layout::new(Path::new("/data"))
}

/// Every durable entry, from the first.
///
/// # Panics
/// When the log is damaged.
pub fn entries(disk: &SimDisk) -> Vec<Entry> {
    try_entries(disk).expect("a log is whole after every crash")
}

/// All durable entries, or the first damage.
///
/// # Errors
/// The first damage that was found.
pub fn try_entries(disk: &SimDisk) -> Result<Vec<Entry>, Damage> {
    read(disk, segments(disk))
}

/// The durable entries whose events come behind `sequence`, and perhaps some before.
///
/// # Panics
/// When the log is damaged there.
pub fn entries_after(disk: &SimDisk, sequence: Sequence) -> Vec<Entry> {
    let segments = segments(disk);
    let begin = segments.iter().rposition(|(first, _)| *first <= sequence.plus(1)).unwrap_or_default();
    let rest = segments.into_iter().skip(begin).collect();
    read(disk, rest).expect("a log is whole after every crash")
}

fn read(disk: &SimDisk, segments: Vec<(Sequence, PathBuf)>) -> Result<Vec<Entry>, Damage> {
    let mut entries: Vec<Entry> = Vec::new();
    for (_, path) in segments {
        let bytes = disk.file(&path).expect("a segment is durable under its name, or in the archive");
        let bytes = match path.extension() {
            // Decompressed without the adapter's own code.
            Some(name) if name == "zst" => zstd::stream::decode_all(&*bytes).expect("a whole archive"),
            _ => bytes,
        };
        let earliest = entries.last().map_or(Timestamp::from_milliseconds(i64::MIN), |entry| entry.at);
        let (_, mut scan) = Scan::begin(&bytes, earliest)?;
        while let Some(line) = scan.next_line()? {
            entries.push(line.entry);
        }
    }
    Ok(entries)
}

/// The durable segments, each at the path that a reader uses: its own file before the archived one.
fn segments(disk: &SimDisk) -> Vec<(Sequence, PathBuf)> {
    let layout = layout();
    let mut segments = BTreeMap::new();
    for path in disk.files() {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if path.parent() == Some(&*layout.log()) {
            segments.extend(segment_first(name).map(|first| (first, path.clone())));
        } else if path.parent() == Some(&*layout.archive())
            && let Some(first) = archived_first(name)
        {
            segments.entry(first).or_insert(path);
        }
    }
    segments.into_iter().collect()
}
