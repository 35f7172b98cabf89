//! The audit of one log, entry by entry: its chain, and the states it leads to.

use super::course::{Course, PlacedEntry};
use super::orders;
use super::reading::{Damaged, LogReader, Step};
use super::report::{Audit, Break, Finding, Take};
use super::rules;
use crate::format::identity::read_node;
use crate::format::mark::read_mark;
use crate::format::segment::Header;
use crate::format::segment_end::SegmentEnd;
use crate::log::term::read_term;
use crate::reading::archived::list_segments;
use crate::upkeep::snapshot::list_snapshots;
use onhand_app::ledger::fold::Fold;
use onhand_disk::layout::Layout;
use onhand_disk::{Disk, OpenError};
use onhand_domain::{Entry, Fact, Sequence, Timestamp};
use std::path::Path;

/// The auditor of one log.
pub(super) struct Auditor<'a> {
    pub(super) disk: &'a dyn Disk,
    pub(super) layout: &'a Layout,
    reading: LogReader<'a>,
    pub(super) audit: Audit,
    /// The log is one of several of a ledger.
    several: bool,
    pub(super) mark: Sequence,
    /// The final end of the log, if another process ended it.
    pub(super) upto: Sequence,
    /// Where the segment before ends; unknown behind damage.
    previous: Before,
    /// The next entry, and the byte at which it begins.
    pub(super) next: Option<(u64, Box<Entry>)>,
    /// Snapshots that the fold has not reached yet, lowest last.
    pub(super) unseen: Vec<Sequence>,
}

/// The end of the segment in front of the current one.
#[derive(Clone, Copy)]
enum Before {
    /// An intact segment with that end; none in front of the first segment.
    Ends(Option<SegmentEnd>),
    /// A damaged segment.
    Damage,
}

