//! Following a log, event by event, undecoded: shared by the worker's sources.
//!
//! A tail keeps a place (segment, byte, checksum) and no open file: at a restart the node puts the good part of its
//! active segment into a new file of the same name, and a handle of the old one would see no new entries. Every
//! line is checked against the checksum of the one before it, every segment against the end of the one before it.
//! Only events up to the durable end, as the caller knows it, are delivered. A tail never writes.

use crate::format::line::{checksum_after, split};
use crate::format::segment::Scan;
use crate::format::segment_end::SegmentEnd;
use crate::reading::archived::{list_segments, open_segment};
use onhand_app::ports::{Delivered, SourceError};
use onhand_disk::Disk;
use onhand_disk::layout::Layout;
use onhand_disk::lines::Lines;
use onhand_domain::{Sequence, Timestamp};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use uuid::Uuid;

/// Bytes between two remembered places.
const SPOT_EVERY: u64 = 1 << 20;

/// A log and the current place in it.
pub(crate) struct Tail {
    disk: Arc<dyn Disk>,
    layout: Layout,
    cursor: Option<Cursor>,
}

/// A place in front of a line.
#[derive(Debug, Clone, Copy)]
struct Spot {
    /// The first sequence of the line.
    next: Sequence,
    /// Its offset, and the checksum of the line before it.
    end: SegmentEnd,
}

struct Cursor {
    /// The first sequence of the segment.
    first: Sequence,
    at: Spot,
    /// Remembered places in this segment, the first of them behind its header.
    spots: Vec<Spot>,
    /// Remaining events of the entry in front of `at`.
    rest: VecDeque<Delivered>,
}

impl Cursor {
    fn behind_header(first: Sequence, at: Spot) -> Self {
        Self { first, at, spots: vec![at], rest: VecDeque::new() }
    }

    /// The sequence of the next event to deliver.
    fn next(&self) -> Sequence {
        self.rest.front().map_or(self.at.next, |event| event.sequence)
    }

    fn go_back(&mut self, wanted: Sequence) {
        let passed = self.spots.partition_point(|spot| spot.next <= wanted);
        self.spots.truncate(passed.max(1));
        self.at = self.spots.last().copied().unwrap_or(self.at);
        self.rest.clear();
    }

    fn pass(&mut self, line: &[u8], checksum: u32, next: Sequence) {
        let length = self.at.end.length + line.len() as u64 + 1;
        self.at = Spot { next, end: SegmentEnd { length, crc: checksum } };
        if self.spots.last().is_none_or(|spot| length - spot.end.length >= SPOT_EVERY) {
            self.spots.push(self.at);
        }
    }
}

impl Tail {
    pub(crate) fn new(disk: Arc<dyn Disk>, layout: Layout) -> Self {
        Self { disk, layout, cursor: None }
    }

