//! Every system call the log makes, as two traits: [`Disk`] names files, [`DiskFile`] moves bytes.
//!
//! What is assumed of a disk, and nothing more:
//! - bytes written and then followed by a successful [`DiskFile::sync_data`] survive a power cut;
//! - bytes written and not yet synced may survive wholly, in part (sector by sector, in any order) or not at all;
//! - a file's name (created, renamed, removed) is fixed only by a successful [`Disk::sync_dir`] of its directory;
//! - after a failed sync nothing is known of that file's unsynced bytes, and the page cache proves nothing.
//!
//! [`RealDisk`] is thin. The simulated disk (`onhand_sim_machine::disk`) loses, tears and lies within these assumptions.
//! All calls block; callers on an async runtime move them to a blocking thread.

use onhand_domain::Timestamp;
use onhand_planted::{Bug, planted};
use rustix::fs::OFlags;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How [`Disk::open`] opens a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// Reading only; the file must exist.
    Read,
    /// Reading and writing; the file must exist.
    Write,
    /// Reading and writing; the file must not exist. Created with mode 0600.
    CreateNew,
    /// Reading and writing; created with mode 0600 when missing, kept as it is otherwise.
    OpenOrCreate,
}

/// The result of [`DiskFile::try_lock`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockOutcome {
    /// This handle holds the advisory lock until it is dropped.
    Acquired,
    /// Another handle, in this or another process, holds it.
    HeldElsewhere,
}

/// An open file. Offsets and lengths are bytes.
pub trait DiskFile: Send + Sync {
    /// Reads at most `buffer.len()` bytes at `offset`; 0 means end of file. Retries only `EINTR`.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes at most `bytes.len()` bytes at `offset`; may write fewer. Retries only `EINTR`.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;
    /// Makes the file's content durable (fdatasync). An error is final for this file: never call it again.
    fn sync_data(&self) -> io::Result<()>;
    /// Length of the file in bytes.
    fn len(&self) -> io::Result<u64>;
    /// True when the file has no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Cuts the file (or extends it with zeros) to `length` bytes.
    fn truncate(&self, length: u64) -> io::Result<()>;
    /// Reserves room for `length` bytes from the start without changing the length; a refusal is no error of the log.
    fn preallocate(&self, length: u64) -> io::Result<()>;
    /// Takes the advisory lock of this file if it is free. The lock ends with the handle, or with the process.
    fn try_lock(&self) -> io::Result<LockOutcome>;
    /// The process that holds the advisory lock, where the system reports it.
    fn lock_holder(&self) -> Option<u32> {
        None
    }
    /// The permission bits of the file or directory, where the disk has such.
    fn mode(&self) -> io::Result<Option<u32>> {
        Ok(None)
    }
    /// When the content was written last, by the wall clock, where the disk notes it.
    fn modified(&self) -> io::Result<Option<Timestamp>> {
        Ok(None)
    }
}

/// The names of files. Every path is used as given.
pub trait Disk: Send + Sync {
    /// Opens a file in that mode.
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>>;
    /// Opens a directory for its advisory lock; no other use of the handle is allowed.
    fn open_dir(&self, directory: &Path) -> io::Result<Arc<dyn DiskFile>>;
    /// Gives a file or a directory another name, replacing the file that had it. Not durable until [`Disk::sync_dir`], of
    /// both directories where they are two.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file. Not durable until [`Disk::sync_dir`].
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// The names of the plain files in a directory, sorted.
    fn list(&self, directory: &Path) -> io::Result<Vec<String>>;
    /// Creates a directory and its parents with mode 0700; no error when it exists. Not durable until
    /// [`Disk::sync_dir`] of the directory each of them is in: use [`create_dir_durably`].
    fn create_dir_all(&self, directory: &Path) -> io::Result<()>;
    /// Makes the names in a directory durable (fsync of the directory).
    fn sync_dir(&self, directory: &Path) -> io::Result<()>;
}

/// The operating system's disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

struct RealFile(fs::File);

fn retry_interrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

/// How often the list of locks is read before the holder counts as unknown.
const LOCKS_READS: u32 = 5;

fn open_directory(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.read(true).custom_flags(OFlags::DIRECTORY.bits().cast_signed());
    retry_interrupted(|| options.open(path))
}

impl DiskFile for RealFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        retry_interrupted(|| FileExt::read_at(&self.0, buffer, offset))
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        retry_interrupted(|| FileExt::write_at(&self.0, bytes, offset))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    fn preallocate(&self, length: u64) -> io::Result<()> {
        Ok(rustix::fs::fallocate(&self.0, rustix::fs::FallocateFlags::KEEP_SIZE, 0, length)?)
    }

    fn try_lock(&self) -> io::Result<LockOutcome> {
        match self.0.try_lock() {
            Ok(()) => Ok(LockOutcome::Acquired),
            Err(fs::TryLockError::WouldBlock) => Ok(LockOutcome::HeldElsewhere),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }

    fn lock_holder(&self) -> Option<u32> {
        let file = self.0.metadata().ok()?;
        let (major, minor) = (rustix::fs::major(file.dev()), rustix::fs::minor(file.dev()));
        let place = format!("{major:02x}:{minor:02x}:{}", file.ino());
        // `1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF`; waiting processes have an arrow behind the number.
        let holder = |line: &str| {
            let mut words = line.split_whitespace().skip(1);
            let flock = words.next()? == "FLOCK";
            let pid = words.nth(2)?.parse().ok()?;
            (flock && words.next()? == place && pid > 0).then_some(pid)
        };
        // The kernel delivers a page at a time, so a lock may be missed while others come and go in front of it.
        (0..LOCKS_READS).find_map(|_| fs::read_to_string("/proc/locks").ok()?.lines().find_map(holder))
    }

    fn mode(&self) -> io::Result<Option<u32>> {
        Ok(Some(self.0.metadata()?.mode() & 0o7777))
    }

    fn modified(&self) -> io::Result<Option<Timestamp>> {
        let metadata = self.0.metadata()?;
        let milliseconds =
            metadata.mtime().saturating_mul(1_000).saturating_add(metadata.mtime_nsec() / 1_000_000);
        Ok(Some(Timestamp::from_milliseconds(milliseconds)))
    }
}

