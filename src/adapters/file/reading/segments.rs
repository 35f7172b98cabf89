//! The segments of a log, and reading their durable entries.

use crate::format::decode::decode;
use crate::format::index::{Growing, IndexError, Sealed, SegmentIndex};
use crate::format::line::{CHECKSUM_BYTES, checksum_after, claimed_checksum};
use crate::format::reindex::index_segment;
use crate::format::segment_end::SegmentEnd;
use crate::reading::archived::open_segment;
use onhand_app::ports::HistoryError;
use onhand_disk::layout::Layout;
use onhand_disk::lines::Lines;
use onhand_disk::{Disk, DiskFile, read_all, read_exact_at};
use onhand_domain::{Entry, Sequence};
use parking_lot::RwLock;
use std::collections::HashSet;
use std::io;
use std::sync::Arc;

/// One segment of a log.
#[derive(Clone)]
pub(crate) struct Segment {
    /// The sequence of its first event.
    pub(crate) first: Sequence,
    /// Its index while that is in memory; the index of a sealed segment is a file.
    pub(crate) growing: Option<Arc<Growing>>,
    /// The end of the segment, once it is sealed.
    pub(crate) sealed: Option<SegmentEnd>,
}

/// All segments of a log, oldest first. Never empty.
pub(crate) struct Segments {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) layout: Layout,
    list: RwLock<Vec<Segment>>,
    /// Segments whose index file has been read once from end to end.
    checked: RwLock<HashSet<Sequence>>,
}

impl Segments {
    pub(crate) fn new(disk: Arc<dyn Disk>, layout: Layout, list: Vec<Segment>) -> Self {
        Self { disk, layout, list: RwLock::new(list), checked: RwLock::default() }
    }

    /// Seals the newest segment, and adds the one that follows it.
    pub(crate) fn roll(&self, end: SegmentEnd, next: Segment) {
        let mut list = self.list.write();
        if let Some(last) = list.last_mut() {
            last.sealed = Some(end);
        }
        list.push(next);
    }

    /// The sealed segments whose index is still in memory.
    pub(crate) fn unindexed(&self) -> Vec<Segment> {
        let list = self.list.read();
        list.iter().filter(|segment| segment.sealed.is_some() && segment.growing.is_some()).cloned().collect()
    }

    /// Writes the index of a sealed segment, and drops the one in memory.
    pub(crate) fn write_index(&self, segment: &Segment) -> io::Result<()> {
        let (Some(growing), Some(end)) = (&segment.growing, segment.sealed) else { return Ok(()) };
        Sealed::write(&*self.disk, &self.layout.index(segment.first), growing, end.length, end.crc)?;
        let mut list = self.list.write();
        if let Some(kept) = list.iter_mut().find(|kept| kept.first == segment.first) {
            kept.growing = None;
        }
        Ok(())
    }

    /// Drops the indexes in memory that the log's owner has written to files meanwhile.
    pub(crate) fn drop_written_indexes(&self) {
        let mut list = self.list.write();
        for segment in list.iter_mut().filter(|segment| segment.growing.is_some()) {
            let path = self.layout.index(segment.first);
            let written = segment.sealed.is_some_and(|end| {
                Sealed::open(&*self.disk, &path).is_ok_and(|index| index.is_of(end.length, end.crc))
            });
            if written {
                segment.growing = None;
            }
        }
    }

    /// The segments that may hold sequences in `from..=upto`, oldest first.
    pub(crate) fn between(&self, from: Sequence, upto: Sequence) -> Vec<Segment> {
        let list = self.list.read();
        let first = list.partition_point(|segment| segment.first <= from).saturating_sub(1);
        list.iter().skip(first).take_while(|segment| segment.first <= upto).cloned().collect()
    }

