//! Identity and lock of a directory: `node.json` and `LOCK`.

use crate::format::segment::{FORMAT, FORMATS};
use onhand_disk::layout::{Layout, temporary};
use onhand_disk::{
    Disk, DiskFile, LockOutcome, OpenError, OpenMode, create_dir_durably, create_unfinished, durable_rename,
    read_all, write_all_at,
};
use onhand_domain::Timestamp;
use onhand_planted::{Bug, planted};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

/// The content of `node.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeFile {
    /// The node's id, repeated in every segment and snapshot.
    pub node: Uuid,
    /// Format of the directory; see [`FORMAT`].
    pub format: u32,
    /// When the directory was created.
    pub created: Timestamp,
    /// The ledger of the node, if it is shared: several processes on one data directory have several logs and one
    /// ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Uuid>,
}

impl NodeFile {
    /// The id of the ledger that the node's log belongs to: a level exists once in it, in however many logs it
    /// occurs.
    pub fn ledger(&self) -> Uuid {
        self.ledger.unwrap_or(self.node)
    }
}

/// Locks a data directory, or a worker's part of it, for this process until it is dropped.
///
/// Two locks are held: that of the directory itself, which cannot be removed below a running process, and that of
/// the file `LOCK` in it, which names the holder and suffices alone where directories cannot be locked.
pub struct DirectoryLock {
    _directory: Option<Arc<dyn DiskFile>>,
    _file: Arc<dyn DiskFile>,
}

impl DirectoryLock {
    /// Takes the lock on the log, and writes the holder into it. The directory must exist.
    ///
    /// # Errors
    /// [`OpenError::Locked`] with the holder, or any I/O error of the disk.
    pub fn take(disk: &dyn Disk, layout: &Layout) -> Result<Self, OpenError> {
        Self::take_at(disk, layout.root(), &layout.lock())
    }

    /// Takes the lock on the central model and the dead letters: there is one worker to a data directory.
    ///
    /// # Errors
    /// [`OpenError::Locked`] with the holder, or any I/O error of the disk.
    pub fn take_central(disk: &dyn Disk, layout: &Layout) -> Result<Self, OpenError> {
        let directory = layout.central();
        create_dir_durably(disk, &directory).map_err(OpenError::at(&directory))?;
        Self::take_at(disk, &directory, &layout.central_lock())
    }

    fn take_at(disk: &dyn Disk, directory: &Path, path: &Path) -> Result<Self, OpenError> {
        let handle = disk.open_dir(directory).map_err(OpenError::at(directory))?;
        let locked = |holder| OpenError::Locked { path: path.to_path_buf(), holder };
        let lock = match try_lock(&*handle).map_err(OpenError::at(directory))? {
            Some(_) if planted(Bug::LockFileOnly) => None,
            Some(LockOutcome::HeldElsewhere) => return Err(locked(holder(disk, path, &*handle))),
            Some(LockOutcome::Acquired) => Some(handle),
            None => None,
        };
        // Created only now: a lock file that its creator does not hold would name no holder.
        let file = disk.open(path, OpenMode::OpenOrCreate).map_err(OpenError::at(path))?;
        if file.try_lock().map_err(OpenError::at(path))? == LockOutcome::HeldElsewhere {
            return Err(locked(holder(disk, path, &*file)));
        }
        let text = format!("pid {}, onhand {}\n", std::process::id(), env!("CARGO_PKG_VERSION"));
        let written = file.truncate(0).and_then(|()| write_all_at(&*file, text.as_bytes(), 0));
        written.map_err(OpenError::at(path))?;
        Ok(Self { _directory: lock, _file: file })
    }

    /// The holder of the lock; none when it is free.
    ///
    /// # Errors
    /// Any I/O error of the disk; a missing file counts as free.
    pub fn holder(disk: &dyn Disk, layout: &Layout) -> io::Result<Option<String>> {
        let path = layout.lock();
        let held = |opened: io::Result<Arc<dyn DiskFile>>| match opened {
            Ok(file) if try_lock(&*file)? == Some(LockOutcome::HeldElsewhere) => Ok(Some(file)),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(_) | Err(_) => Ok(None),
        };
        let held = match held(disk.open_dir(layout.root()))? {
            Some(directory) => Some(directory),
            None => held(disk.open(&path, OpenMode::Read))?,
        };
        Ok(held.map(|held| holder(disk, &path, &*held)))
    }
}

