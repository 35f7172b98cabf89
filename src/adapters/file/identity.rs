//! Whose directory it is, and who is using it: `node.json` and `LOCK`.

use crate::adapters::file::disk::{
    Disk, DiskFile, LockOutcome, OpenMode, create_dir_durably, create_unfinished, durable_rename, read_all,
    write_all_at,
};
use crate::adapters::file::layout::{Layout, temporary};
use crate::adapters::file::recovery::OpenError;
use crate::adapters::file::segment::FORMAT;
use crate::domain::Timestamp;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use uuid::Uuid;

/// `node.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeFile {
    /// The node's id; every segment and snapshot carries it.
    pub node: Uuid,
    /// See [`FORMAT`].
    pub format: u32,
    /// When the directory was made.
    pub created: Timestamp,
    /// The ledger the node writes, where that is not its alone: several processes on one data directory have several logs
    /// and one ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Uuid>,
}

impl NodeFile {
    /// Which ledger the node's log is of: a level stands in it once, however many logs tell of it.
    pub fn ledger(&self) -> Uuid {
        self.ledger.unwrap_or(self.node)
    }
}

/// Holds a data directory, or what one worker writes in it, for this process until it is dropped.
pub struct DirectoryLock {
    _file: Arc<dyn DiskFile>,
}

impl DirectoryLock {
    /// Takes the lock on the log, and writes who has it.
    pub(super) fn take(disk: &dyn Disk, layout: &Layout) -> Result<Self, OpenError> {
        Self::take_at(disk, layout.lock())
    }

    /// Takes the lock on the central model and the dead letters: there is one worker to a data directory.
    ///
    /// # Errors
    /// [`OpenError::Locked`] with the holder, or what the disk says.
    pub fn take_central(disk: &dyn Disk, layout: &Layout) -> Result<Self, OpenError> {
        let directory = layout.central();
        create_dir_durably(disk, &directory).map_err(OpenError::at(&directory))?;
        Self::take_at(disk, layout.central_lock())
    }

    fn take_at(disk: &dyn Disk, path: PathBuf) -> Result<Self, OpenError> {
        let file = disk.open(&path, OpenMode::OpenOrCreate).map_err(OpenError::at(&path))?;
        match file.try_lock().map_err(OpenError::at(&path))? {
            LockOutcome::Acquired => {}
            LockOutcome::HeldElsewhere => return Err(OpenError::Locked { path, holder: holder(&*file) }),
        }
        let text = format!("pid {}, onhand {}\n", std::process::id(), env!("CARGO_PKG_VERSION"));
        let written = file.truncate(0).and_then(|()| write_all_at(&*file, text.as_bytes(), 0));
        written.map_err(OpenError::at(&path))?;
        Ok(Self { _file: file })
    }

    /// Who holds the lock; nothing when it is free.
    ///
    /// # Errors
    /// What the disk says; a missing lock file is a free lock.
    pub fn holder(disk: &dyn Disk, layout: &Layout) -> io::Result<Option<String>> {
        let file = match disk.open(&layout.lock(), OpenMode::Read) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match file.try_lock()? {
            LockOutcome::Acquired => Ok(None),
            LockOutcome::HeldElsewhere => Ok(Some(holder(&*file))),
        }
    }
}

fn holder(file: &dyn DiskFile) -> String {
    let text = read_all(file).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    match text.trim() {
        "" => "another process".to_owned(),
        holder => holder.to_owned(),
    }
}

/// Reads `node.json`; nothing when there is none.
pub fn read_node(disk: &dyn Disk, layout: &Layout) -> Result<Option<NodeFile>, OpenError> {
    let path = layout.node();
    let bytes = match disk.open(&path, OpenMode::Read).and_then(|file| read_all(&*file)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(OpenError::at(&path)(error)),
    };
    let unreadable = |reason: String| OpenError::Damaged { path: path.clone(), reason };
    let node: NodeFile = serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
    if node.format == FORMAT {
        Ok(Some(node))
    } else {
        Err(unreadable(format!("its format is {}, this program reads {FORMAT}", node.format)))
    }
}

/// Writes `node.json` for a new directory.
pub(super) fn write_node(disk: &dyn Disk, layout: &Layout, node: &NodeFile) -> io::Result<()> {
    let path = layout.node();
    let unfinished = temporary(&path);
    let file = create_unfinished(disk, &unfinished)?;
    let mut text = serde_json::to_vec_pretty(node)?;
    text.push(b'\n');
    write_all_at(&*file, &text, 0)?;
    durable_rename(disk, &*file, &unfinished, &path)
}
