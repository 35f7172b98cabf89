//! A segment: JSON Lines, a header and then entries, each chained to the line before it.
//!
//! The header is `{"crc":"8 hex","format":2,"node":"uuid","segment":3,"firstSequence":1042,
//! "previous":{"length":67108812,"crc":"8 hex"}}`: where the segment before it ends, so that a missing, foreign or
//! repeated segment is seen. Its checksum is chained to the last line of that segment (to 0 in the first one).
//!
//! Invariants of the entries, checked on every read: sequences without gaps; times never go back; `batch` is either
//! the one of the line before or the line's own sequence, so a batch's number identifies the events in front of it.
//! That is why it is a sequence and not a counter: batch N is only written once everything before sequence N is
//! synced, so an intact line of batch N proves that anything missing before N was durable once.

use crate::format::decode::decode;
use crate::format::index::{EntryMark, EventSpan};
use crate::format::line::{checksum_after, decode_front, put_checksum};
use crate::format::segment_end::SegmentEnd;
use memchr::memchr;
use onhand_domain::{Entry, Sequence, Timestamp};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use uuid::Uuid;

/// The format this program writes. In format 1 the numbers of an event stood in `after` without the tag of their kind.
pub const FORMAT: u32 = 2;
/// The formats this program reads. A segment that was begun in an earlier format continues in this one: `node.json`
/// records which program may open the directory.
pub const FORMATS: RangeInclusive<u32> = 1..=FORMAT;

/// The first line of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Header {
    crc: String,
    /// Format of the segment; see [`FORMAT`].
    pub format: u32,
    /// The id of the node that owns the log.
    pub node: Uuid,
    /// The number of the segment, counted from 1.
    pub segment: u64,
    /// The sequence of the first event in it.
    pub first_sequence: Sequence,
    /// The end of the segment before; none in the first one.
    pub previous: Option<SegmentEnd>,
}

impl Header {
    /// The header of a new segment.
    pub fn new(node: Uuid, segment: u64, first_sequence: Sequence, previous: Option<SegmentEnd>) -> Self {
        Self { crc: "00000000".to_owned(), format: FORMAT, node, segment, first_sequence, previous }
    }

    /// The encoded line, and its checksum.
    pub fn encode(&self) -> (Vec<u8>, u32) {
        let mut line = serde_json::to_vec(self).expect("a plain struct always serialises into memory");
        line.push(b'\n');
        let checksum = put_checksum(&mut line, 0, self.previous.map_or(0, |end| end.crc));
        (line, checksum)
    }
}

/// A damaged place in a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The start of the first bad line, in bytes.
    pub offset: u64,
    /// The sequence expected there.
    pub sequence: Sequence,
    /// Reason of the damage, for a person.
    pub reason: String,
}

/// One good line of a segment.
#[derive(Debug)]
pub struct ScannedLine {
    /// The decoded entry.
    pub entry: Entry,
    pub(crate) mark: EntryMark,
    pub(crate) spans: Vec<EventSpan>,
}

/// A place between two lines of a segment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ScanPlace {
    pub(crate) end: SegmentEnd,
    pub(crate) next: Sequence,
    pub(crate) batch: Sequence,
    pub(crate) at: Timestamp,
}

/// Reads a segment's bytes line by line, checking everything.
#[derive(Debug, Clone)]
pub struct Scan<'a> {
    bytes: &'a [u8],
    /// The offset in the segment at which `bytes` begin.
    start: u64,
    offset: usize,
    checksum: u32,
    next: Sequence,
    batch: Sequence,
    at: Timestamp,
}

impl<'a> Scan<'a> {
    /// Reads the header; the scan continues behind it. `earliest` is the time of the last entry of the segment
    /// before.
    ///
    /// # Errors
    /// A damaged header; its sequence is unknown.
    pub fn begin(bytes: &'a [u8], earliest: Timestamp) -> Result<(Header, Self), Damage> {
        let damage =
            |reason: &str| Damage { offset: 0, sequence: Sequence::START, reason: reason.to_owned() };
        let line = line_at(bytes, 0).ok_or_else(|| damage("the header is cut off"))?;
        let header: Header = serde_json::from_slice(line)
            .map_err(|error| damage(&format!("the header is unreadable: {error}")))?;
        if !FORMATS.contains(&header.format) {
            let reason = format!(
                "format {} is not known to this program, which reads format 1 to {FORMAT}",
                header.format
            );
            return Err(damage(&reason));
        }
        let previous = header.previous.map_or(0, |end| end.crc);
        let checksum =
            checksum_after(line, previous).ok_or_else(|| damage("the header's checksum is wrong"))?;
        let next = header.first_sequence;
        let scan = Self {
            bytes,
            start: 0,
            offset: line.len() + 1,
            checksum,
            next,
            batch: Sequence::START,
            at: earliest,
        };
        Ok((header, scan))
    }