/// Tries a lock; none where the file system cannot lock such a file, as NFS cannot lock directories.
fn try_lock(file: &dyn DiskFile) -> io::Result<Option<LockOutcome>> {
    match file.try_lock() {
        Err(error)
            if matches!(
                Errno::from_io_error(&error),
                Some(Errno::BADF | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP)
            ) =>
        {
            Ok(None)
        }
        tried => tried.map(Some),
    }
}

/// The holder of a lock: from the lock file, unless the system reports another process.
fn holder(disk: &dyn Disk, path: &Path, held: &dyn DiskFile) -> String {
    let written = disk.open(path, OpenMode::Read).and_then(|file| read_all(&*file)).unwrap_or_default();
    let written = String::from_utf8_lossy(&written);
    let known = held.lock_holder().map(|pid| format!("pid {pid}"));
    match (written.trim(), known) {
        // The file is gone, or was not written by the holder.
        (written, Some(known)) if !written.starts_with(&format!("{known},")) => known,
        ("", _) => "another process".to_owned(),
        (written, _) => written.to_owned(),
    }
}

/// Reads `node.json`; none when it is missing.
pub fn read_node(disk: &dyn Disk, layout: &Layout) -> Result<Option<NodeFile>, OpenError> {
    let path = layout.node();
    let bytes = match disk.open(&path, OpenMode::Read).and_then(|file| read_all(&*file)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(OpenError::at(&path)(error)),
    };
    let unreadable = |reason: String| OpenError::Damaged { path: path.clone(), reason };
    let node: NodeFile = serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
    if FORMATS.contains(&node.format) {
        Ok(Some(node))
    } else {
        Err(unreadable(format!("its format is {}, this program reads 1 to {FORMAT}", node.format)))
    }
}

/// Upgrades the identity of a directory before it is written: a directory of an earlier format gets this one, so
/// that an earlier program reports its format and not damage.
pub(crate) fn upgrade(disk: &dyn Disk, layout: &Layout, node: NodeFile) -> Result<NodeFile, OpenError> {
    if node.format == FORMAT {
        return Ok(node);
    }
    let node = NodeFile { format: FORMAT, ..node };
    write_node(disk, layout, &node).map_err(OpenError::at(&layout.node()))?;
    Ok(node)
}

/// Writes `node.json`, durably.
pub(crate) fn write_node(disk: &dyn Disk, layout: &Layout, node: &NodeFile) -> io::Result<()> {
    let path = layout.node();
    let unfinished = temporary(&path);
    let file = create_unfinished(disk, &unfinished)?;
    let mut text = serde_json::to_vec_pretty(node)?;
    text.push(b'\n');
    write_all_at(&*file, &text, 0)?;
    durable_rename(disk, &*file, &unfinished, &path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use onhand_sim_machine::disk::SimDisk;

    fn layout(disk: &SimDisk) -> Layout {
        let layout = Layout::new(Path::new("/data"));
        create_dir_durably(disk, layout.root()).unwrap();
        layout
    }

    #[track_caller]
    fn is_held(disk: &SimDisk, layout: &Layout) {
        assert!(matches!(DirectoryLock::take(disk, layout), Err(OpenError::Locked { .. })));
        assert!(DirectoryLock::holder(disk, layout).unwrap().is_some());
    }

    #[test]
    fn a_directory_is_held_with_its_lock_file_and_without() {
        let disk = SimDisk::new(1);
        let layout = layout(&disk);
        let lock = DirectoryLock::take(&disk, &layout).unwrap();
        is_held(&disk, &layout);
        disk.remove(&layout.lock()).unwrap();
        is_held(&disk, &layout);
        assert!(disk.open(&layout.lock(), OpenMode::Read).is_err(), "nobody who is refused makes one");
        drop(lock);
        assert_eq!(DirectoryLock::holder(&disk, &layout).unwrap(), None);
        DirectoryLock::take(&disk, &layout).unwrap();
    }

    #[test]
    fn the_lock_file_alone_locks_the_directory_too() {
        let disk = SimDisk::new(1);
        let layout = layout(&disk);
        let file = disk.open(&layout.lock(), OpenMode::OpenOrCreate).unwrap();
        assert_eq!(file.try_lock().unwrap(), LockOutcome::Acquired);
        is_held(&disk, &layout);
    }
}
