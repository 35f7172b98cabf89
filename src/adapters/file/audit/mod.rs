//! The audit: reads a whole data directory and says what does not hold. Changes nothing.
//!
//! It can be run beside a living node: then only what the mark says is durable counts, and what stands behind it is in
//! flight. Checked are: the chain of every segment and between them; sequences, batches and times; that each event
//! fits its state and leads to the numbers it recorded; that reservations add up to `reserved`; that each snapshot is
//! the sum of the log up to its sequence; that the log reaches as far as the mark, and not beyond the end that others
//! gave it; that each index is whole; and of the states of all logs together that each alert agrees with its level.

mod low_stock;
mod report;
mod shared;

pub use report::{Audit, Break, Finding};
pub use shared::{DirectoryAudit, audit_directory};

use crate::adapters::file::archive::{list_segments, open_segment};
use crate::adapters::file::disk::{Disk, read_all};
use crate::adapters::file::identity::{DirectoryLock, read_node};
use crate::adapters::file::index::{IndexError, Sealed};
use crate::adapters::file::layout::Layout;
use crate::adapters::file::mark::read_mark;
use crate::adapters::file::recovery::OpenError;
use crate::adapters::file::replay::load_snapshot;
use crate::adapters::file::segment::{Damage, Header, Scan, SegmentEnd};
use crate::adapters::file::snapshot::{SnapshotError, list_snapshots};
use crate::adapters::file::term::read_term;
use crate::app::fold::Fold;
use crate::domain::{Entry, Fact, Key, Sequence, Timestamp};
use report::first_difference;
use shared::Take;
use std::path::Path;

struct Auditor<'a> {
    disk: &'a dyn Disk,
    layout: &'a Layout,
    audit: Audit,
    mark: Sequence,
    /// Where the log ends for good, if another process ended it.
    upto: Sequence,
    previous: Option<SegmentEnd>,
    /// Snapshots the fold has not come to yet, lowest last.
    unseen: Vec<Sequence>,
}

/// Audits a data directory.
///
/// # Errors
/// [`OpenError`] when it is none, or cannot be read at all.
pub fn audit(disk: &dyn Disk, layout: &Layout) -> Result<Audit, OpenError> {
    let live = DirectoryLock::holder(disk, layout).map_err(OpenError::at(&layout.lock()))?;
    audit_beside(disk, layout, live)
}

/// Audits a data directory that the caller holds himself.
pub(super) fn audit_held(
    disk: &dyn Disk,
    layout: &Layout,
    _lock: &DirectoryLock,
) -> Result<Audit, OpenError> {
    audit_beside(disk, layout, None)
}

/// Audits a data directory in which somebody may be writing.
fn audit_beside(disk: &dyn Disk, layout: &Layout, live: Option<String>) -> Result<Audit, OpenError> {
    let node = read_node(disk, layout)?.ok_or_else(|| OpenError::Damaged {
        path: layout.node(),
        reason: "it is missing; this is not a data directory".to_owned(),
    })?;
    let snapshots = list_snapshots(disk, layout).map_err(OpenError::at(&layout.snapshots()))?;
    // The mark is read first: a living node only moves it on.
    let mark = read_mark(disk, &layout.mark()).map_err(OpenError::at(&layout.mark()))?;
    let mut firsts = list_segments(disk, layout).map_err(OpenError::at(&layout.log()))?;
    // What a living node has begun since is not called durable by this mark, nor all of what is in front of it.
    firsts.retain(|first| live.is_none() || *first <= mark.plus(1));
    let term = read_term(disk, &layout.term()).map_err(OpenError::at(&layout.term()))?;
    let upto = term.and_then(|term| term.end).unwrap_or(Sequence(u64::MAX));
    let audit = Audit {
        node,
        live,
        segments: firsts.len(),
        end: Sequence::START,
        last_time: Timestamp::from_milliseconds(i64::MIN),
        fold: Fold::default(),
        snapshots: snapshots.clone(),
        torn_bytes: 0,
        broken_at: None,
        takes: Vec::new(),
        findings: Vec::new(),
    };
    let mut auditor = Auditor { disk, layout, audit, mark, upto, previous: None, unseen: snapshots };
    for (number, first) in (1..).zip(&firsts) {
        auditor.segment(number, *first, number == firsts.len() as u64)?;
    }
    auditor.end();
    Ok(auditor.audit)
}

