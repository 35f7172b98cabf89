//! Reading a log at a start: the newest good snapshot and everything after it.

use crate::format::identity::NodeFile;
use crate::format::index::Sealed;
use crate::format::segment::Header;
use crate::reading::archived::open_segment;
use crate::reading::segments::Segment;
use crate::recovery::options::{OpenOptions, OpenReport};
use crate::recovery::replay::progress::{LastSegment, Replay, Replayed, ReplayedLog};
use crate::recovery::replay::scan::{Behind, Scanned};
use crate::recovery::replay::snapshots::load;
use crate::upkeep::snapshot::{SnapshotError, list_snapshots};
use memchr::memchr;
use onhand_app::Restored;
use onhand_app::ledger::fold::Fold;
use onhand_disk::OpenError;
use onhand_domain::{Sequence, Timestamp};
use onhand_planted::{Bug, planted};
use std::path::PathBuf;

/// Another reason why a log may end before its proven end, besides damage.
const COPIED: &str = " (a copy that was made while the node ran looks so: then `onhand repair --copied` goes on with all that \
                      is in it)";

impl<'a> Replay<'a> {
    /// Starts from the newest intact snapshot.
    pub(crate) fn begin(
        options: &'a OpenOptions,
        node: &'a NodeFile,
        marked: Sequence,
        reading: ReplayedLog,
    ) -> Result<Self, OpenError> {
        let last_time = Timestamp::from_milliseconds(i64::MIN);
        let report = OpenReport::default();
        let (proven, fold) = (marked, Fold::default());
        let (ReplayedLog::Own(upto) | ReplayedLog::Foreign(upto)) = reading;
        let (weight, room) = (0, Vec::new());
        let mut replay = Self { options, node, proven, fold, last_time, upto, weight, report, room };
        let layout = &options.layout;
        let snapshots = list_snapshots(&*options.disk, layout).map_err(OpenError::at(&layout.snapshots()))?;
        for sequence in snapshots {
            let path = layout.snapshot(sequence);
            match load(&*options.disk, &path, node) {
                Ok((fold, at, weight)) => {
                    replay.report.snapshot = fold.sequence;
                    // A snapshot contains only durable events: it proves as much as the mark does.
                    replay.proven = replay.proven.max(fold.sequence);
                    replay.fold = fold;
                    replay.last_time = at;
                    replay.weight = weight;
                    break;
                }
                Err(SnapshotError::Io(error)) => return Err(OpenError::at(&path)(error)),
                Err(SnapshotError::Damaged(reason)) => {
                    replay.report.bad_snapshots.push(format!("{}: {reason}", path.display()));
                    if matches!(reading, ReplayedLog::Foreign(_)) {
                        continue;
                    }
                    let mut aside = path.clone().into_os_string();
                    aside.push(".bad");
                    let renamed = options.disk.rename(&path, &PathBuf::from(aside));
                    renamed.map_err(OpenError::at(&path))?;
                }
            }
        }
        Ok(replay)
    }

    /// Checks that a directory without segments never had a log.
    pub(crate) fn check_empty(&self, marked: Sequence) -> Result<(), OpenError> {
        let known = marked.max(self.fold.sequence);
        if known == Sequence::START {
            return Ok(());
        }
        let path = self.options.layout.segment(Sequence(1));
        let reason = format!("there is no segment, but {known} events were durable");
        Err(OpenError::Corrupt { path, offset: 0, sequence: Sequence(1), reason })
    }

