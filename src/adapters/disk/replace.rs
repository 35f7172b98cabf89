//! A file replaced as a whole, and room reserved for one that will grow.

use crate::calls::{Disk, DiskFile, create_unfinished, durable_rename, finished_or_gone, write_all_at};
use crate::layout::temporary;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Writes `bytes` to a new file, makes it durable under the name `path`, in place of the file that had it, and keeps it open.
///
/// # Errors
/// What the disk says; the name may be that of either file then.
pub fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<Arc<dyn DiskFile>> {
    let unfinished = temporary(path);
    let file = create_unfinished(disk, &unfinished)?;
    let written = write_all_at(&*file, bytes, 0);
    let named = written.and_then(|()| durable_rename(disk, &*file, &unfinished, path));
    finished_or_gone(disk, &unfinished, named.map(|()| file))
}

/// Reserves room for `bytes` in a file that is `length` bytes long, as far as there is so much. A help, not a need: a file
/// system without it works as well.
pub fn reserve(file: &dyn DiskFile, bytes: u64, length: u64) {
    if file.preallocate(bytes).is_err() {
        // A file system may have reserved what little it had: other files need that.
        let _ = file.truncate(length);
    }
}
