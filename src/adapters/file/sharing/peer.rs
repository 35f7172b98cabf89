//! The log of another process on the same data directory, followed: its states, then each new entry.
//!
//! Only entries covered by its mark are read: its process has committed no others (`log/term.rs`). The other
//! directory is never written. A peer keeps the index of the log's newest segment in memory, as the owning process
//! does, so its history is readable like a local one.

use crate::format::identity::{NodeFile, read_node};
use crate::format::index::{Growing, Written};
use crate::format::mark::read_mark;
use crate::format::segment::{Damage, Scan, ScanPlace};
use crate::format::segment_end::SegmentEnd;
use crate::reading::archived::{list_segments, open_segment};
use crate::reading::history::FileHistory;
use crate::reading::segments::{Segment, Segments};
use crate::recovery::OpenOptions;
use crate::recovery::replay::{Replay, Replayed, ReplayedLog};
use onhand_app::Restored;
use onhand_app::known_effects;
use onhand_app::ports::{History, HistoryError};
use onhand_disk::layout::Layout;
use onhand_disk::lines::Lines;
use onhand_disk::{Disk, OpenError, read_exact_at};
use onhand_domain::{Entry, Sequence, Timestamp};
use std::io;
use std::sync::Arc;

/// The followed log of another process.
pub(crate) struct Peer {
    disk: Arc<dyn Disk>,
    layout: Layout,
    node: NodeFile,
    segments: Arc<Segments>,
    /// The first sequence of the newest segment.
    first: Sequence,
    place: ScanPlace,
    index: Arc<Growing>,
}

impl Peer {
    /// Reads the log of a member up to its mark, with the time of its last entry; none when there is no log yet.
    /// `options` are those of this process's own directory.
    pub(crate) fn attach(
        options: &OpenOptions,
        layout: &Layout,
    ) -> Result<Option<(Self, Restored, Timestamp)>, OpenError> {
        let options = OpenOptions {
            disk: Arc::clone(&options.disk),
            layout: layout.clone(),
            segment_bytes: options.segment_bytes,
            ballast_bytes: 0,
            idempotency_ttl_ms: options.idempotency_ttl_ms,
        };
        let disk = &*options.disk;
        let Some(node) = read_node(disk, layout)? else { return Ok(None) };
        let marked = read_mark(disk, &layout.mark()).map_err(OpenError::at(&layout.mark()))?;
        let firsts = match list_segments(disk, layout) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            listed => listed.map_err(OpenError::at(&layout.log()))?,
        };
        if firsts.is_empty() {
            return Ok(None);
        }
        let replay = Replay::begin(&options, &node, marked, ReplayedLog::Foreign(marked))?;
        let Replayed { segments: mut list, last, restored, last_time, .. } = replay.run(&firsts)?;
        list.push(Segment { first: last.first, growing: Some(Arc::clone(&last.index)), sealed: None });
        let segments = Arc::new(Segments::new(Arc::clone(&options.disk), layout.clone(), list));
        let (first, place, index) = (last.first, last.place, last.index);
        let peer = Self { disk: options.disk, layout: layout.clone(), node, segments, first, place, index };
        Ok(Some((peer, restored, last_time)))
    }

    /// True when the mark covers entries that have not been read.
    pub(crate) fn has_news(&self) -> io::Result<bool> {
        Ok(read_mark(&*self.disk, &self.layout.mark())? >= self.place.next)
    }

    /// The entries covered by the mark that have not been read yet.
    pub(crate) fn news(&mut self) -> Result<Vec<Entry>, HistoryError> {
        let mark = read_mark(&*self.disk, &self.layout.mark())?;
        let mut entries = Vec::new();
        while self.place.next <= mark {
            match self.step(mark, &mut entries) {
                // Entries read so far are delivered; the next call meets the fault again.
                Err(_) if !entries.is_empty() => break,
                stepped => stepped?,
            }
        }
        Ok(entries)
    }

    fn step(&mut self, mark: Sequence, entries: &mut Vec<Entry>) -> Result<(), HistoryError> {
        let before = entries.len();
        self.read_on(mark, entries)?;
        if entries.len() == before && !self.roll()? {
            let reason = format!("{} ends before sequence {mark}", self.layout.root().display());
            return Err(HistoryError::Damaged(reason));
        }
        Ok(())
    }

    /// Reads the newest segment on, up to the mark or its end.
    fn read_on(&mut self, mark: Sequence, entries: &mut Vec<Entry>) -> Result<(), HistoryError> {
        let file = open_segment(&*self.disk, &self.layout, self.first)?;
        let from = self.place.end.length;
        let length = usize::try_from(file.len()?.saturating_sub(from))
            .map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
        let bytes = read_exact_at(&*file, from, length)?;
        let mut scan = Scan::resume(&bytes, self.place);
        while scan.next_sequence() <= mark {
            let damaged = |damage: Damage| {
                let path = self.layout.segment(self.first);
                let Damage { offset, sequence, reason } = damage;
                HistoryError::Damaged(format!(
                    "{} at byte {offset}, where sequence {sequence} belongs: {reason}",
                    path.display()
                ))
            };
            let line = match scan.next_line() {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(damage) => {
                    self.place = scan.place();
                    return Err(damaged(damage));
                }
            };
            let known = known_effects(&line.entry).collect();
            self.index.add(std::iter::once(Written::new(line.mark, 0, line.spans, known)));
            entries.push(line.entry);
        }
        self.place = scan.place();
        Ok(())
    }

    /// Moves on to the next segment; false when there is none.
    fn roll(&mut self) -> Result<bool, HistoryError> {
        let first = self.place.next;
        if first == self.first {
            return Ok(false);
        }
        let file = match open_segment(&*self.disk, &self.layout, first) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            opened => opened?,
        };
        let mut lines = Lines::few(file);
        let line = lines.next_line()?.unwrap_or_default();
        let begun = Scan::begin(line, Timestamp::from_milliseconds(i64::MIN));
        let (header, scan) = begun.map_err(|damage| HistoryError::Damaged(damage.reason))?;
        if header.previous != Some(self.place.end) || header.node != self.node.node {
            return Ok(false);
        }
        let sealed: SegmentEnd = self.place.end;
        self.index = Arc::new(Growing::default());
        self.segments.roll(sealed, Segment { first, growing: Some(Arc::clone(&self.index)), sealed: None });
        self.first = first;
        self.place = ScanPlace { at: self.place.at, ..scan.place() };
        self.segments.drop_written_indexes();
        Ok(true)
    }

    /// The history of the log, for reading back.
    pub(crate) fn history(&self) -> Arc<dyn History> {
        Arc::new(FileHistory { segments: Arc::clone(&self.segments) })
    }
}
