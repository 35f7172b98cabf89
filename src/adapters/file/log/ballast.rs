//! The ballast: a file that only takes up room, and is removed when the disk is full.
//!
//! The space it frees is for work that must still be done: cutting the log back, a snapshot, a last save of the
//! central model. It is written again before the log accepts entries again: that proves that there is enough space,
//! and not just a little. A node starts even when the disk has no space for the ballast.

use onhand_disk::layout::Layout;
use onhand_disk::{Disk, OpenMode, set_aside};
use std::io;
use std::sync::Arc;

/// The ballast of one log.
pub(crate) struct Ballast {
    disk: Arc<dyn Disk>,
    layout: Layout,
    bytes: usize,
    laid: bool,
}

impl Ballast {
    /// The ballast in the state that an earlier process left.
    pub(crate) fn new(disk: Arc<dyn Disk>, layout: Layout, bytes: usize) -> Self {
        let found = disk.open(&layout.ballast(), OpenMode::Read).and_then(|file| file.len());
        let laid = found.is_ok_and(|length| length == bytes as u64);
        Self { disk, layout, bytes, laid }
    }

    /// Writes the ballast, if it is missing.
    pub(crate) fn lay(&mut self) -> io::Result<()> {
        if !self.laid && self.bytes > 0 {
            // Written, not only reserved: not every file system reserves.
            set_aside(&*self.disk, &self.layout.ballast(), &vec![0; self.bytes])?;
            self.laid = true;
        }
        Ok(())
    }

    /// Removes the ballast to free its space, if the disk permits.
    pub(crate) fn release(&mut self) {
        if self.laid && self.disk.remove(&self.layout.ballast()).is_ok() {
            self.laid = false;
            // Some file systems free the space only with this. Without it, they do a little later.
            let _ = self.disk.sync_dir(&self.layout.log());
        }
    }
}