    /// The index of a segment. A damaged or missing file is rebuilt from the segment, in memory first.
    pub(crate) fn index(&self, segment: &Segment) -> Result<Arc<dyn SegmentIndex>, HistoryError> {
        if let Some(growing) = &segment.growing {
            return Ok(Arc::clone(growing) as Arc<dyn SegmentIndex>);
        }
        match self.sealed_index(segment) {
            Ok(sealed) => Ok(Arc::new(sealed)),
            Err(IndexError::Io(error)) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            Err(IndexError::Io(_) | IndexError::Damaged) => Ok(self.index_again(segment)?),
        }
    }

    /// The index file, which is read from end to end once before any lookup.
    fn sealed_index(&self, segment: &Segment) -> Result<Sealed, IndexError> {
        let path = self.layout.index(segment.first);
        if self.checked.read().contains(&segment.first) {
            return Sealed::open(&*self.disk, &path);
        }
        let sealed = Sealed::open_checked(&*self.disk, &path, segment.sealed)?;
        self.checked.write().insert(segment.first);
        Ok(sealed)
    }

    fn index_again(&self, segment: &Segment) -> Result<Arc<Growing>, HistoryError> {
        let bytes = read_all(&*self.open(segment)?)?;
        let index = index_segment(&bytes, segment.sealed).map_err(|damage| {
            HistoryError::Damaged(format!(
                "segment {}, byte {}: {}",
                segment.first, damage.offset, damage.reason
            ))
        })?;
        let index = Arc::new(index);
        self.checked.write().remove(&segment.first);
        let mut list = self.list.write();
        if let Some(kept) = list.iter_mut().find(|kept| kept.first == segment.first) {
            // The next upkeep writes it.
            kept.growing = Some(Arc::clone(&index));
        }
        Ok(index)
    }

    /// The segment's file, for reading.
    pub(crate) fn open(&self, segment: &Segment) -> io::Result<Arc<dyn DiskFile>> {
        open_segment(&*self.disk, &self.layout, segment.first)
    }

    /// The entries after `after`, whole batches of bytes at a time, up to `upto`, which must be durable.
    pub(crate) fn entries(&self, after: Sequence, upto: Sequence) -> Entries<'_> {
        Entries { segments: self, next: after.plus(1), upto, current: None }
    }
}

/// Entries in order, read in large pieces.
pub(crate) struct Entries<'a> {
    segments: &'a Segments,
    next: Sequence,
    upto: Sequence,
    current: Option<Position>,
}

struct Position {
    /// The last sequence to be read from this segment.
    last: Sequence,
    lines: Lines,
    /// Checksum of the line read last.
    checksum: u32,
}

impl Entries<'_> {
    fn open(&self) -> Result<Option<Position>, HistoryError> {
        let mut segments = self.segments.between(self.next, self.upto).into_iter();
        let Some(segment) = segments.next() else { return Ok(None) };
        let last = segments.next().map_or(self.upto, |following| following.first.minus(1));
        let index = self.segments.index(&segment)?;
        let Some(mark) = index.entry(self.next)? else { return Ok(None) };
        let file = self.segments.open(&segment)?;
        let before = index.entry(mark.sequence.minus(1))?.map_or(0, |before| before.line);
        let front = read_exact_at(&*file, u64::from(before), CHECKSUM_BYTES)?;
        let checksum = claimed_checksum(&front).ok_or_else(|| damaged(segment.first, before))?;
        Ok(Some(Position { last, lines: Lines::new(file, u64::from(mark.line)), checksum }))
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
            let line = line.trim_ascii_end();
            position.checksum = checksum_after(line, position.checksum).ok_or_else(|| {
                HistoryError::Damaged(format!("sequence {next}: its line has another checksum"))
            })?;
            let (entry, _) = decode(line).map_err(HistoryError::Damaged)?;
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

fn damaged(segment: Sequence, byte: u32) -> HistoryError {
    HistoryError::Damaged(format!("segment {segment}, byte {byte}: no line begins there"))
}

impl Iterator for Entries<'_> {
    type Item = Result<Entry, HistoryError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next > self.upto {
            return None;
        }
        let read = self.read();
        if read.is_err() {
            // Nothing follows an error.
            self.upto = Sequence::START;
        }
        Some(read)
    }
}
