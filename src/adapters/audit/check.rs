//! What `onhand verify` says of the trail: every chain from its first file to its last.

use crate::file_name::{FileName, list};
use crate::line::LineHash;
use crate::walk::{Place, Step};
use onhand_disk::Disk;
use std::io;
use std::path::{Path, PathBuf};

/// The result of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrailCheck {
    /// Files of all chains.
    pub files: usize,
    /// Entries of all chains.
    pub entries: u64,
    /// By chain: its number, the number of its last entry, and the hash of that entry's line.
    pub ends: Vec<(u16, u64, LineHash)>,
    /// Bytes at the end of the last files that a crash has torn, or that are being written.
    pub torn_bytes: usize,
    /// The places where a chain is broken, in order.
    pub breaks: Vec<ChainBreak>,
}

/// A place where a chain is not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainBreak {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, for a person.
    pub reason: String,
}

/// Checks every chain in a directory; there may be none.
///
/// # Errors
/// What the disk says.
pub fn check(disk: &dyn Disk, directory: &Path) -> io::Result<TrailCheck> {
    let files = list(disk, directory)?;
    let mut check = TrailCheck { files: files.len(), ..TrailCheck::default() };
    let mut place: Option<(u16, Place)> = None;
    for (at, file) in files.iter().enumerate() {
        let next = files.get(at + 1).copied().filter(|next| next.chain == file.chain);
        let known = place.take().filter(|(chain, _)| *chain == file.chain);
        let mut reached = known.map_or_else(|| Place::begin(*file), |(_, place)| place);
        check_file(disk, directory, *file, next, &mut reached, &mut check)?;
        if next.is_none() {
            check.ends.push((file.chain, reached.next - 1, reached.prev.unwrap_or_default()));
        }
        place = Some((file.chain, reached));
    }
    Ok(check)
}

fn check_file(
    disk: &dyn Disk,
    directory: &Path,
    file: FileName,
    next: Option<FileName>,
    place: &mut Place,
    check: &mut TrailCheck,
) -> io::Result<()> {
    let walked = place.walk(disk, directory, file, next)?;
    check.torn_bytes += walked.torn.map_or(0, |torn| torn.bytes);
    for step in walked.steps {
        match step {
            Step::Entry(..) => check.entries += 1,
            Step::Break(found) => check.breaks.push(ChainBreak {
                path: directory.join(found.file.to_string()),
                line: found.line,
                reason: found.reason,
            }),
        }
    }
    Ok(())
}
