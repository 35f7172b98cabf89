//! From a data directory that one process has for itself to one that several share: its log becomes that of `nodes/1`.
//!
//! Only names move. What is half moved after a crash is moved on by the next process that joins; a process that wants the
//! directory for itself is refused as soon as there is a `nodes/`.

use crate::adapters::file::disk::{Disk, OpenMode, create_dir_durably, parent};
use crate::adapters::file::layout::Layout;
use std::io;
use std::path::Path;

/// Moves the log at the root of a data directory, if there is one. The caller holds the root's `LOCK`.
///
/// # Errors
/// What the disk says; everything is still there then, under its old or its new name.
pub(super) fn move_in(disk: &dyn Disk, root: &Layout) -> io::Result<()> {
    let (unfinished, first) = (Layout::new(&root.nodes().join("moving")), root.member(1));
    let begun = disk.list(unfinished.root()).is_ok();
    if !begun && disk.open(&root.node(), OpenMode::Read).is_err() {
        return create_dir_durably(disk, &root.nodes());
    }
    create_dir_durably(disk, unfinished.root())?;
    let pairs = [
        (root.log(), unfinished.log()),
        (root.snapshots(), unfinished.snapshots()),
        (root.archive(), unfinished.archive()),
        (root.alerts_sent(), unfinished.alerts_sent()),
        (root.node(), unfinished.node()),
    ];
    for (from, to) in &pairs {
        move_one(disk, from, to)?;
    }
    disk.sync_dir(unfinished.root())?;
    disk.sync_dir(root.root())?;
    disk.rename(unfinished.root(), first.root())?;
    disk.sync_dir(&parent(first.root()))
}

fn move_one(disk: &dyn Disk, from: &Path, to: &Path) -> io::Result<()> {
    match disk.rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        moved => moved,
    }
}
