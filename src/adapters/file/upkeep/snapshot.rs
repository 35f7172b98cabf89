//! A snapshot of a node: every state after some sequence, so that a start need not read the whole log.
//!
//! JSON Lines: a header `{"format":2,"node":"uuid","sequence":N,"at":"..."}`, one line a state (`{"level":{...}}`,
//! `{"import":{...}}`, in no particular order), and a footer `{"count":states,"weight":states and
//! holds,"sequence":N,"crc":"8 hex"}` whose `crc` is CRC-32C over every byte before the footer. It is written under
//! a temporary name and gets its own by `durable_rename`, so a snapshot that has its name is whole, unless the disk
//! damages it later: then the footer does not fit and the older one is used.
//!
//! Idempotency records are not in it: they stand in the log and in the index of its segments, which a start reads
//! as far back as they are kept. That keeps a snapshot as small as the stock, whatever the traffic was.

use crate::format::segment::{FORMAT, FORMATS};
use onhand_disk::layout::{Layout, snapshot_sequence, temporary};
use onhand_disk::lines::Lines;
use onhand_disk::{Disk, DiskFile, OpenMode, create_unfinished, durable_rename, write_all_at};
use onhand_domain::{Key, Sequence, State, StateRecord, Timestamp};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use uuid::Uuid;

/// Snapshots kept: the newest, and the one before it in case the newest cannot be read.
const KEPT: usize = 2;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Header {
    format: u32,
    node: Uuid,
    sequence: Sequence,
    at: Timestamp,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Footer {
    count: u64,
    weight: u64,
    sequence: Sequence,
    crc: String,
}

/// Why a snapshot cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The disk returned an error.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The snapshot is damaged, for this reason.
    #[error("{0}")]
    Damaged(String),
}

fn damaged(what: impl Into<String>) -> SnapshotError {
    SnapshotError::Damaged(what.into())
}

/// Reads a snapshot's lines in order, and checks the footer at the end.
pub(crate) struct SnapshotReader {
    lines: Lines,
    node: Uuid,
    sequence: Sequence,
    at: Timestamp,
    checksum: u32,
    count: u64,
    weight: u64,
}

impl SnapshotReader {
    pub(crate) fn open(disk: &dyn Disk, path: &Path) -> Result<Self, SnapshotError> {
        let mut lines = Lines::new(disk.open(path, OpenMode::Read)?, 0);
        let line = lines.next_line()?.ok_or_else(|| damaged("it has no header"))?;
        let header: Header = serde_json::from_slice(line)
            .map_err(|error| damaged(format!("its header is unreadable: {error}")))?;
        if !FORMATS.contains(&header.format) {
            return Err(damaged(format!(
                "its format is {}, this program reads 1 to {FORMAT}",
                header.format
            )));
        }
        let checksum = crc32c::crc32c(line);
        let Header { node, sequence, at, .. } = header;
        Ok(Self { lines, node, sequence, at, checksum, count: 0, weight: 0 })
    }

    pub(crate) fn node(&self) -> Uuid {
        self.node
    }

    pub(crate) fn sequence(&self) -> Sequence {
        self.sequence
    }

    pub(crate) fn at(&self) -> Timestamp {
        self.at
    }

    /// Number of states and holds, once the end was reached.
    pub(crate) fn weight(&self) -> u64 {
        self.weight
    }

    /// Passes every state's line to `each`, and checks the footer.
    pub(crate) fn read(
        &mut self,
        mut each: impl FnMut(&[u8]) -> Result<(), SnapshotError>,
    ) -> Result<(), SnapshotError> {
        loop {
            let line = self.lines.next_line()?.ok_or_else(|| damaged("it is cut off"))?;
            if line.starts_with(b"{\"count\":") {
                let footer: Footer = serde_json::from_slice(line)
                    .map_err(|error| damaged(format!("its footer is unreadable: {error}")))?;
                let right = footer.count == self.count
                    && footer.sequence == self.sequence
                    && u32::from_str_radix(&footer.crc, 16) == Ok(self.checksum);
                self.weight = footer.weight;
                return if right { Ok(()) } else { Err(damaged("its checksum does not fit its content")) };
            }
            self.checksum = crc32c::crc32c_append(self.checksum, line);
            self.count += 1;
            each(line)?;
        }
    }
}

