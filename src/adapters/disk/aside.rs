//! Leftovers of a crash: discarded bytes are kept under another name, unfinished files are removed.

use crate::calls::Disk;
use crate::replace::replace;
use std::io;
use std::path::{Path, PathBuf};

/// Keeps discarded bytes in a file named after their content: equal bytes share a file, and other bytes never
/// replace it.
pub fn keep_aside(disk: &dyn Disk, directory: &Path, stem: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    let path = directory.join(format!("{stem}-{:08x}.bytes", crc32c::crc32c(bytes)));
    set_aside(disk, &path, bytes)?;
    Ok(path)
}

/// Writes bytes as a whole file, durably.
pub fn set_aside(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(disk, path, bytes).map(drop)
}

/// Removes the unfinished files of a process that was killed.
pub fn remove_unfinished(disk: &dyn Disk, directory: &Path) -> io::Result<()> {
    for name in disk.list(directory)? {
        if Path::new(&name).extension().is_some_and(|extension| extension == "tmp") {
            disk.remove(&directory.join(name))?;
        }
    }
    Ok(())
}
