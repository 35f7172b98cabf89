//! A disk whose syncs take time and are counted.

use onhand_disk::{Disk, DiskFile, LockOutcome, OpenMode};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// A disk whose syncs take time and are counted, and whose next read can be told wrong.
#[derive(Clone)]
pub(super) struct SlowDisk<D> {
    disk: D,
    pub(super) syncs: Arc<AtomicUsize>,
    takes: Duration,
    pub(super) spoils: Arc<AtomicBool>,
}

struct SlowFile {
    file: Arc<dyn DiskFile>,
    syncs: Arc<AtomicUsize>,
    takes: Duration,
    spoils: Arc<AtomicBool>,
}

impl<D> SlowDisk<D> {
    pub(super) fn new(disk: D, takes: Duration) -> Self {
        Self { disk, syncs: Arc::default(), takes, spoils: Arc::default() }
    }
}

impl DiskFile for SlowFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let read = self.file.read_at(buffer, offset)?;
        if offset > 0 && read > 20 && self.spoils.swap(false, Ordering::SeqCst) {
            buffer[20] ^= 1;
        }
        Ok(read)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.file.write_at(bytes, offset)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.syncs.fetch_add(1, Ordering::SeqCst);
        thread::sleep(self.takes);
        self.file.sync_data()
    }
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
    fn truncate(&self, length: u64) -> io::Result<()> {
        self.file.truncate(length)
    }
    fn preallocate(&self, length: u64) -> io::Result<()> {
        self.file.preallocate(length)
    }
    fn try_lock(&self) -> io::Result<LockOutcome> {
        self.file.try_lock()
    }
}

impl<D: Disk> Disk for SlowDisk<D> {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let (file, syncs) = (self.disk.open(path, mode)?, Arc::clone(&self.syncs));
        Ok(Arc::new(SlowFile { file, syncs, takes: self.takes, spoils: Arc::clone(&self.spoils) }))
    }
    fn open_dir(&self, directory: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.open_dir(directory)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }
    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        self.disk.list(directory)
    }
    fn create_dir_all(&self, directory: &Path) -> io::Result<()> {
        self.disk.create_dir_all(directory)
    }
    fn sync_dir(&self, directory: &Path) -> io::Result<()> {
        self.disk.sync_dir(directory)
    }
}