impl Disk for RealDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let mut options = fs::OpenOptions::new();
        options.read(true).mode(0o600);
        match mode {
            OpenMode::Read => {}
            OpenMode::Write => {
                options.write(true);
            }
            OpenMode::CreateNew => {
                options.write(true).create_new(true);
            }
            OpenMode::OpenOrCreate => {
                options.write(true).create(true).truncate(false);
            }
        }
        Ok(Arc::new(RealFile(retry_interrupted(|| options.open(path))?)))
    }

    fn open_dir(&self, directory: &Path) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(RealFile(open_directory(directory)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    fn create_dir_all(&self, directory: &Path) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
    }

    fn sync_dir(&self, directory: &Path) -> io::Result<()> {
        open_directory(directory)?.sync_all()
    }
}

/// Reads `length` bytes at `offset`, or fails with `UnexpectedEof`.
pub fn read_exact_at(file: &dyn DiskFile, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; length];
    fill_at(file, offset, &mut buffer)?;
    Ok(buffer)
}

/// Fills `buffer` from `offset` on, or fails with `UnexpectedEof`.
pub fn fill_at(file: &dyn DiskFile, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + filled as u64)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => filled += read,
        }
    }
    Ok(())
}

/// Buffers that are reused for several files grow in multiples of this, as the next file may be a little longer.
const ROOM_BYTES: usize = 8 << 20;

/// Reads a whole file at its current length.
pub fn read_all(file: &dyn DiskFile) -> io::Result<Vec<u8>> {
    let length = usize::try_from(file.len()?).map_err(|_| io::ErrorKind::OutOfMemory)?;
    read_exact_at(file, 0, length)
}

/// As [`read_all`], into a reused buffer; its previous content is lost.
pub fn read_all_into(file: &dyn DiskFile, bytes: &mut Vec<u8>) -> io::Result<()> {
    let length = usize::try_from(file.len()?).map_err(|_| io::ErrorKind::OutOfMemory)?;
    if bytes.capacity() < length {
        // Fresh zeros cost nothing, and the old content need not be copied.
        *bytes = vec![0; length.next_multiple_of(ROOM_BYTES)];
    }
    bytes.resize(length, 0);
    fill_at(file, 0, bytes)
}

/// Writes all of `bytes` at `offset`, looping over short writes.
pub fn write_all_at(file: &dyn DiskFile, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write_at(bytes, offset)? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => {
                bytes = bytes.get(written..).unwrap_or_default();
                offset += written as u64;
            }
        }
    }
    Ok(())
}

/// Creates the temporary file in which content is written before it gets its name; always a new one.
///
/// A leftover of an earlier attempt is removed first: a file whose sync failed is never written or synced again.
pub fn create_unfinished(disk: &dyn Disk, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
    match disk.open(path, OpenMode::CreateNew) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            disk.remove(path)?;
            disk.open(path, OpenMode::CreateNew)
        }
        opened => opened,
    }
}

/// Removes an unfinished file when its creation failed, to free its space.
///
/// If the removal fails too, the next attempt or the next start removes it.
pub fn finished_or_gone<T>(disk: &dyn Disk, unfinished: &Path, made: io::Result<T>) -> io::Result<T> {
    if made.is_err() {
        let _ = disk.remove(unfinished);
    }
    made
}

/// The only way a file gets its final name: sync the file, rename it, sync the directory.
///
/// `file` must be the handle through which `from` was written; both paths are in the same directory.
pub fn durable_rename(disk: &dyn Disk, file: &dyn DiskFile, from: &Path, to: &Path) -> io::Result<()> {
    file.sync_data()?;
    disk.rename(from, to)?;
    if planted(Bug::NoDirectorySync) { Ok(()) } else { disk.sync_dir(&parent(to)) }
}

/// Creates a directory and its missing parents, each of them durably.
///
/// The directory above is synced even when nothing was created: an earlier process may have been killed in between.
pub fn create_dir_durably(disk: &dyn Disk, directory: &Path) -> io::Result<()> {
    let above = parent(directory);
    let existed = disk.list(directory).is_ok();
    if !existed {
        if above != directory && disk.list(&above).is_err() {
            create_dir_durably(disk, &above)?;
        }
        disk.create_dir_all(directory)?;
    }
    match disk.sync_dir(&above) {
        // Another user created it and denies access to its parent directory: this process need not sync that name.
        Err(error) if existed && error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        synced => synced,
    }
}

/// The parent directory of a path.
pub fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(above) if above.as_os_str().is_empty() => PathBuf::from("."),
        Some(above) => above.to_path_buf(),
        None => path.to_path_buf(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_into_a_used_buffer() {
        let directory = tempfile::tempdir().unwrap();
        let mut room = Vec::new();
        for (name, length) in [("a", 10), ("b", ROOM_BYTES), ("c", 3), ("d", 0), ("e", ROOM_BYTES + 1)] {
            let file = RealDisk.open(&directory.path().join(name), OpenMode::CreateNew).unwrap();
            let bytes = vec![name.as_bytes()[0]; length];
            write_all_at(&*file, &bytes, 0).unwrap();
            read_all_into(&*file, &mut room).unwrap();
            assert!(room == bytes && room == read_all(&*file).unwrap(), "{name}");
        }
    }
}
