//! The segments of a log: which there are, and how to read what is durable in them.

use crate::adapters::file::disk::{Disk, DiskFile, OpenMode};
use crate::adapters::file::index::{Growing, IndexError, Sealed, SegmentIndex};
use crate::adapters::file::layout::Layout;
use crate::adapters::file::lines::Lines;
use crate::adapters::file::record::decode;
use crate::adapters::file::segment::SegmentEnd;
use crate::app::ports::HistoryError;
use crate::domain::{Entry, Sequence};
use parking_lot::RwLock;
use std::io;
use std::sync::Arc;

/// One segment.
#[derive(Clone)]
pub(super) struct Segment {
    /// Its first sequence.
    pub(super) first: Sequence,
    /// Its index while that is in memory; a sealed segment's is a file.
    pub(super) growing: Option<Arc<Growing>>,
    /// Where it ends, once it is sealed.
    pub(super) sealed: Option<SegmentEnd>,
}

/// All segments of a log, oldest first. Never empty.
pub(super) struct Segments {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) layout: Layout,
    list: RwLock<Vec<Segment>>,
}

impl Segments {
    pub(super) fn new(disk: Arc<dyn Disk>, layout: Layout, list: Vec<Segment>) -> Self {
        Self { disk, layout, list: RwLock::new(list) }
    }

    /// The newest segment is sealed, and another one follows it.
    pub(super) fn roll(&self, end: SegmentEnd, next: Segment) {
        let mut list = self.list.write();
        if let Some(last) = list.last_mut() {
            last.sealed = Some(end);
        }
        list.push(next);
    }

    /// The sealed segments whose index is still in memory.
    pub(super) fn unindexed(&self) -> Vec<Segment> {
        let list = self.list.read();
        list.iter().filter(|segment| segment.sealed.is_some() && segment.growing.is_some()).cloned().collect()
    }

    /// Writes the index of a sealed segment, and lets go of the one in memory.
    pub(super) fn write_index(&self, segment: &Segment) -> io::Result<()> {
        let (Some(growing), Some(end)) = (&segment.growing, segment.sealed) else { return Ok(()) };
        Sealed::write(&*self.disk, &self.layout.index(segment.first), growing, end.length, end.crc)?;
        let mut list = self.list.write();
        if let Some(kept) = list.iter_mut().find(|kept| kept.first == segment.first) {
            kept.growing = None;
        }
        Ok(())
    }

    /// The segments that may hold sequences in `from..=upto`, oldest first.
    pub(super) fn between(&self, from: Sequence, upto: Sequence) -> Vec<Segment> {
        let list = self.list.read();
        let first = list.partition_point(|segment| segment.first <= from).saturating_sub(1);
        list.iter().skip(first).take_while(|segment| segment.first <= upto).cloned().collect()
    }

    /// The index of a segment.
    pub(super) fn index(&self, segment: &Segment) -> Result<Arc<dyn SegmentIndex>, HistoryError> {
        if let Some(growing) = &segment.growing {
            return Ok(Arc::clone(growing) as Arc<dyn SegmentIndex>);
        }
        let path = self.layout.index(segment.first);
        match Sealed::open(&*self.disk, &path) {
            Ok(sealed) => Ok(Arc::new(sealed)),
            Err(IndexError::Io(error)) => Err(error.into()),
            Err(IndexError::Damaged) => Err(HistoryError::Damaged(format!("{}", path.display()))),
        }
    }

    /// The segment's file, for reading.
    pub(super) fn open(&self, segment: &Segment) -> io::Result<Arc<dyn DiskFile>> {
        open_segment(&*self.disk, &self.layout, segment.first)
    }

    /// The entries after `after`, whole batches of bytes at a time, up to `upto`, which must be durable.
    pub(super) fn entries(&self, after: Sequence, upto: Sequence) -> Entries<'_> {
        Entries { segments: self, next: after.plus(1), upto, current: None }
    }
}

/// The file of the segment that begins with that sequence, for reading.
pub(super) fn open_segment(
    disk: &dyn Disk,
    layout: &Layout,
    first: Sequence,
) -> io::Result<Arc<dyn DiskFile>> {
    disk.open(&layout.segment(first), OpenMode::Read)
}

/// Entries in order, read in large pieces.
pub(super) struct Entries<'a> {
    segments: &'a Segments,
    next: Sequence,
    upto: Sequence,
    current: Option<Position>,
}

struct Position {
    /// The last sequence to be read from this segment.
    last: Sequence,
    lines: Lines,
}

impl Entries<'_> {
    fn open(&self) -> Result<Option<Position>, HistoryError> {
        let mut segments = self.segments.between(self.next, self.upto).into_iter();
        let Some(segment) = segments.next() else { return Ok(None) };
        let last = segments.next().map_or(self.upto, |following| following.first.minus(1));
        let Some(mark) = self.segments.index(&segment)?.entry(self.next)? else { return Ok(None) };
        let file = self.segments.open(&segment)?;
        Ok(Some(Position { last, lines: Lines::new(file, u64::from(mark.line)) }))
    }

    fn read(&mut self) -> Result<Entry, HistoryError> {
        let missing = |next| HistoryError::Damaged(format!("no segment holds sequence {next}"));
        loop {
            let next = self.next;
            if self.current.as_ref().is_none_or(|position| position.last < next) {
                self.current = self.open()?;
            }
            let Some(position) = &mut self.current else { return Err(missing(next)) };
            let Some(line) = position.lines.next_line()? else { return Err(missing(next)) };
            let (entry, _) = decode(line.trim_ascii_end()).map_err(HistoryError::Damaged)?;
            if entry.sequence > next {
                return Err(missing(next));
            }
            if entry.last() >= next {
                self.next = entry.last().plus(1);
                return Ok(entry);
            }
        }
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<Entry, HistoryError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next > self.upto {
            return None;
        }
        let read = self.read();
        if read.is_err() {
            // Nothing after an error.
            self.upto = Sequence::START;
        }
        Some(read)
    }
}