    pub(crate) fn disk(&self) -> &dyn Disk {
        &*self.disk
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// At most `limit` events after `after` and not after `end`, which must be durable.
    pub(crate) fn read(
        &mut self,
        node: Uuid,
        after: Sequence,
        limit: usize,
        end: Sequence,
    ) -> Result<Vec<Delivered>, SourceError> {
        if limit == 0 || after >= end {
            return Ok(Vec::new());
        }
        let read = self.read_on(node, after, limit, end);
        if read.is_err() {
            // Find the place anew: the files may have been replaced.
            self.cursor = None;
        }
        read
    }

    /// True when the log still has that event, whatever its mark says.
    pub(crate) fn holds(&mut self, node: Uuid, sequence: Sequence) -> bool {
        self.cursor = None;
        let found = self.read(node, sequence.minus(1), 1, Sequence(u64::MAX));
        found.is_ok_and(|events| events.first().is_some_and(|event| event.sequence == sequence))
    }

    fn read_on(
        &mut self,
        node: Uuid,
        after: Sequence,
        limit: usize,
        end: Sequence,
    ) -> Result<Vec<Delivered>, SourceError> {
        let mut cursor = self.seek(node, after.plus(1))?;
        let mut events = Vec::new();
        let mut lines = self.lines(&cursor)?;
        loop {
            while events.len() < limit
                && let Some(event) = cursor.rest.pop_front()
            {
                events.push(event);
            }
            if events.len() == limit || cursor.at.next > end {
                break;
            }
            let Some(line) = lines.next_line().map_err(|error| unavailable(&error))? else {
                cursor = self.next_segment(node, &cursor)?;
                lines = self.lines(&cursor)?;
                continue;
            };
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let taken = take_line(&mut cursor, line, after, end);
            if !taken.map_err(|reason| self.damaged(&cursor, &reason))? {
                break;
            }
        }
        self.cursor = Some(cursor);
        Ok(events)
    }

    /// A place at or before the wanted event, in its segment.
    fn seek(&mut self, node: Uuid, wanted: Sequence) -> Result<Cursor, SourceError> {
        if let Some(cursor) = self.cursor.take_if(|cursor| cursor.next() == wanted) {
            return Ok(cursor);
        }
        let firsts = list_segments(&*self.disk, &self.layout).map_err(|error| unavailable(&error))?;
        let first = firsts.iter().rev().find(|first| **first <= wanted);
        let first = *first.ok_or_else(|| missing(wanted))?;
        if let Some(mut cursor) = self.cursor.take().filter(|cursor| cursor.first == first) {
            cursor.go_back(wanted);
            return Ok(cursor);
        }
        let (at, _) = self.header(node, first)?;
        Ok(Cursor::behind_header(first, at))
    }

    fn next_segment(&self, node: Uuid, cursor: &Cursor) -> Result<Cursor, SourceError> {
        let first = cursor.at.next;
        let (at, previous) = self.header(node, first)?;
        if previous == Some(cursor.at.end) {
            return Ok(Cursor::behind_header(first, at));
        }
        let path = self.layout.segment(first);
        let reason = format!("{} does not follow the segment before it", path.display());
        Err(SourceError::Nonsense(reason))
    }

    /// The place behind a segment's header, and the end of the segment before according to it.
    fn header(&self, node: Uuid, first: Sequence) -> Result<(Spot, Option<SegmentEnd>), SourceError> {
        let path = self.layout.segment(first);
        let wrong = |reason: &str| SourceError::Nonsense(format!("{}: {reason}", path.display()));
        let file = match open_segment(&*self.disk, &self.layout, first) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(missing(first)),
            Err(error) => return Err(unavailable(&error)),
        };
        let mut lines = Lines::new(file, 0);
        let line = lines.next_line().map_err(|error| unavailable(&error))?.unwrap_or_default();
        let (header, scan) = Scan::begin(line, Timestamp::EPOCH).map_err(|damage| wrong(&damage.reason))?;
        if header.node != node {
            return Err(wrong(&format!("it belongs to node {}, not to {node}", header.node)));
        }
        if header.first_sequence != first {
            return Err(wrong(&format!("it says it begins with {}", header.first_sequence)));
        }
        Ok((Spot { next: first, end: scan.end() }, header.previous))
    }

    fn lines(&self, cursor: &Cursor) -> Result<Lines, SourceError> {
        let file =
            open_segment(&*self.disk, &self.layout, cursor.first).map_err(|error| unavailable(&error))?;
        Ok(Lines::new(file, cursor.at.end.length))
    }

    fn damaged(&self, cursor: &Cursor, reason: &str) -> SourceError {
        let path = self.layout.segment(cursor.first);
        let Spot { next, end } = cursor.at;
        SourceError::Nonsense(format!(
            "{} is damaged at byte {}, where sequence {next} belongs: {reason}",
            path.display(),
            end.length
        ))
    }
}

/// Moves the cursor over a line; false when the line is not durable yet.
fn take_line(cursor: &mut Cursor, line: &[u8], after: Sequence, end: Sequence) -> Result<bool, String> {
    let previous = cursor.at.end.crc;
    let checksum =
        checksum_after(line, previous).ok_or("the checksum does not fit the line and the one before it")?;
    let mut events = split(line)?.peekable();
    let first = events.peek().ok_or("an entry without events")?.sequence;
    if first != cursor.at.next {
        return Err(format!("it begins with sequence {first}"));
    }
    let last = first.plus(events.len() as u64 - 1);
    if last > end {
        return Ok(false);
    }
    let wanted = events.filter(|event| event.sequence > after);
    cursor.rest.extend(wanted.map(|event| Delivered {
        sequence: event.sequence,
        at: event.at,
        json: event.json.to_owned(),
    }));
    cursor.pass(line, checksum, last.plus(1));
    Ok(true)
}

fn missing(sequence: Sequence) -> SourceError {
    SourceError::Nonsense(format!("no segment holds sequence {sequence}"))
}

pub(crate) fn unavailable(error: &impl ToString) -> SourceError {
    SourceError::Unavailable(error.to_string())
}
