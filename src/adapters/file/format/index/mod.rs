//! The index of one segment: from a sequence, a time or a key to the bytes of an entry or an event.
//!
//! It is derived from the segment alone: when lost, it is rebuilt from the segment. [`Growing`] is the index of the
//! segment being written, in memory; [`Sealed`] that of a sealed one, a file of which a lookup reads a few dozen
//! bytes. Both implement [`SegmentIndex`].
//!
//! An index is never trusted alone: an event that is read back is checked against the requested key and its own
//! checksum. Absence from an index counts only after the whole file has been checked against its checksum.

mod bytes;
mod growing;
mod sealed;

pub(crate) use growing::{Growing, Written};
pub(crate) use sealed::{IndexError, Sealed, read_known};

use onhand_domain::{Key, Sequence, Timestamp, Topics};
use smol_str::SmolStr;
use std::io;

/// The place of an event in its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EventSpan {
    /// [`key_hash`] of the state it moved.
    pub(crate) key: u64,
    /// The number of its kind.
    pub(crate) kind: u32,
    /// Bytes from the start of the line (or of the part of it that was encoded).
    pub(crate) offset: u32,
    /// Length of the event in bytes.
    pub(crate) length: u32,
    /// Checksum of the event: [`event_checksum`].
    pub(crate) checksum: u32,
    /// The topics of the event.
    pub(crate) topics: Topics,
}

/// The place of an event in its segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Posting {
    /// The sequence of the event.
    pub(crate) sequence: Sequence,
    /// Offset of its line in the segment.
    pub(crate) line: u32,
    /// Offset of the event itself in the segment.
    pub(crate) event: u32,
    /// Length of the event in bytes.
    pub(crate) length: u32,
    /// The number of its kind.
    pub(crate) kind: u32,
    /// [`movement_checksum`]: an event is read without the rest of its line, whose checksum covers all of it.
    pub(crate) checksum: u32,
}

/// The place of an entry in its segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntryMark {
    /// The sequence of its first event.
    pub(crate) sequence: Sequence,
    /// The log time of the entry.
    pub(crate) at: Timestamp,
    /// Offset of its line in the segment.
    pub(crate) line: u32,
    /// The topics of all its events.
    pub(crate) topics: Topics,
}

impl EntryMark {
    /// The mark of an entry with these events.
    pub(crate) fn new(sequence: Sequence, at: Timestamp, line: u32, spans: &[EventSpan]) -> Self {
        let topics = spans.iter().fold(Topics::NONE, |topics, span| topics.and(span.topics));
        Self { sequence, at, line, topics }
    }
}

/// Selection of the postings of a key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// Only those after this sequence ...
    pub(crate) after: Sequence,
    /// ... and not after this one.
    pub(crate) upto: Sequence,
    /// Only those of this kind; all kinds when none.
    pub(crate) kind: Option<u32>,
    /// Maximum number of postings.
    pub(crate) limit: usize,
}

/// Lookups of an index.
pub(crate) trait SegmentIndex: Send + Sync {
    /// Number of events in the segment.
    fn events(&self) -> u64;
    /// The entry that holds that sequence.
    fn entry(&self, sequence: Sequence) -> io::Result<Option<EntryMark>>;
    /// The entry that holds that sequence and those behind it, at most `limit`.
    fn entries(&self, sequence: Sequence, limit: usize) -> io::Result<Vec<EntryMark>>;
    /// The last sequence whose time is not after `at`; none when all are.
    fn sequence_at(&self, at: Timestamp) -> io::Result<Option<Sequence>>;
    /// The postings of a key, oldest first.
    fn postings(&self, key: u64, wanted: Wanted) -> io::Result<Vec<Posting>>;
    /// The last posting of a key that is not after `upto`.
    fn last_posting(&self, key: u64, upto: Sequence) -> io::Result<Option<Posting>>;
}

/// CRC-32C of an event as it stands in its line, and of its actor and request. `None` and an empty string, which is
/// never written, count alike; a string has no character 0.
pub(crate) fn event_checksum(actor: Option<&SmolStr>, request_id: Option<&SmolStr>, json: &[u8]) -> u32 {
    let strings = [actor, request_id].into_iter();
    let strings = strings.fold(0, |checksum, string| {
        let bytes = string.map(|string| string.as_bytes()).unwrap_or_default();
        crc32c::crc32c_append(crc32c::crc32c_append(checksum, bytes), &[0])
    });
    crc32c::crc32c_append(strings, json)
}

/// [`event_checksum`] with the time of the entry, milliseconds since 1970, little-endian.
pub(crate) fn movement_checksum(event: u32, at: Timestamp) -> u32 {
    crc32c::crc32c_append(event, &at.milliseconds().to_le_bytes())
}

/// The number a key is found by in an index: FNV-1a, 64 bits, over the key's tag and the two parts of its id.
/// Stable, because it is on disk. Two keys may share a number; the reader of the event tells them apart.
/// <http://www.isthe.com/chongo/tech/comp/fnv/>
pub(crate) fn key_hash(key: &Key) -> u64 {
    let [one, other] = key.parts();
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for part in [key.tag(), one, other] {
        for byte in part.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash
}
