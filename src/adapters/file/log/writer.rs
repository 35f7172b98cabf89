//! The writer: all waiting entries go to the disk in one write and one sync (group commit).
//!
//! Order of one group: lines sealed into one buffer; the segment rolled if the buffer does not fit any more; one
//! write; one sync; the mark (not synced); the index; the durable sequence; the tickets. Nothing of a group is
//! written before the sync of the group in front of it has returned.
//!
//! When something fails, nothing more is written before [`Writer::probe`] has succeeded (`probe.rs`). Until then:
//! - a **write** that failed is cut off again, and the cut synced: the group is not on the disk and never will be;
//! - a **sync** that failed, or a cut that did, makes the file *lost*: it is never written or synced again, because
//!   the page cache may show bytes that the disk does not have. Whether the group is on the disk is not known;
//! - a **roll** that failed has not changed the segment before it; the probe removes any file of the new segment's
//!   name before anything else is written;
//! - a **mark** that could not be written rolls nothing back: the group is durable and acknowledged.

use crate::format::index::{EntryMark, Growing, Written};
use crate::format::line::{EncodedEntry, seal};
use crate::format::mark::Mark;
use crate::format::segment::Header;
use crate::format::segment_end::SegmentEnd;
use crate::log::ballast::Ballast;
use crate::log::term::Tenure;
use crate::reading::segments::{Segment, Segments};
use metrics::{Counter, Gauge, Histogram};
use onhand_app::ports::{DurableWatch, LogFailed};
use onhand_disk::layout::Layout;
use onhand_disk::{Disk, DiskFile, replace, reserve, write_all_at};
use onhand_domain::{Sequence, Timestamp};
use onhand_planted::{Bug, planted};
use onhand_telemetry::{LOG_DURABLE_SEQUENCE, LOG_GROUP_ENTRIES, LOG_SYNC_SECONDS, LOG_WRITTEN_BYTES};
use std::io;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;
use uuid::Uuid;

/// An entry with its assigned place that waits to be written.
pub(crate) struct Pending {
    pub(crate) sequence: Sequence,
    pub(crate) at: Timestamp,
    pub(crate) body: EncodedEntry,
    pub(crate) ticket: oneshot::Sender<Result<(), LogFailed>>,
}

impl Pending {
    /// The sequence of its last event.
    fn last(&self) -> Sequence {
        self.sequence.plus(self.body.spans.len() as u64).minus(1)
    }
}

/// A disk failure; nothing may be written before a successful probe.
pub(crate) struct Failed {
    /// The error of the disk.
    pub(crate) error: io::Error,
    /// The entries that did not become durable.
    pub(crate) group: Vec<Pending>,
    /// The outcome of these entries, as the answer to their callers.
    pub(crate) outcome: LogFailed,
}

/// The segment that is being written.
pub(crate) struct Active {
    pub(crate) file: Arc<dyn DiskFile>,
    /// A sync of the file has failed: it is never written or synced again.
    pub(crate) lost: bool,
    pub(crate) number: u64,
    pub(crate) first: Sequence,
    pub(crate) end: SegmentEnd,
    pub(crate) index: Arc<Growing>,
}

/// Counters of the writer.
pub(crate) struct WriterMeters {
    sync_seconds: Histogram,
    group_entries: Histogram,
    written_bytes: Counter,
    durable_sequence: Gauge,
}

impl WriterMeters {
    pub(crate) fn new() -> Self {
        Self {
            sync_seconds: metrics::histogram!(LOG_SYNC_SECONDS),
            group_entries: metrics::histogram!(LOG_GROUP_ENTRIES),
            written_bytes: metrics::counter!(LOG_WRITTEN_BYTES),
            durable_sequence: metrics::gauge!(LOG_DURABLE_SEQUENCE),
        }
    }
}

/// Writes groups of entries.
pub(crate) struct Writer {
    pub(crate) meters: WriterMeters,
    pub(crate) segments: Arc<Segments>,
    pub(crate) durable: Arc<DurableWatch>,
    pub(crate) node: Uuid,
    pub(crate) active: Active,
    pub(crate) mark: Mark,
    pub(crate) ballast: Ballast,
    pub(crate) segment_bytes: u64,
    pub(crate) buffer: Vec<u8>,
    /// The term of this process, where several share the data directory.
    pub(crate) tenure: Option<Tenure>,
}

impl Writer {
    /// Makes a group durable and resolves its tickets.
    ///
    /// # Errors
    /// The error of the disk, and the entries whose tickets are still open.
    pub(crate) fn write_group(&mut self, group: Vec<Pending>) -> Result<(), Failed> {
        let Some(batch) = group.first().map(|pending| pending.sequence) else { return Ok(()) };
        if let Err(error) = self.roll_if_full(batch, &group) {
            self.ballast.release();
            return Err(Failed { error, group, outcome: LogFailed::NotWritten });
        }
        let before = self.active.end;
        let places = match self.make_durable(batch, &group) {
            Ok(places) => places,
            Err(error) => {
                let outcome = self.cut_back();
                return Err(Failed { error, group, outcome });
            }
        };
        let last = group.last().map_or(batch, Pending::last);
        let marked = self.write_mark(last);
        if let Err(error) = &marked
            && self.tenure.is_some()
        {
            // The other processes do not see the group as durable, so it must not be acknowledged.
            let error = io::Error::new(error.kind(), error.to_string());
            self.active.end = before;
            self.set_lost(true);
            self.ballast.release();
            return Err(Failed { error, group, outcome: LogFailed::Unknown });
        }
        let mut tickets = Vec::with_capacity(group.len());
        self.active.index.add(group.into_iter().zip(places).map(|(pending, (line, shift))| {
            let Pending { sequence, at, body, ticket } = pending;
            tickets.push(ticket);
            let known = body.known.into_iter().map(|mut effect| {
                effect.sequence = sequence.plus(effect.sequence.0);
                effect.at = at;
                effect
            });
            let mark = EntryMark::new(sequence, at, line, &body.spans);
            Written::new(mark, shift, body.spans, known.collect())
        }));
        self.durable.advance(last);
        for ticket in tickets {
            // The caller may have gone away; the entry is durable all the same.
            let _ = ticket.send(Ok(()));
        }
        marked.map_err(|error| Failed { error, group: Vec::new(), outcome: LogFailed::NotWritten })
    }

