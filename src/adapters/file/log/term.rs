//! The term of a node that shares its data directory: it decides which process may append to the node's log.
//!
//! Each time a process opens the node's directory it begins a new **term**, a number that only ever rises. Leases
//! name the term of their holder, so all leases of a process are void as soon as its term is over. A term is ended
//! by
//! - the process itself, when it stops: its log ends at its mark;
//! - the next process that opens the directory, or another one that found it unlocked and read its log to the end;
//! - another process that found it **paused**: it has not renewed its leases for longer than their lifetime. Its
//!   entries up to the mark stay, and `end` records that mark. Everything behind `end` is rejected at the next
//!   start;
//! - the process itself, before it releases a lease while a sync of its file has failed and no probe has rebuilt the
//!   file: the group of that sync stands in it unacknowledged, and a process that reads the log to its end after a
//!   kill would accept it.
//!
//! ```text
//! term    <8 hex crc32c of the rest> {"term":7,"end":1041}<LF>        `end` in all but the second case
//! ```
//! The file is replaced by `durable_rename`. A process commits a group of entries by writing the mark, and does
//! that only while it holds the advisory lock on the mark **and** the file still names its term; a process that
//! ends the term of a paused one holds the same lock while it reads the mark and replaces the file. So a mark is
//! either written before the end, and every process continues from it, or never written, and none of its entries is
//! acknowledged. Safety does not depend on clocks: they only decide when a process counts as paused.

use crate::format::mark::read_mark;
use onhand_app::ports::TakenOver;
use onhand_disk::layout::Layout;
use onhand_disk::{Disk, DiskFile, LockOutcome, OpenMode, read_all, replace};
use onhand_domain::Sequence;
use onhand_planted::{Bug, planted};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Pause before the lock on a mark is tried again: the holder needs a moment, or a sync.
const TRY_AGAIN: Duration = Duration::from_millis(1);

/// The content of a `term` file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Term {
    /// The number of the current term; 0 before the first.
    pub term: u64,
    /// The final end of the log, when another process ended the term before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Sequence>,
}

/// Reads a `term` file; none when it is missing.
///
/// # Errors
/// Any I/O error of the disk; `InvalidData` when the file is damaged.
pub fn read_term(disk: &dyn Disk, path: &Path) -> io::Result<Option<Term>> {
    let bytes = match disk.open(path, OpenMode::Read) {
        Ok(file) => read_all(&*file)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "the term is not what was written");
    let json = checked(&bytes).ok_or_else(damaged)?;
    serde_json::from_slice(json).map(Some).map_err(|_| damaged())
}

pub(crate) fn write_term(disk: &dyn Disk, layout: &Layout, term: Term) -> io::Result<()> {
    replace(disk, &layout.term(), &with_checksum(&term)).map(drop)
}

/// Encodes a small record as a line with its checksum in front.
pub(crate) fn with_checksum(record: &impl Serialize) -> Vec<u8> {
    let json = serde_json::to_string(record).expect("a plain struct always becomes JSON");
    format!("{:08x} {json}\n", crc32c::crc32c(json.as_bytes())).into_bytes()
}

/// The JSON of such a line, if its checksum fits.
pub(crate) fn checked(line: &[u8]) -> Option<&[u8]> {
    let (checksum, json) = line.strip_suffix(b"\n")?.split_at_checked(9)?;
    let claimed = u32::from_str_radix(std::str::from_utf8(checksum).ok()?.strip_suffix(' ')?, 16).ok()?;
    (claimed == crc32c::crc32c(json)).then_some(json)
}

/// Permits a process to append to its log only while its term lasts.
#[derive(Clone)]
pub(crate) struct Tenure {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) layout: Layout,
    pub(crate) term: u64,
    lost: Arc<AtomicBool>,
}

impl Tenure {
    /// The tenure of a process that has begun that term.
    pub(crate) fn new(disk: Arc<dyn Disk>, layout: Layout, term: u64) -> Self {
        Self { disk, layout, term, lost: Arc::default() }
    }

    /// Notes whether an unacknowledged group may stand in the file of the log; to be called before any caller
    /// learns of the failure.
    pub(crate) fn note_lost(&self, lost: bool) {
        self.lost.store(lost, Ordering::SeqCst);
    }

    /// True while such a group may stand in the file of the log.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst) && !planted(Bug::ReleaseOverLostFile)
    }

    /// Ends the term at the mark: entries behind it were not acknowledged. Not only while the file is lost, because
    /// that may have changed by the time the lock is acquired.
    ///
    /// # Errors
    /// As [`Tenure::marking`]; the term continues then.
    pub(crate) fn end(&self) -> io::Result<()> {
        self.marking(|| {
            let end = Some(read_mark(&*self.disk, &self.layout.mark())?);
            write_term(&*self.disk, &self.layout, Term { term: self.term + 1, end })
        })
    }

    /// Calls `mark`, which writes the mark, while no other process can end the term; does not call it once the term
    /// has ended.
    ///
    /// # Errors
    /// [`TakenOver`] in an [`io::Error`], or any I/O error of the disk: then the mark is not written.
    pub(crate) fn marking(&self, mark: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let _lock = hold_mark(&*self.disk, &self.layout)?;
        self.lasts()?;
        mark()
    }

    /// Checks that the term is not over, as far as can be told without the lock.
    ///
    /// # Errors
    /// As [`Tenure::marking`].
    pub(crate) fn lasts(&self) -> io::Result<()> {
        let present = read_term(&*self.disk, &self.layout.term())?.unwrap_or_default();
        if present.term == self.term || planted(Bug::AcceptStaleEpoch) {
            Ok(())
        } else {
            Err(io::Error::other(TakenOver))
        }
    }
}