    /// Reads the segments that begin with `firsts`.
    pub(crate) fn run(mut self, firsts: &[Sequence]) -> Result<Replayed, OpenError> {
        let headers = self.headers(firsts)?;
        let mut segments = Vec::with_capacity(headers.len());
        let mut last = None;
        for (place, header) in headers.iter().enumerate() {
            let next = headers.get(place + 1);
            match next {
                Some(next) => segments.push(self.sealed(header, next)?),
                None => last = Some(self.active(header)?),
            }
        }
        let last = last.ok_or_else(|| self.corrupt(Sequence(1), 0, Sequence(1), "there is no segment"))?;
        let end = last.place.next.minus(1);
        if self.proven > end {
            let reason = format!("the log ends before sequence {}, which was durable{COPIED}", self.proven);
            return Err(self.corrupt(last.first, last.place.end.length, end.plus(1), &reason));
        }
        let known = self.known(&mut segments, &last)?;
        self.report.replayed = end.0 - self.report.snapshot.0;
        let states = self.fold.states;
        Ok(Replayed {
            segments,
            last,
            restored: Restored { states, known },
            end,
            last_time: self.last_time,
            snapshot_weight: self.weight,
            report: self.report,
        })
    }

    /// Replays a segment that has a successor: read when it is not wholly in the snapshot, or has no index.
    fn sealed(&mut self, header: &Header, next: &Header) -> Result<Segment, OpenError> {
        let first = header.first_sequence;
        let index_path = self.options.layout.index(first);
        let end = next.previous.ok_or_else(|| {
            self.corrupt(next.first_sequence, 0, next.first_sequence, "its header names no segment before it")
        })?;
        let file = open_segment(&*self.options.disk, &self.options.layout, first);
        let file = file.map_err(self.unread(first))?;
        let length = file.len().map_err(self.unread(first))?;
        if length != end.length {
            let reason = format!("it is {length} bytes long, the next segment says {}", end.length);
            return Err(self.corrupt(first, length.min(end.length), next.first_sequence, &reason));
        }
        let index = Sealed::open(&*self.options.disk, &index_path);
        let indexed = index.is_ok_and(|index| index.is_of(end.length, end.crc));
        let folded = next.first_sequence <= self.fold.sequence.plus(1);
        if indexed && folded {
            return Ok(Segment { first, growing: None, sealed: Some(end) });
        }
        let scanned = self.scan(header, &*file, indexed)?;
        if let Some(Behind::Damaged { damage, .. }) = scanned.behind {
            return Err(self.corrupt(first, damage.offset, damage.sequence, &damage.reason));
        }
        if scanned.place.end != end {
            let reason = "its last line is not the one the next segment names";
            return Err(self.corrupt(first, scanned.place.end.length, next.first_sequence, reason));
        }
        Ok(Segment { first, growing: scanned.index, sealed: Some(end) })
    }

    /// The last segment, the only one that may have a torn tail. It is in the archive when its successor is
    /// missing: in a copy that was begun before the successor existed, or behind a repair.
    fn active(&mut self, header: &Header) -> Result<LastSegment, OpenError> {
        let first = header.first_sequence;
        let file = open_segment(&*self.options.disk, &self.options.layout, first);
        let file = file.map_err(self.unread(first))?;
        let Scanned { index, place, behind } = self.scan(header, &*file, false)?;
        let index = index.unwrap_or_default();
        let torn = match behind {
            None => None,
            Some(Behind::Beyond(rest)) => Some(rest),
            // Its owner may be writing there now.
            Some(Behind::Damaged { damage, .. }) if damage.sequence > self.upto => Some(Vec::new()),
            Some(Behind::Damaged { damage, later_batch, rest }) => {
                let proof = match later_batch {
                    Some(batch) => Some(format!("batch {batch} stands behind it, so it was durable")),
                    None if damage.sequence <= self.proven => {
                        let copied = if memchr(b'\n', &rest).is_none() { COPIED } else { "" };
                        Some(format!(
                            "mark or snapshot say that sequence {} was durable{copied}",
                            self.proven
                        ))
                    }
                    None => None,
                };
                if let Some(proof) = proof.filter(|_| !planted(Bug::CutMidLog)) {
                    let reason = format!("{}; {proof}", damage.reason);
                    return Err(self.corrupt(first, damage.offset, damage.sequence, &reason));
                }
                Some(rest)
            }
        };
        Ok(LastSegment { number: header.segment, first, place, index, torn })
    }
}
