//! One log, entry by entry: its chain, and what it adds up to.

use super::course::{Course, Stands};
use super::reading::{Damaged, Reading, Step};
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

/// Goes through one log.
pub(super) struct Auditor<'a> {
    pub(super) disk: &'a dyn Disk,
    pub(super) layout: &'a Layout,
    reading: Reading<'a>,
    pub(super) audit: Audit,
    /// It is one of several logs of a ledger.
    several: bool,
    pub(super) mark: Sequence,
    /// Where the log ends for good, if another process ended it.
    pub(super) upto: Sequence,
    /// Where the segment before ends; nothing is known of that behind damage.
    previous: Before,
    /// The entry that comes next, and where it begins.
    pub(super) next: Option<(u64, Box<Entry>)>,
    /// Snapshots the fold has not come to yet, lowest last.
    pub(super) unseen: Vec<Sequence>,
}

/// What stands in front of a segment.
#[derive(Clone, Copy)]
enum Before {
    /// A segment that ends there; nothing in front of the first one.
    Ends(Option<SegmentEnd>),
    /// One that is damaged.
    Damage,
}

impl<'a> Auditor<'a> {
    /// Begins with a log in which `live` may be writing.
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
        // The mark is read first: a living node only moves it on.
        let mark = read_mark(disk, &layout.mark()).map_err(OpenError::at(&layout.mark()))?;
        let mut firsts = list_segments(disk, layout).map_err(OpenError::at(&layout.log()))?;
        // What a living node has begun since is not called durable by this mark, nor all of what is in front of it.
        firsts.retain(|first| live.is_none() || *first <= mark.plus(1));
        let term = read_term(disk, &layout.term()).map_err(OpenError::at(&layout.term()))?;
        let upto = term.and_then(|term| term.end).unwrap_or(Sequence(u64::MAX));
        let reading = Reading::new(disk, layout, &firsts);
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

    /// True while everything read so far adds up.
    pub(super) fn whole(&self) -> bool {
        self.audit.broken_at.is_none()
    }

    /// From here on the log cannot be added up; only the first such place counts.
    fn broken(&mut self, segment: Sequence, offset: u64) {
        let sequence = self.audit.fold.sequence.plus(1);
        self.audit.broken_at.get_or_insert(Break { segment, offset, sequence });
    }

    /// Reads on to the next entry that counts.
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

    /// False for what has not happened: it is in flight, or stands behind the end of the log.
    fn counts(&mut self, offset: u64, entry: &Entry) -> bool {
        if self.audit.live.is_some() && entry.last() > self.mark {
            // The living node has not called it durable yet.
            return false;
        }
        if entry.last() > self.upto {
            // Never acknowledged, and never will be.
            self.audit.torn_bytes = self.reading.bytes_behind(offset);
            return false;
        }
        true
    }

    /// Done with a segment, which is good as far as it was read, or is not.
    fn leave(&mut self, good: bool) {
        let Some((segment, end)) = self.reading.leave() else { return };
        self.previous = if good { Before::Ends(Some(end)) } else { Before::Damage };
        if good && !segment.is_last {
            self.index(segment.first, end);
        }
    }

    /// Checks the next entry, by itself and as one of all logs.
    pub(super) fn look(&mut self, log: usize, course: &mut Course) {
        let Some((offset, entry)) = self.next.take() else { return };
        let Some((first, path)) = self.reading.segment().map(|segment| (segment.first, segment.path.clone()))
        else {
            return;
        };
        course.look(&Stands { log, path: &path, offset, entry: &entry }, &mut self.audit.findings);
        self.note_takes(&path, offset, &entry);
        if self.whole() {
            self.add(first, &path, offset, &entry);
        }
        self.compare_snapshot();
    }

    /// Adds an entry to the sum, and checks what it does to its states.
    fn add(&mut self, first: Sequence, path: &Path, offset: u64, entry: &Entry) {
        let mut wrong = Vec::new();
        let added = self.audit.fold.add_seen(entry, |sequence, event, state| {
            wrong.extend(rules::ended_wrongly(event, state, entry.at).map(|what| (sequence, what)));
        });
        match added {
            Ok(()) => wrong.extend(rules::strange_alerts(entry, &self.audit.fold, self.several)),
            Err(error) => {
                self.find(path, Some(offset), Some(entry.sequence), error.to_string());
                self.broken(first, offset);
            }
        }
        for (sequence, what) in wrong {
            self.find(path, Some(offset), Some(sequence), what);
        }
    }

    /// Reads the log once more, for ids of events of which nothing was remembered.
    pub(super) fn look_again(&mut self, log: usize, course: &mut Course) {
        let firsts = list_segments(self.disk, self.layout).unwrap_or_default();
        let mut reading = Reading::new(self.disk, self.layout, &firsts);
        while let Some(step) = reading.next() {
            match step {
                Step::Entry(_, entry) if entry.last() <= self.audit.end => {
                    let found = course.look_again(log, &entry);
                    self.audit.findings.extend(found);
                }
                Step::Begun(..) | Step::Unopened { .. } => {}
                Step::Entry(..) | Step::Damaged(_) | Step::Ended => drop(reading.leave()),
            }
        }
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