impl Auditor<'_> {
    fn find(
        &mut self,
        path: &Path,
        offset: Option<u64>,
        sequence: Option<Sequence>,
        what: impl Into<String>,
    ) {
        self.audit.findings.push(Finding { path: path.to_path_buf(), offset, sequence, what: what.into() });
    }

    /// True while everything read so far adds up.
    fn whole(&self) -> bool {
        self.audit.broken_at.is_none()
    }

    /// From here on the log cannot be added up; only the first such place counts.
    fn broken(&mut self, segment: Sequence, offset: u64) {
        let sequence = self.audit.fold.sequence.plus(1);
        self.audit.broken_at.get_or_insert(Break { segment, offset, sequence });
    }

    fn segment(&mut self, number: u64, first: Sequence, last: bool) -> Result<(), OpenError> {
        let path = self.layout.segment(first);
        let file = open_segment(self.disk, self.layout, first).map_err(OpenError::at(&path))?;
        let bytes = read_all(&*file).map_err(OpenError::at(&path))?;
        let (header, mut scan) = match Scan::begin(&bytes, self.audit.last_time) {
            Ok(begun) => begun,
            Err(damage) => {
                self.find(&path, Some(damage.offset), Some(first), damage.reason);
                self.broken(first, 0);
                return Ok(());
            }
        };
        self.header(&path, &header, number, first);
        loop {
            let offset = scan.end().length;
            match scan.next_line() {
                Ok(None) => break,
                Ok(Some(line)) => {
                    let sequence = line.entry.sequence;
                    if self.audit.live.is_some() && line.entry.last() > self.mark {
                        // In flight: the living node has not called it durable yet.
                        break;
                    }
                    if line.entry.last() > self.upto {
                        // Never acknowledged, and never will be.
                        self.audit.torn_bytes = bytes.len() as u64 - offset;
                        break;
                    }
                    self.note_takes(&path, offset, &line.entry);
                    if self.whole()
                        && let Err(error) = self.audit.fold.add(&line.entry)
                    {
                        self.find(&path, Some(offset), Some(sequence), error.to_string());
                        self.broken(first, offset);
                    }
                    self.compare_snapshot();
                }
                Err(damage) => {
                    self.damage(first, damage, &scan, bytes.len() as u64, last);
                    break;
                }
            }
        }
        self.audit.last_time = self.audit.last_time.max(scan.last_time());
        self.previous = Some(scan.end());
        if !last {
            self.index(first, scan.end());
        }
        Ok(())
    }

    /// States that are taken over, with what this log had come to until then: all of them stand in front of the events
    /// of their keys.
    fn note_takes(&mut self, path: &Path, offset: u64, entry: &Entry) {
        for (sequence, event) in entry.numbered() {
            let Fact::Take(taken) = &event.fact else { continue };
            // One that contradicts itself is found when it is added up.
            let Ok((key, state)) = taken.state.clone().restore() else { continue };
            let before = self.audit.fold.states.get(&key).cloned();
            let (path, epoch) = (path.to_path_buf(), taken.epoch);
            self.audit.takes.push(Take { path, offset, sequence, key, epoch, state, before });
        }
    }

    fn header(&mut self, path: &Path, header: &Header, number: u64, first: Sequence) {
        let mut wrong = Vec::new();
        if header.node != self.audit.node.node {
            wrong.push(format!("it belongs to node {}", header.node));
        }
        if header.segment != number {
            wrong.push(format!("it is segment {} where segment {number} belongs", header.segment));
        }
        if header.first_sequence != first {
            wrong.push(format!("it says it begins with {}", header.first_sequence));
        }
        if header.previous != self.previous {
            wrong.push("the segment before it does not end where it says".to_owned());
        }
        for what in wrong {
            self.find(path, Some(0), Some(first), what);
            self.broken(first, 0);
        }
    }

    /// Damage at the end of the last segment may be the torn tail of a crash; anything else is a finding.
    fn damage(&mut self, first: Sequence, damage: Damage, scan: &Scan<'_>, length: u64, last: bool) {
        let path = &self.layout.segment(first);
        let proof = match scan.later_batch() {
            Some(batch) => Some(format!("batch {batch} stands behind it, so it was durable")),
            None if damage.sequence <= self.mark => Some(format!("the mark says {} was durable", self.mark)),
            None => None,
        };
        match proof {
            None if last => {
                if self.audit.live.is_none() {
                    self.audit.torn_bytes = length - damage.offset;
                }
            }
            proof => {
                let what = [Some(damage.reason), proof].into_iter().flatten().collect::<Vec<_>>().join("; ");
                self.find(path, Some(damage.offset), Some(damage.sequence), what);
                self.broken(first, damage.offset);
            }
        }
    }

    fn index(&mut self, first: Sequence, end: SegmentEnd) {
        let path = self.layout.index(first);
        let checked = Sealed::open(self.disk, &path).and_then(|index| {
            index.check()?;
            Ok(index.is_of(end.length, end.crc))
        });
        match checked {
            Ok(true) => {}
            Ok(false) => self.find(&path, None, Some(first), "it is the index of another segment"),
            // A living node may not have come to it yet, and the next start makes it.
            Err(IndexError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                self.find(&path, None, Some(first), format!("{error}; remove it, it is made again"));
            }
        }
    }

    /// The fold has come to the sequence of a snapshot: they must be equal.
    fn compare_snapshot(&mut self) {
        let Some(sequence) = self.unseen.last().copied().filter(|next| *next <= self.audit.fold.sequence)
        else {
            return;
        };
        self.unseen.pop();
        if !self.whole() {
            return;
        }
        let path = self.layout.snapshot(sequence);
        match load_snapshot(self.disk, &path, &self.audit.node) {
            Ok(_) if sequence < self.audit.fold.sequence => {
                self.find(&path, None, Some(sequence), "no entry ends with its sequence");
            }
            Ok(snapshot) => {
                if let Some(what) = first_difference(&self.audit.fold, &snapshot) {
                    self.find(&path, None, Some(sequence), what);
                }
            }
            // A living node removes its oldest snapshot now and then.
            Err(SnapshotError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => self.find(&path, None, Some(sequence), error.to_string()),
        }
    }

    /// What can only be said once everything was read.
    fn end(&mut self) {
        let end = self.audit.fold.sequence;
        self.audit.end = end;
        if self.whole() && self.mark > end {
            let what =
                format!("it says that sequence {} was durable, but the log ends with {end}", self.mark);
            self.find(&self.layout.mark(), None, Some(end), what);
        }
        if self.mark > self.upto {
            let what = format!("sequence {} was made durable after another process ended the log", self.mark);
            self.find(&self.layout.term(), None, Some(self.upto), what);
        }
        if self.whole() && self.audit.live.is_none() {
            for sequence in std::mem::take(&mut self.unseen) {
                let what = format!("the log ends with {end}, before the snapshot");
                self.find(&self.layout.snapshot(sequence), None, Some(sequence), what);
            }
        }
        let states = self.audit.fold.states.iter();
        let broken = states.filter(|(key, state)| state.record(key).restore().is_err());
        let broken: Vec<Key> = broken.map(|(key, _)| key.clone()).collect();
        for key in broken {
            let what = format!("{key}: the open reservations do not add up to what is reserved");
            self.find(&self.layout.log(), None, None, what);
        }
    }
}
