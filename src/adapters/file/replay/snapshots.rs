//! The states a snapshot holds.

use crate::adapters::file::disk::Disk;
use crate::adapters::file::identity::NodeFile;
use crate::adapters::file::snapshot::{SnapshotError, SnapshotReader, decode_state};
use crate::app::fold::Fold;
use crate::domain::Timestamp;
use std::path::Path;

/// The states of a snapshot.
pub(in crate::adapters::file) fn load_snapshot(
    disk: &dyn Disk,
    path: &Path,
    node: &NodeFile,
) -> Result<Fold, SnapshotError> {
    load(disk, path, node).map(|(fold, _, _)| fold)
}

/// A snapshot's states, the time of its last event, and its weight.
pub(super) fn load(
    disk: &dyn Disk,
    path: &Path,
    node: &NodeFile,
) -> Result<(Fold, Timestamp, u64), SnapshotError> {
    let mut reader = SnapshotReader::open(disk, path)?;
    if reader.node() != node.node {
        return Err(SnapshotError::Damaged(format!("it belongs to node {}", reader.node())));
    }
    let mut fold = Fold { sequence: reader.sequence(), ..Fold::default() };
    reader.read(|line| {
        let (key, state) = decode_state(line)?;
        fold.states.insert(key, state);
        Ok(())
    })?;
    Ok((fold, reader.at(), reader.weight()))
}
