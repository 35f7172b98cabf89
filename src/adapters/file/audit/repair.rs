//! Repair of a damaged log, on explicit request: cuts the log at the first damage, and keeps the bytes behind it.
//!
//! Nothing is deleted. Later segments, snapshots and the mark get names ending in `.lost`; the rest of the damaged
//! segment is copied to `log/lost-<sequence>.bytes`. A repair that was killed half-way can be run again. Lost
//! sequences are assigned again afterwards, so the followers of this log must be informed.
//!
//! A copy that was made while the node ran may hold a mark or a snapshot that is newer than its log
//! ([`settle_copy`]): then only that mark or snapshot is discarded.

use crate::audit::report::{Audit, Break};
use crate::audit::run::audit_held;
use crate::format::identity::DirectoryLock;
use crate::format::mark::read_mark;
use crate::reading::archived::{list_segments, open_segment, segment_path};
use crate::upkeep::snapshot::list_snapshots;
use onhand_disk::layout::Layout;
use onhand_disk::{Disk, OpenError, OpenMode, create_dir_durably, keep_aside, read_exact_at, set_aside};
use onhand_domain::Sequence;
use std::io;
use std::path::{Path, PathBuf};

/// The result of a repair.
#[derive(Debug, PartialEq, Eq)]
pub struct Repaired {
    /// The last sequence that was kept.
    pub kept: Sequence,
    /// The last sequence that is known to have been durable.
    pub known: Sequence,
    /// The files with the discarded bytes.
    pub set_aside: Vec<PathBuf>,
}

/// Cuts a damaged log at its first damage; none when it is sound.
///
/// # Errors
/// [`OpenError`]: the directory is in use, unreadable or not writable.
pub fn repair(disk: &dyn Disk, layout: &Layout) -> Result<Option<Repaired>, OpenError> {
    // Before the log is read: entries that a node adds meanwhile would be discarded.
    let lock = DirectoryLock::take(disk, layout)?;
    let audit = audit_held(disk, layout, &lock)?;
    let known = known(disk, layout, &audit)?;
    let cut = audit.broken_at;
    if cut.is_none() && known == audit.end {
        return Ok(None);
    }
    let kept = audit.end;
    let aside = give_up(disk, layout, cut, kept).map_err(OpenError::at(&layout.log()))?;
    Ok(Some(Repaired { kept, known, set_aside: aside }))
}

/// Makes a copy that was made while the node ran usable with all its entries: the mark and snapshots that are newer
/// than its log are set aside, and nothing of the log itself. None when the copy starts as it is.
///
/// # Errors
/// [`OpenError::Corrupt`] when the log is damaged before its end, which copying does not cause; other errors when
/// the directory is in use, unreadable or not writable.
pub fn settle_copy(disk: &dyn Disk, layout: &Layout) -> Result<Option<Repaired>, OpenError> {
    let lock = DirectoryLock::take(disk, layout)?;
    let audit = audit_held(disk, layout, &lock)?;
    if !audit.cut_short {
        let Some(Break { segment, offset, sequence }) = audit.broken_at else { return Ok(None) };
        let path = segment_path(disk, layout, segment);
        let found = audit.findings.iter().find(|finding| finding.path == path);
        let what = found.map_or("it does not add up", |finding| finding.what.as_str());
        let reason = format!("{what}; that is not how a copy ends");
        return Err(OpenError::Corrupt { path, offset, sequence, reason });
    }
    let known = known(disk, layout, &audit)?;
    let set_aside = give_up(disk, layout, None, audit.end).map_err(OpenError::at(&layout.log()))?;
    Ok(Some(Repaired { kept: audit.end, known, set_aside }))
}

/// The last sequence that is known to have been durable.
fn known(disk: &dyn Disk, layout: &Layout, audit: &Audit) -> Result<Sequence, OpenError> {
    let mark = read_mark(disk, &layout.mark()).map_err(OpenError::at(&layout.log()))?;
    let newest = audit.snapshots.first().copied().unwrap_or_default();
    Ok(mark.max(newest).max(audit.end))
}

fn give_up(disk: &dyn Disk, layout: &Layout, cut: Option<Break>, kept: Sequence) -> io::Result<Vec<PathBuf>> {
    let mut aside = Vec::new();
    for directory in [layout.snapshots(), layout.archive()] {
        create_dir_durably(disk, &directory)?;
    }
    for sequence in list_snapshots(disk, layout)?.into_iter().filter(|sequence| *sequence > kept) {
        lose(disk, &layout.snapshot(sequence), &mut aside)?;
    }
    disk.sync_dir(&layout.snapshots())?;
    if disk.open(&layout.mark(), OpenMode::Read).is_ok() {
        lose(disk, &layout.mark(), &mut aside)?;
    }
    if let Some(cut) = cut {
        // From the end, so that the remaining log never has a hole.
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

fn lose(disk: &dyn Disk, path: &Path, aside: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lost");
    let lost = PathBuf::from(name);
    disk.rename(path, &lost)?;
    aside.push(lost);
    Ok(())
}