    /// Writes the mark, also for entries that are about to be acknowledged: it distinguishes damage to them from a
    /// torn tail.
    pub(crate) fn write_mark(&mut self, last: Sequence) -> io::Result<()> {
        match &self.tenure {
            Some(tenure) => tenure.marking(|| self.mark.write(last)),
            None => self.mark.write(last),
        }
    }

    /// After a failed write or sync: the group is cut off the file, or the file counts as lost.
    fn cut_back(&mut self) -> LogFailed {
        self.ballast.release();
        let Active { file, lost, end, .. } = &self.active;
        if !*lost {
            let cut = file.truncate(end.length);
            let synced =
                cut.and_then(|()| if planted(Bug::NoSyncAfterCut) { Ok(()) } else { file.sync_data() });
            self.set_lost(synced.is_err());
        }
        if self.active.lost { LogFailed::Unknown } else { LogFailed::NotWritten }
    }

    /// Notes whether the file is lost, for the leases too: before the breaker opens, so before any caller learns of
    /// the failure.
    pub(crate) fn set_lost(&mut self, lost: bool) {
        self.active.lost = lost;
        if let Some(tenure) = &self.tenure {
            tenure.note_lost(lost);
        }
    }

    fn roll_if_full(&mut self, batch: Sequence, group: &[Pending]) -> io::Result<()> {
        const LINE_FRONT_BYTES_MAX: usize = 128;
        let bytes: usize = group.iter().map(|pending| pending.body.bytes.len() + LINE_FRONT_BYTES_MAX).sum();
        let holds_entries = self.active.first < batch;
        if holds_entries && self.active.end.length + bytes as u64 > self.segment_bytes {
            self.roll(batch)?;
        }
        Ok(())
    }

    /// Writes and syncs; returns the offset of each line, and of its body in it.
    #[allow(clippy::cast_precision_loss, reason = "a gauge is a float; sequences below 2^53 are exact in it")]
    fn make_durable(&mut self, batch: Sequence, group: &[Pending]) -> io::Result<Vec<(u32, u32)>> {
        self.buffer.clear();
        let mut checksum = self.active.end.crc;
        let mut places = Vec::with_capacity(group.len());
        let mut last = batch;
        for pending in group {
            let start = self.buffer.len();
            let Pending { sequence, at, body, .. } = pending;
            let (sealed, body_start) = seal(&mut self.buffer, checksum, batch, *sequence, *at, &body.bytes);
            checksum = sealed;
            places.push((self.place(start)?, place_in_line(body_start - start)?));
            last = pending.last();
        }
        write_all_at(&*self.active.file, &self.buffer, self.active.end.length)?;
        let begun = Instant::now();
        if let Err(error) = self.sync() {
            self.set_lost(true);
            return Err(error);
        }
        self.meters.sync_seconds.record(begun.elapsed());
        self.meters.group_entries.record(f64::from(u32::try_from(group.len()).unwrap_or(u32::MAX)));
        self.meters.written_bytes.increment(self.buffer.len() as u64);
        self.meters.durable_sequence.set(last.0 as f64);
        self.active.end.length += self.buffer.len() as u64;
        self.active.end.crc = checksum;
        Ok(places)
    }

    fn sync(&self) -> io::Result<()> {
        if planted(Bug::AckBeforeSync) {
            return Ok(());
        }
        let synced = self.active.file.sync_data();
        if planted(Bug::RetrySync) { synced.or_else(|_| self.active.file.sync_data()) } else { synced }
    }

    fn place(&self, start: usize) -> io::Result<u32> {
        u32::try_from(self.active.end.length + start as u64).map_err(|_| too_long())
    }

    /// Seals the active segment and continues in a new one that begins with `first`.
    pub(crate) fn roll(&mut self, first: Sequence) -> io::Result<()> {
        let sealed = self.active.end;
        let number = self.active.number + 1;
        let header = Header::new(self.node, number, first, Some(sealed));
        let disk = Arc::clone(&self.segments.disk);
        let (file, end) = create_segment(&*disk, &self.segments.layout, &header)?;
        reserve(&*file, self.segment_bytes, end.length);
        let index = Arc::new(Growing::default());
        let segment = Segment { first, growing: Some(Arc::clone(&index)), sealed: None };
        self.active = Active { file, lost: false, number, first, end, index };
        self.segments.roll(sealed, segment);
        Ok(())
    }
}

/// Creates a segment with only its header, durably.
pub(crate) fn create_segment(
    disk: &dyn Disk,
    layout: &Layout,
    header: &Header,
) -> io::Result<(Arc<dyn DiskFile>, SegmentEnd)> {
    let (line, crc) = header.encode();
    let file = replace(disk, &layout.segment(header.first_sequence), &line)?;
    Ok((file, SegmentEnd { length: line.len() as u64, crc }))
}

fn place_in_line(bytes: usize) -> io::Result<u32> {
    u32::try_from(bytes).map_err(|_| too_long())
}

fn too_long() -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, "a segment is longer than 4 GiB")
}
