//! Entries of all chains behind a place.

use crate::file_name::{Day, FileName, list};
use crate::walk::{Break, Place, Step};
use onhand_app::ports::{AuditEntry, AuditKind, ChainPiece, TrailQuery};
use onhand_disk::Disk;
use onhand_domain::Timestamp;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;

/// Most entries that one call examines of a chain; the next one goes on behind them.
const EXAMINED_MAX: usize = 50_000;

/// Reads entries of all chains.
///
/// # Errors
/// What the disk says.
pub(crate) fn read(disk: &dyn Disk, directory: &Path, query: &TrailQuery<'_>) -> io::Result<Vec<ChainPiece>> {
    let files = list(disk, directory)?;
    let chains: BTreeSet<u16> = files.iter().map(|file| file.chain).collect();
    let of_chain = |chain| files.iter().copied().filter(move |file: &FileName| file.chain == chain);
    chains
        .into_iter()
        .map(|chain| read_chain(disk, directory, &of_chain(chain).collect::<Vec<_>>(), query))
        .collect()
}

fn read_chain(
    disk: &dyn Disk,
    directory: &Path,
    files: &[FileName],
    query: &TrailQuery<'_>,
) -> io::Result<ChainPiece> {
    let chain = files.first().map_or(0, |file| file.chain);
    let after = query.after.get(&chain).copied().unwrap_or(0);
    let mut piece = ChainPiece { chain, entries: Vec::new(), through: after, unfinished_at: None };
    let first_day = query.since.map(Day::of);
    let is_over = |file: &FileName| {
        file.first > after.saturating_add(1) || first_day.is_some_and(|day| file.day >= day)
    };
    // The last file that begins in front of what is wanted.
    let begin = files.iter().position(is_over).unwrap_or(files.len()).saturating_sub(1);
    let mut place = None;
    let mut examined = 0;
    let mut time = Timestamp::EPOCH;
    for (at, file) in files.iter().enumerate().skip(begin) {
        let place = place.get_or_insert_with(|| Place::begin(*file));
        let walked = place.walk(disk, directory, *file, files.get(at + 1).copied())?;
        for step in walked.steps {
            let (n, entry) = match step {
                Step::Entry(n, entry) => (n, entry),
                Step::Break(found) => (found.n, damaged(&found, time)),
            };
            if n <= after {
                time = entry.time;
                continue;
            }
            // A break and an entry can have one number: they stay together.
            let full = piece.entries.len() >= query.limit || examined >= EXAMINED_MAX;
            if full && n > piece.through {
                piece.unfinished_at = Some(time);
                return Ok(piece);
            }
            (examined, time) = (examined + 1, entry.time);
            piece.through = piece.through.max(n);
            if query.since.is_none_or(|since| entry.time >= since) && (query.passes)(&entry) {
                piece.entries.push((n, entry));
            }
        }
    }
    Ok(piece)
}

/// The entry that says where a chain is broken.
fn damaged(found: &Break, time: Timestamp) -> AuditEntry {
    let time = time.max(found.file.day.begin());
    let detail = format!("{}, line {}: {}", found.file, found.line, found.reason);
    AuditEntry { detail: Some(detail), ..AuditEntry::new(time, AuditKind::Damaged) }
}