/// How long to wait for the lock on a mark: a process that holds it longer has stopped in the middle of a
/// take-over.
const MARK_WAIT: Duration = Duration::from_secs(10);

/// Takes the lock on a mark, as soon as it is free. A process that opens a member's directory holds it from before
/// it reads the log until the new term has begun: so the end of a log is set either from reading on or from the
/// mark, never from both.
///
/// # Errors
/// Any I/O error of the disk; `TimedOut` after [`MARK_WAIT`].
pub(crate) fn hold_mark(disk: &dyn Disk, layout: &Layout) -> io::Result<Arc<dyn DiskFile>> {
    let begun = Instant::now();
    loop {
        let file = disk.open(&layout.mark(), OpenMode::OpenOrCreate)?;
        if file.try_lock()? == LockOutcome::Acquired {
            return Ok(file);
        }
        if begun.elapsed() >= MARK_WAIT {
            let reason = "another process has held the lock on the mark for too long; is it stopped?";
            return Err(io::Error::new(io::ErrorKind::TimedOut, reason));
        }
        thread::sleep(TRY_AGAIN);
    }
}

/// Ends the term of a paused process: its entries up to the mark stay, the others are discarded.
///
/// Returns false when the process is using its mark right now; then it is not paused.
///
/// # Errors
/// Any I/O error of the disk; the term may have ended or not.
pub(crate) fn end_term(disk: &dyn Disk, layout: &Layout, expected: u64) -> io::Result<bool> {
    let file = disk.open(&layout.mark(), OpenMode::OpenOrCreate)?;
    if file.try_lock()? != LockOutcome::Acquired {
        return Ok(false);
    }
    let present = read_term(disk, &layout.term())?.unwrap_or_default();
    if present.term != expected {
        return Ok(true);
    }
    let end = read_mark(disk, &layout.mark())?;
    write_term(disk, layout, Term { term: expected + 1, end: Some(end) })?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::mark::Mark;
    use onhand_app::ports::is_taken_over;
    use onhand_sim_machine::disk::SimDisk;

    #[test]
    fn a_mark_is_before_the_end_of_the_term_or_never() {
        let disk: Arc<dyn Disk> = Arc::new(SimDisk::new(1));
        let layout = Layout::new(Path::new("/data")).member(1);
        onhand_disk::create_dir_durably(&*disk, &layout.log()).unwrap();
        write_term(&*disk, &layout, Term { term: 7, end: None }).unwrap();
        let tenure = Tenure::new(Arc::clone(&disk), layout.clone(), 7);
        let mut mark = Mark::open(&*disk, &layout.mark()).unwrap();
        tenure.marking(|| mark.write(Sequence(3))).unwrap();
        let during = tenure.marking(|| {
            assert!(!end_term(&*disk, &layout, 7).unwrap(), "the process is at its mark");
            mark.write(Sequence(4))
        });
        during.unwrap();
        assert!(end_term(&*disk, &layout, 7).unwrap());
        let over = tenure.marking(|| mark.write(Sequence(5))).unwrap_err();
        assert!(is_taken_over(&over));
        assert_eq!(read_mark(&*disk, &layout.mark()).unwrap(), Sequence(4));
        let term = read_term(&*disk, &layout.term()).unwrap();
        assert_eq!(term, Some(Term { term: 8, end: Some(Sequence(4)) }));
    }

    #[test]
    fn a_process_ends_its_own_term_at_its_mark() {
        for lost in [false, true] {
            let disk: Arc<dyn Disk> = Arc::new(SimDisk::new(1));
            let layout = Layout::new(Path::new("/data")).member(1);
            onhand_disk::create_dir_durably(&*disk, &layout.log()).unwrap();
            write_term(&*disk, &layout, Term { term: 7, end: None }).unwrap();
            Mark::open(&*disk, &layout.mark()).unwrap().write(Sequence(4)).unwrap();
            let tenure = Tenure::new(Arc::clone(&disk), layout.clone(), 7);
            tenure.note_lost(lost);
            tenure.end().unwrap();
            let ended = Some(Term { term: 8, end: Some(Sequence(4)) });
            assert_eq!(read_term(&*disk, &layout.term()).unwrap(), ended);
            assert!(is_taken_over(&tenure.lasts().unwrap_err()));
        }
    }

    #[test]
    fn a_flipped_bit_in_a_term_is_seen() {
        let line = with_checksum(&Term { term: 7, end: Some(Sequence(1041)) });
        assert!(checked(&line).is_some());
        for bit in 0..line.len() * 8 {
            let mut flipped = line.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(checked(&flipped).filter(|json| *json != &line[9..line.len() - 1]), None, "bit {bit}");
        }
    }
}
