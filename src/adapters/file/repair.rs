//! The explicit way out of a damaged log: give up everything from the first damage on, and keep its bytes.
//!
//! Nothing is deleted. Later segments, snapshots and the mark get names ending in `.lost`; the rest of the damaged
//! segment is copied to `log/lost-<sequence>.bytes`. Killed half-way, it is run again. Sequences that are lost are
//! given out again afterwards, so whoever follows this log must be told.

use crate::adapters::file::archive::{list_segments, open_segment};
use crate::adapters::file::audit::{Break, audit_held};
use crate::adapters::file::disk::{Disk, OpenMode, read_all, read_exact_at};
use crate::adapters::file::identity::DirectoryLock;
use crate::adapters::file::layout::Layout;
use crate::adapters::file::mark::read_mark;
use crate::adapters::file::recovery::{OpenError, keep_aside, set_aside};
use crate::adapters::file::snapshot::list_snapshots;
use crate::domain::Sequence;
use std::io;
use std::path::{Path, PathBuf};

/// What was given up.
#[derive(Debug, PartialEq, Eq)]
pub struct Repaired {
    /// The last sequence that was kept.
    pub kept: Sequence,
    /// The last sequence that is known to have been there.
    pub known: Sequence,
    /// Where the bytes are now.
    pub set_aside: Vec<PathBuf>,
}

/// Cuts a damaged log at its first damage; nothing when it is sound.
///
/// # Errors
/// [`OpenError`]: in use, or not to be read or written.
pub fn repair(disk: &dyn Disk, layout: &Layout) -> Result<Option<Repaired>, OpenError> {
    // Before the log is read: what a node adds meanwhile would be given up.
    let lock = DirectoryLock::take(disk, layout)?;
    let audit = audit_held(disk, layout, &lock)?;
    let log = layout.log();
    let mark = read_mark(disk, &layout.mark()).map_err(OpenError::at(&log))?;
    let newest = audit.snapshots.first().copied().unwrap_or_default();
    let known = mark.max(newest).max(audit.end);
    let cut = audit.broken_at;
    if cut.is_none() && known == audit.end {
        return Ok(None);
    }
    let kept = audit.end;
    let aside = give_up(disk, layout, cut, kept).map_err(OpenError::at(&log))?;
    Ok(Some(Repaired { kept, known, set_aside: aside }))
}

fn give_up(disk: &dyn Disk, layout: &Layout, cut: Option<Break>, kept: Sequence) -> io::Result<Vec<PathBuf>> {
    let mut aside = Vec::new();
    for sequence in list_snapshots(disk, layout)?.into_iter().filter(|sequence| *sequence > kept) {
        lose(disk, &layout.snapshot(sequence), &mut aside)?;
    }
    disk.sync_dir(&layout.snapshots())?;
    if disk.open(&layout.mark(), OpenMode::Read).is_ok() {
        lose(disk, &layout.mark(), &mut aside)?;
    }
    if let Some(cut) = cut {
        // From the end: what is left is a log without a hole at every moment.
        for first in list_segments(disk, layout)?.into_iter().rev() {
            if first > cut.segment || (first == cut.segment && cut.offset == 0) {
                let archived = disk.open(&layout.segment(first), OpenMode::Read).is_err();
                lose(
                    disk,
                    &if archived { layout.archived(first) } else { layout.segment(first) },
                    &mut aside,
                )?;
                if disk.open(&layout.index(first), OpenMode::Read).is_ok() {
                    disk.remove(&layout.index(first))?;
                }
            }
        }
        for directory in [layout.log(), layout.archive()] {
            disk.sync_dir(&directory)?;
        }
        if cut.offset > 0 {
            cut_segment(disk, layout, cut, &mut aside)?;
        }
        unpack_last(disk, layout)?;
    }
    disk.sync_dir(&layout.log())?;
    Ok(aside)
}

fn cut_segment(disk: &dyn Disk, layout: &Layout, cut: Break, aside: &mut Vec<PathBuf>) -> io::Result<()> {
    let path = layout.segment(cut.segment);
    let file = open_segment(disk, layout, cut.segment)?;
    let length = |bytes: u64| usize::try_from(bytes).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory));
    let offset = cut.offset.min(file.len()?);
    let good = read_exact_at(&*file, 0, length(offset)?)?;
    match read_exact_at(&*file, offset, length(file.len()? - offset)?) {
        Ok(lost) => {
            aside.push(keep_aside(disk, &layout.log(), &format!("lost-{}", cut.sequence), &lost)?);
        }
        // An archive that cannot be unpacked is kept as it is.
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {}
        Err(error) => return Err(error),
    }
    set_aside(disk, &path, &good)?;
    if disk.open(&layout.archived(cut.segment), OpenMode::Read).is_ok() {
        lose(disk, &layout.archived(cut.segment), aside)?;
        disk.sync_dir(&layout.archive())?;
    }
    Ok(())
}

/// The log goes on in its last segment, so that one must not be in the archive.
fn unpack_last(disk: &dyn Disk, layout: &Layout) -> io::Result<()> {
    let Some(last) = list_segments(disk, layout)?.pop() else { return Ok(()) };
    if disk.open(&layout.segment(last), OpenMode::Read).is_ok() {
        return Ok(());
    }
    let bytes = read_all(&*open_segment(disk, layout, last)?)?;
    set_aside(disk, &layout.segment(last), &bytes)?;
    disk.remove(&layout.archived(last))?;
    disk.sync_dir(&layout.archive())
}

fn lose(disk: &dyn Disk, path: &Path, aside: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lost");
    let lost = PathBuf::from(name);
    disk.rename(path, &lost)?;
    aside.push(lost);
    Ok(())
}
