//! Converts a data directory of a single process to one that several share: its log becomes that of `nodes/1`.
//!
//! Files are only renamed. After a crash half-way, the next process that joins continues the move; a process that
//! requires exclusive use of the directory is rejected as soon as `nodes/` exists (`sources/members.rs`).

use onhand_disk::layout::Layout;
use onhand_disk::{Disk, OpenError, OpenMode, create_dir_durably, parent};
use std::io;
use std::path::Path;

/// Moves the log at the root of a data directory, if there is one. The caller holds the root's `LOCK`.
///
/// # Errors
/// [`OpenError::Damaged`] when the root has another log than the one that was moved, or any I/O error of the disk;
/// all files still exist then, under their old or new names.
pub(crate) fn move_in(disk: &dyn Disk, root: &Layout) -> Result<(), OpenError> {
    let unfinished = Layout::new(&root.nodes().join("moving"));
    let begun = is_there(disk.list(unfinished.root())).map_err(OpenError::at(unfinished.root()))?;
    let alone = is_there(disk.open(&root.node(), OpenMode::Read)).map_err(OpenError::at(&root.node()))?;
    if begun && has_two_logs(disk, root, &unfinished).map_err(OpenError::at(root.root()))? {
        let reason = format!(
            "the log was being moved there when the process ended, and another log was begun at the root since; to keep \
             what that one has, move node.json, log, snapshots and archive of {} to a data directory of their own, and \
             start again",
            root.root().display()
        );
        return Err(OpenError::Damaged { path: unfinished.root().to_path_buf(), reason });
    }
    let moved = if begun || alone {
        move_all(disk, root, &unfinished)
    } else {
        create_dir_durably(disk, &root.nodes())
    };
    moved.map_err(OpenError::at(&root.nodes()))
}

fn move_all(disk: &dyn Disk, root: &Layout, unfinished: &Layout) -> io::Result<()> {
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
    let first = root.member(1);
    disk.rename(unfinished.root(), first.root())?;
    disk.sync_dir(&parent(first.root()))
}

fn move_one(disk: &dyn Disk, from: &Path, to: &Path) -> io::Result<()> {
    match disk.rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // An empty directory was created at the root after the move; a second log there has been excluded before.
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
        moved => moved,
    }
}

/// True when a moved file exists at the root again: it must not be replaced.
fn has_two_logs(disk: &dyn Disk, root: &Layout, unfinished: &Layout) -> io::Result<bool> {
    let has_node = |layout: &Layout| is_there(disk.open(&layout.node(), OpenMode::Read));
    if has_node(root)? && has_node(unfinished)? {
        return Ok(true);
    }
    let holds = |directory: &Path| match disk.list(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        names => names.map(|names| !names.is_empty()),
    };
    for place in [Layout::log, Layout::snapshots, Layout::archive] {
        if holds(&place(root))? && holds(&place(unfinished))? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_there<T>(looked: io::Result<T>) -> io::Result<bool> {
    match looked {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        looked => looked.map(|_| true),
    }
}
