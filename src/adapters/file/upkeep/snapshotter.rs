//! Taking snapshots, off the write path: the older snapshot and the log after it, folded from their files.
//!
//! No state in memory is read and no mutex is taken, so a snapshot never delays a command; and its states come from
//! the log, not from memory. States without an event since the older snapshot are copied as bytes.
//!
//! When: after `SNAPSHOT_EVERY_N_EVENTS` events, never before the number of events reaches a tenth of the records
//! of the last snapshot, and never for more than about a fiftieth of the time, because its syncs share the disk
//! with those of the log. So its cost per event is bounded, whatever the catalogue's size.

use crate::format::identity::NodeFile;
use crate::reading::segments::Segments;
use crate::upkeep::snapshot::{
    SnapshotError, SnapshotReader, SnapshotWriter, decode_state, list_snapshots, remove_old,
};
use onhand_app::ledger::fold::Fold;
use onhand_app::ports::HistoryError;
use onhand_disk::Disk;
use onhand_disk::layout::Layout;
use onhand_domain::{Key, Sequence, State, StateKey, Timestamp};
use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use uuid::Uuid;

/// Why a snapshot was not taken.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// The disk returned an error.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The log could not be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The older snapshot could not be read.
    #[error("the older snapshot: {0}")]
    Snapshot(#[from] SnapshotError),
    /// The log does not fit the older snapshot.
    #[error(transparent)]
    Fold(#[from] onhand_app::ledger::fold::FoldError),
    /// The process stops before the snapshot is complete.
    #[error("it was given up, because the process stops")]
    GivenUp,
}

/// The last snapshot, and its size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LastSnapshot {
    /// The sequence of the last event in it.
    pub(crate) sequence: Sequence,
    /// Number of its states and holds.
    pub(crate) weight: u64,
}

/// Takes the snapshots of one log.
pub(crate) struct Snapshotter {
    pub(crate) segments: Arc<Segments>,
    pub(crate) node: Uuid,
    pub(crate) every: u64,
    pub(crate) last: LastSnapshot,
    /// True once the snapshot under way is to be abandoned.
    pub(crate) given_up: Arc<AtomicBool>,
}

impl Snapshotter {
    fn go_on(&self) -> Result<(), TakeError> {
        if self.given_up.load(Ordering::Acquire) { Err(TakeError::GivenUp) } else { Ok(()) }
    }

    /// True when enough events have come for another snapshot.
    pub(crate) fn is_due(&self, durable: Sequence) -> bool {
        let events = durable.0.saturating_sub(self.last.sequence.0);
        events >= self.every.max(self.last.weight / 10).max(1)
    }

    /// Takes a snapshot of everything up to `upto`, which must be durable and the end of an entry.
    pub(crate) fn take(&mut self, upto: Sequence) -> Result<(), TakeError> {
        let (touched, at) = self.touched(self.last.sequence, upto)?;
        let Segments { disk, layout, .. } = &*self.segments;
        let written = self.write(upto, at, &touched);
        if written.is_err() {
            SnapshotWriter::abandon(&**disk, layout, upto);
        }
        self.last = LastSnapshot { sequence: upto, weight: written? };
        Ok(remove_old(&**disk, layout)?)
    }

    /// Writes it, and returns its weight.
    fn write(&self, upto: Sequence, at: Timestamp, touched: &HashSet<Key>) -> Result<u64, TakeError> {
        let base = self.last.sequence;
        let Segments { disk, layout, .. } = &*self.segments;
        let mut writer = SnapshotWriter::create(&**disk, layout, self.node, upto, at)?;
        let mut fold = Fold { sequence: base, ..Fold::default() };
        if base > Sequence::START {
            let mut reader = SnapshotReader::open(&**disk, &layout.snapshot(base))?;
            reader.read(|line| {
                let (key, holds) = light_key(line)?;
                if touched.contains(&key) {
                    let (key, state) = decode_state(line)?;
                    fold.states.insert(key, state);
                    Ok(())
                } else {
                    Ok(writer.copy(line, holds)?)
                }
            })?;
        }
        for entry in self.segments.entries(base, upto) {
            self.go_on()?;
            fold.add(&entry?)?;
        }
        for (key, state) in sorted(&fold) {
            self.go_on()?;
            writer.add(key, state)?;
        }
        Ok(writer.finish(&**disk)?)
    }

    /// The states moved after `base`, and the time of the last event.
    fn touched(&self, base: Sequence, upto: Sequence) -> Result<(HashSet<Key>, Timestamp), TakeError> {
        let mut touched = HashSet::new();
        let mut at = Timestamp::EPOCH;
        for entry in self.segments.entries(base, upto) {
            self.go_on()?;
            let entry = entry?;
            at = entry.at;
            touched.extend(entry.events.iter().map(|event| event.fact.key()));
        }
        Ok((touched, at))
    }
}

/// Writes a snapshot of a whole fold, and removes the others.
///
/// # Errors
/// Any I/O error of the disk.
pub fn write_whole(
    disk: &dyn Disk,
    layout: &Layout,
    node: &NodeFile,
    fold: &Fold,
    at: Timestamp,
) -> io::Result<()> {
    let mut writer = SnapshotWriter::create(disk, layout, node.node, fold.sequence, at)?;
    sorted(fold).into_iter().try_for_each(|(key, state)| writer.add(key, state))?;
    writer.finish(disk)?;
    for sequence in list_snapshots(disk, layout)?.into_iter().filter(|other| *other != fold.sequence) {
        disk.remove(&layout.snapshot(sequence))?;
    }
    disk.sync_dir(&layout.snapshots())
}

/// Ordered by key, so that the same log gives the same bytes.
fn sorted(fold: &Fold) -> Vec<(&Key, &State)> {
    let mut states: Vec<(&Key, &State)> = fold.states.iter().collect();
    states.sort_unstable_by_key(|(key, _)| *key);
    states
}

fn light_key(line: &[u8]) -> Result<(Key, u64), SnapshotError> {
    let light: StateKey = serde_json::from_slice(line)
        .map_err(|error| SnapshotError::Damaged(format!("a state is unreadable: {error}")))?;
    Ok(light.key())
}