impl<'a> Auditor<'a> {
    /// Begins with a log that the process `live` may be writing.
    pub(super) fn begin(
        disk: &'a dyn Disk,
        layout: &'a Layout,
        live: Option<String>,
        several: bool,
    ) -> Result<Self, OpenError> {
        let node = read_node(disk, layout)?.ok_or_else(|| OpenError::Damaged {
            path: layout.node(),
            reason: "it is missing; this is not a data directory".to_owned(),
        })?;
        let snapshots = list_snapshots(disk, layout).map_err(OpenError::at(&layout.snapshots()))?;
        // The mark is read first: a running node only advances it.
        let mark = read_mark(disk, &layout.mark()).map_err(OpenError::at(&layout.mark()))?;
        let mut firsts = list_segments(disk, layout).map_err(OpenError::at(&layout.log()))?;
        // Segments that a running node has begun since are not covered by this mark, and neither is everything in
        // front of them.
        firsts.retain(|first| live.is_none() || *first <= mark.plus(1));
        let term = read_term(disk, &layout.term()).map_err(OpenError::at(&layout.term()))?;
        let upto = term.and_then(|term| term.end).unwrap_or(Sequence(u64::MAX));
        let reading = LogReader::new(disk, layout, &firsts);
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
            cut_short: false,
            takes: Vec::new(),
            findings: Vec::new(),
        };
        let (previous, next, unseen) = (Before::Ends(None), None, snapshots);
        Ok(Self { disk, layout, reading, audit, several, mark, upto, previous, next, unseen })
    }

    pub(super) fn find(
        &mut self,
        path: &Path,
        offset: Option<u64>,
        sequence: Option<Sequence>,
        what: impl Into<String>,
    ) {
        self.audit.findings.push(Finding { path: path.to_path_buf(), offset, sequence, what: what.into() });
    }

    /// True while every entry so far was intact and consistent.
    pub(super) fn whole(&self) -> bool {
        self.audit.broken_at.is_none()
    }

    /// Marks the place from which on the log cannot be folded; only the first such place counts.
    fn broken(&mut self, segment: Sequence, offset: u64) {
        let sequence = self.audit.fold.sequence.plus(1);
        self.audit.broken_at.get_or_insert(Break { segment, offset, sequence });
    }

    /// Reads up to the next entry that counts.
    pub(super) fn advance(&mut self) {
        self.next = None;
        while let Some(step) = self.reading.next() {
            match step {
                Step::Begun(number, header) => self.header(&header, number),
                Step::Unopened { first, path, reason } => {
                    self.find(&path, Some(0), Some(first), reason);
                    self.broken(first, 0);
                    self.previous = Before::Damage;
                }
                Step::Entry(offset, entry) if self.counts(offset, &entry) => {
                    self.next = Some((offset, entry));
                    return;
                }
                Step::Damaged(damaged) => {
                    let torn = self.damage(damaged);
                    self.leave(torn);
                }
                Step::Entry(..) | Step::Ended => self.leave(true),
            }
        }
        self.audit.last_time = self.reading.last_time();
    }

    /// False for an entry that is in flight, or stands behind the end of the log.
    fn counts(&mut self, offset: u64, entry: &Entry) -> bool {
        if self.audit.live.is_some() && entry.last() > self.mark {
            // The running node has not acknowledged it yet.
            return false;
        }
        if entry.last() > self.upto {
            // Never acknowledged, and never will be.
            self.audit.torn_bytes = self.reading.bytes_behind(offset);
            return false;
        }
        true
    }

    /// Finishes a segment, which is `good` if it was read to its end.
    fn leave(&mut self, good: bool) {
        let Some((segment, end)) = self.reading.leave() else { return };
        self.previous = if good { Before::Ends(Some(end)) } else { Before::Damage };
        if good && !segment.is_last {
            self.index(segment.first, end);
        }
    }

    /// Checks the next entry, by itself and against all logs.
    pub(super) fn check(&mut self, log: usize, course: &mut Course) {
        let Some((offset, entry)) = self.next.take() else { return };
        let Some((first, path)) = self.reading.segment().map(|segment| (segment.first, segment.path.clone()))
        else {
            return;
        };
        course.check(&PlacedEntry { log, path: &path, offset, entry: &entry }, &mut self.audit.findings);
        self.note_takes(&path, offset, &entry);
        if self.whole() {
            self.add(first, &path, offset, &entry);
        }
        self.compare_snapshot();
    }

    /// Applies an entry to the fold, and checks its effect on each state.
    fn add(&mut self, first: Sequence, path: &Path, offset: u64, entry: &Entry) {
        let mut wrong = Vec::new();
        let added = self.audit.fold.add_seen(entry, |sequence, event, state| {
            wrong.extend(rules::ended_wrongly(event, state, entry.at).map(|what| (sequence, what)));
        });
        match added {
            Ok(()) => {
                wrong.extend(rules::strange_alerts(entry, &self.audit.fold, self.several));
                if !self.several {
                    wrong.extend(orders::strange(entry, &self.audit.fold.states));
                }
            }
            Err(error) => {
                self.find(path, Some(offset), Some(entry.sequence), error.to_string());
                self.broken(first, offset);
            }
        }
        for (sequence, what) in wrong {
            self.find(path, Some(offset), Some(sequence), what);
        }
    }

    /// Reads the log once more, for event ids whose history is unknown.
    pub(super) fn search_ids(&mut self, log: usize, course: &mut Course) {
        let firsts = list_segments(self.disk, self.layout).unwrap_or_default();
        let mut reading = LogReader::new(self.disk, self.layout, &firsts);
        while let Some(step) = reading.next() {
            match step {
                Step::Entry(_, entry) if entry.last() <= self.audit.end => {
                    let found = course.search_ids(log, &entry);
                    self.audit.findings.extend(found);
                }
                Step::Begun(..) | Step::Unopened { .. } => {}
                Step::Entry(..) | Step::Damaged(_) | Step::Ended => drop(reading.leave()),
            }
        }
    }

    /// Notes the states that an entry takes over, with this log's own state of each key before: all of them stand
    /// in front of the events of their keys.
    fn note_takes(&mut self, path: &Path, offset: u64, entry: &Entry) {
        for (sequence, event) in entry.numbered() {
            let Fact::Take(taken) = &event.fact else { continue };
            // An inconsistent one is reported when it is applied.
            let Ok((key, state)) = taken.state.clone().restore() else { continue };
            let before = self.audit.fold.states.get(&key).cloned();
            let (path, epoch) = (path.to_path_buf(), taken.epoch);
            self.audit.takes.push(Take { path, offset, sequence, key, epoch, state, before });
        }
    }

    fn header(&mut self, header: &Header, number: u64) {
        let Some((first, path)) = self.reading.segment().map(|segment| (segment.first, segment.path.clone()))
        else {
            return;
        };
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
        if matches!(self.previous, Before::Ends(end) if header.previous != end) {
            wrong.push("the segment before it does not end where it says".to_owned());
        }
        for what in wrong {
            self.find(&path, Some(0), Some(first), what);
            self.broken(first, 0);
        }
    }

    /// Damage at the end of the last segment may be the torn tail of a crash, which is no fault; anything else is one.
    fn damage(&mut self, damaged: Damaged) -> bool {
        let Some((first, path, last)) =
            self.reading.segment().map(|segment| (segment.first, segment.path.clone(), segment.is_last))
        else {
            return false;
        };
        let Damaged { damage, later_batch, bytes, unreadable, cut_off } = damaged;
        let proof = match later_batch {
            Some(batch) => Some(format!("batch {batch} stands behind it, so it was durable")),
            None if damage.sequence <= self.mark => Some(format!("the mark says {} was durable", self.mark)),
            None => None,
        };
        if proof.is_none() && last && !unreadable {
            if self.audit.live.is_none() {
                self.audit.torn_bytes = bytes;
            }
            return true;
        }
        let what = [Some(damage.reason), proof].into_iter().flatten().collect::<Vec<_>>().join("; ");
        self.find(&path, Some(damage.offset), Some(damage.sequence), what);
        self.audit.cut_short = last && cut_off && self.whole();
        self.broken(first, damage.offset);
        false
    }
}
