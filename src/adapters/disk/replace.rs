//! A file replaced as a whole, and space reserved for one that will grow.

use crate::calls::{Disk, DiskFile, create_unfinished, durable_rename, finished_or_gone, write_all_at};
use crate::layout::temporary;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Writes `bytes` to a new file, makes it durable under the name `path`, in place of the file that had it, and
/// keeps it open.
///
/// # Errors
/// Any I/O error of the disk; the name may then belong to either file.
pub fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<Arc<dyn DiskFile>> {
    let unfinished = temporary(path);
    let file = create_unfinished(disk, &unfinished)?;
    let written = write_all_at(&*file, bytes, 0);
    let named = written.and_then(|()| durable_rename(disk, &*file, &unfinished, path));
    finished_or_gone(disk, &unfinished, named.map(|()| file))
}

/// Reserves space for `bytes` in a file that is `length` bytes long, if available. An optimisation only: file
/// systems without it work as well.
pub fn reserve(file: &dyn DiskFile, bytes: u64, length: u64) {
    if file.preallocate(bytes).is_err() {
        // A file system may have reserved what little space it had, which other files need.
        let _ = file.truncate(length);
    }
}