    /// Continues behind `place` with the bytes that follow it.
    pub(crate) fn resume(bytes: &'a [u8], place: ScanPlace) -> Self {
        let ScanPlace { end, next, batch, at } = place;
        Self { bytes, start: end.length, offset: 0, checksum: end.crc, next, batch, at }
    }

    /// The current place, for [`Scan::resume`].
    pub(crate) fn place(&self) -> ScanPlace {
        ScanPlace { end: self.end(), next: self.next, batch: self.batch, at: self.at }
    }

    /// The next good line; none at the end.
    ///
    /// # Errors
    /// The first damaged place; the scan stays in front of it.
    pub fn next_line(&mut self) -> Result<Option<ScannedLine>, Damage> {
        self.next_line_by(decode)
    }

    /// As [`Scan::next_line`], with `decode` for lines. It receives every line whose checksum is correct.
    ///
    /// # Errors
    /// As [`Scan::next_line`].
    pub(crate) fn next_line_by(
        &mut self,
        decode: impl FnOnce(&[u8]) -> Result<(Entry, Vec<EventSpan>), String>,
    ) -> Result<Option<ScannedLine>, Damage> {
        if self.offset >= self.bytes.len() {
            return Ok(None);
        }
        match self.read_line(decode) {
            Ok((line, length, checksum)) => {
                self.offset += length;
                self.checksum = checksum;
                self.next = line.entry.last().plus(1);
                self.batch = line.entry.batch;
                self.at = line.entry.at;
                Ok(Some(line))
            }
            Err(reason) => Err(Damage { offset: self.end().length, sequence: self.next, reason }),
        }
    }

    fn read_line(
        &self,
        decode: impl FnOnce(&[u8]) -> Result<(Entry, Vec<EventSpan>), String>,
    ) -> Result<(ScannedLine, usize, u32), String> {
        let line = line_at(self.bytes, self.offset).ok_or("the line is cut off")?;
        let checksum = checksum_after(line, self.checksum)
            .ok_or("the checksum does not fit the line and the one before it")?;
        let (entry, spans) = decode(line)?;
        if entry.sequence != self.next {
            return Err(format!("sequence {} stands where {} belongs", entry.sequence, self.next));
        }
        if entry.batch != entry.sequence && entry.batch != self.batch {
            return Err(format!("batch {} does not begin where it says", entry.batch));
        }
        if entry.at < self.at {
            return Err("its time is before that of the line before it".to_owned());
        }
        let offset = u32::try_from(self.end().length).map_err(|_| "the segment is longer than 4 GiB")?;
        let mark = EntryMark::new(entry.sequence, entry.at, offset, &spans);
        Ok((ScannedLine { entry, mark, spans }, line.len() + 1, checksum))
    }

    /// The end of the good part so far.
    pub fn end(&self) -> SegmentEnd {
        SegmentEnd { length: self.start + self.offset as u64, crc: self.checksum }
    }

    /// All bytes behind the good part so far.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.offset..).unwrap_or_default()
    }

    /// The sequence after the last good one.
    pub fn next_sequence(&self) -> Sequence {
        self.next
    }

    /// The time of the last good entry.
    pub fn last_time(&self) -> Timestamp {
        self.at
    }

    /// Searches from the damage on for a line of a later batch, which proves that the damaged entry was durable
    /// once.
    ///
    /// The search is for the beginning of a line, not for line feeds, which may be damaged. Quotes in data are
    /// escaped, so nothing but the start of a line matches.
    pub fn later_batch(&self) -> Option<Sequence> {
        const START: &[u8] = b"{\"crc\":\"";
        const FRONT: usize = 4096;
        // From the bad line itself: it may be the proof when a line in front of it is missing.
        let behind = self.bytes.get(self.offset..)?;
        behind.windows(START.len()).enumerate().filter(|(_, window)| *window == START).find_map(
            |(place, _)| {
                let front = behind.get(place..)?;
                let front = decode_front(front.get(..FRONT).unwrap_or(front))?;
                (front.batch > self.next && front.batch <= front.seq).then_some(front.batch)
            },
        )
    }
}

fn line_at(bytes: &[u8], offset: usize) -> Option<&[u8]> {
    let rest = bytes.get(offset..)?;
    let end = memchr(b'\n', rest)?;
    rest.get(..end)
}