/// Decodes one line to a state.
pub(crate) fn decode_state(line: &[u8]) -> Result<(Key, State), SnapshotError> {
    let record: StateRecord =
        serde_json::from_slice(line).map_err(|error| damaged(format!("a state is unreadable: {error}")))?;
    record.restore().map_err(|misfit| damaged(format!("a state contradicts itself: {misfit}")))
}

/// Writes a snapshot line by line.
pub(crate) struct SnapshotWriter {
    file: Arc<dyn DiskFile>,
    unfinished: PathBuf,
    path: PathBuf,
    sequence: Sequence,
    buffer: Vec<u8>,
    offset: u64,
    checksum: u32,
    count: u64,
    weight: u64,
}

impl SnapshotWriter {
    pub(crate) fn create(
        disk: &dyn Disk,
        layout: &Layout,
        node: Uuid,
        sequence: Sequence,
        at: Timestamp,
    ) -> io::Result<Self> {
        let path = layout.snapshot(sequence);
        let unfinished = temporary(&path);
        let file = create_unfinished(disk, &unfinished)?;
        let buffer = Vec::with_capacity(2 << 20);
        let mut writer =
            Self { file, unfinished, path, sequence, buffer, offset: 0, checksum: 0, count: 0, weight: 0 };
        let header = Header { format: FORMAT, node, sequence, at };
        serde_json::to_writer(&mut writer.buffer, &header)?;
        writer.buffer.push(b'\n');
        Ok(writer)
    }

    /// Removes an unfinished snapshot, to free its space.
    pub(crate) fn abandon(disk: &dyn Disk, layout: &Layout, sequence: Sequence) {
        // If this fails, the next start removes it.
        let _ = disk.remove(&temporary(&layout.snapshot(sequence)));
    }

    /// Adds a state's line unchanged from another snapshot.
    pub(crate) fn copy(&mut self, line: &[u8], holds: u64) -> io::Result<()> {
        self.buffer.extend_from_slice(line);
        self.added(holds)
    }

    /// Encodes and adds a state.
    pub(crate) fn add(&mut self, key: &Key, state: &State) -> io::Result<()> {
        let record = state.record(key);
        serde_json::to_writer(&mut self.buffer, &record)?;
        self.buffer.push(b'\n');
        self.added(record.holds())
    }

    fn added(&mut self, holds: u64) -> io::Result<()> {
        self.count += 1;
        self.weight += 1 + holds;
        if self.buffer.len() >= 1 << 20 { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.checksum = crc32c::crc32c_append(self.checksum, &self.buffer);
        write_all_at(&*self.file, &self.buffer, self.offset)?;
        self.offset += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Gives the snapshot its name, durably; returns its weight in states and holds.
    pub(crate) fn finish(mut self, disk: &dyn Disk) -> io::Result<u64> {
        self.flush()?;
        let crc = format!("{:08x}", self.checksum);
        let footer = Footer { count: self.count, weight: self.weight, sequence: self.sequence, crc };
        serde_json::to_writer(&mut self.buffer, &footer)?;
        self.buffer.push(b'\n');
        self.flush()?;
        durable_rename(disk, &*self.file, &self.unfinished, &self.path)?;
        Ok(self.weight)
    }
}

/// The sequences of all snapshots, newest first; none when the directory is missing.
pub fn list_snapshots(disk: &dyn Disk, layout: &Layout) -> io::Result<Vec<Sequence>> {
    let names = match disk.list(&layout.snapshots()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        listed => listed?,
    };
    let mut sequences: Vec<Sequence> = names.iter().filter_map(|name| snapshot_sequence(name)).collect();
    sequences.sort_unstable_by(|a, b| b.cmp(a));
    Ok(sequences)
}

/// Removes snapshots beyond the newest two.
pub(crate) fn remove_old(disk: &dyn Disk, layout: &Layout) -> io::Result<()> {
    let old: Vec<Sequence> = list_snapshots(disk, layout)?.into_iter().skip(KEPT).collect();
    for sequence in &old {
        disk.remove(&layout.snapshot(*sequence))?;
    }
    if old.is_empty() { Ok(()) } else { disk.sync_dir(&layout.snapshots()) }
}
