//! The index of a sealed segment: a file, binary, little-endian.
//!
//! ```text
//! magic "ONHIDX01"                8
//! segment length, bytes           8    the segment this is the index of
//! segment checksum                4    of its last line
//! entries, keys, postings, known  4 each
//! entry:   sequence 8, time ms 8, line 4                            by sequence
//! key:     hash 8, first posting 4, postings 4                      by hash
//! posting: sequence 8, line 4, event 4, length 4, kind 4            by key, then sequence
//! known:   retry id 16, fingerprint 8, sequence 8, time ms 8        by sequence
//! CRC-32C of all before           4
//! ```

use super::growing::Content;
use super::{EntryMark, Growing, Posting, SegmentIndex, Wanted};
use crate::adapters::file::disk::{
    Disk, DiskFile, OpenMode, durable_rename, read_all, read_exact_at, write_all_at,
};
use crate::adapters::file::layout::temporary;
use crate::app::{KnownEffect, RetryId};
use crate::domain::{Sequence, Timestamp};
use std::io;
use std::path::Path;
use std::sync::Arc;

const MAGIC: &[u8; 8] = b"ONHIDX01";
const HEADER: u64 = 36;
const ENTRY: u64 = 20;
const KEY: u64 = 16;
const POSTING: u64 = 24;
const KNOWN: u64 = 40;

/// An index file opened for lookups.
pub(crate) struct Sealed {
    file: Arc<dyn DiskFile>,
    segment_length: u64,
    segment_checksum: u32,
    entries: u32,
    keys: u32,
    postings: u32,
    known: u32,
}

/// The index file cannot be used; it is to be built again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IndexError {
    /// The disk refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is not what was written.
    #[error("the index file is damaged")]
    Damaged,
}

/// Fields one after the other.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*field)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn time(&mut self) -> Option<Timestamp> {
        self.take().map(|bytes| Timestamp::from_milliseconds(i64::from_le_bytes(bytes)))
    }
}

fn read_entry(bytes: &[u8]) -> Option<EntryMark> {
    let mut fields = Fields(bytes);
    Some(EntryMark { sequence: Sequence(fields.u64()?), at: fields.time()?, line: fields.u32()? })
}

fn read_posting(bytes: &[u8]) -> Option<Posting> {
    let mut fields = Fields(bytes);
    Some(Posting {
        sequence: Sequence(fields.u64()?),
        line: fields.u32()?,
        event: fields.u32()?,
        length: fields.u32()?,
        kind: fields.u32()?,
    })
}

fn read_effect(bytes: &[u8]) -> Option<KnownEffect> {
    let mut fields = Fields(bytes);
    Some(KnownEffect {
        id: RetryId(u128::from_le_bytes(fields.take()?)),
        fingerprint: fields.u64()?,
        sequence: Sequence(fields.u64()?),
        at: fields.time()?,
    })
}

impl Sealed {
    /// Writes the index of a segment that is complete.
    pub(crate) fn write(
        disk: &dyn Disk,
        path: &Path,
        index: &Growing,
        segment_length: u64,
        segment_checksum: u32,
    ) -> io::Result<()> {
        let bytes = index.look(|content| encode(content, segment_length, segment_checksum));
        let unfinished = temporary(path);
        let file = disk.open(&unfinished, OpenMode::OpenOrCreate)?;
        file.truncate(0)?;
        write_all_at(&*file, &bytes, 0)?;
        durable_rename(disk, &*file, &unfinished, path)
    }

    /// Opens an index file. Only its size and magic are looked at; [`Sealed::check`] reads it all.
    ///
    /// # Errors
    /// [`IndexError`]; a missing file is an I/O error of kind `NotFound`.
    pub(crate) fn open(disk: &dyn Disk, path: &Path) -> Result<Self, IndexError> {
        let file = disk.open(path, OpenMode::Read)?;
        let length = file.len()?;
        if length < HEADER + 4 {
            return Err(IndexError::Damaged);
        }
        let header = read_exact_at(&*file, 0, HEADER as usize)?;
        let mut fields = Fields(&header);
        let magic = fields.take::<8>();
        let parsed = (|| {
            Some(Self {
                file: Arc::clone(&file),
                segment_length: fields.u64()?,
                segment_checksum: fields.u32()?,
                entries: fields.u32()?,
                keys: fields.u32()?,
                postings: fields.u32()?,
                known: fields.u32()?,
            })
        })();
        let index = parsed.filter(|_| magic.as_ref() == Some(MAGIC)).ok_or(IndexError::Damaged)?;
        if index.known_at(index.known) + 4 == length { Ok(index) } else { Err(IndexError::Damaged) }
    }

    /// True when this is the index of a segment of that length that ends with that checksum.
    pub(crate) fn is_of(&self, segment_length: u64, segment_checksum: u32) -> bool {
        self.segment_length == segment_length && self.segment_checksum == segment_checksum
    }

    /// The time of the last entry.
    pub(crate) fn last_time(&self) -> io::Result<Timestamp> {
        match self.entries.checked_sub(1) {
            Some(place) => Ok(self.read_entry(place)?.at),
            None => Ok(Timestamp::from_milliseconds(i64::MIN)),
        }
    }

    /// Reads all of it and compares the checksum.
    pub(crate) fn check(&self) -> Result<(), IndexError> {
        let bytes = read_all(&*self.file)?;
        let (content, checksum) = bytes.split_last_chunk::<4>().ok_or(IndexError::Damaged)?;
        if crc32c::crc32c(content) == u32::from_le_bytes(*checksum) {
            Ok(())
        } else {
            Err(IndexError::Damaged)
        }
    }

    fn entry_at(place: u32) -> u64 {
        HEADER + u64::from(place) * ENTRY
    }

    fn key_at(&self, place: u32) -> u64 {
        Self::entry_at(self.entries) + u64::from(place) * KEY
    }

    fn posting_at(&self, place: u32) -> u64 {
        self.key_at(self.keys) + u64::from(place) * POSTING
    }

    fn known_at(&self, place: u32) -> u64 {
        self.posting_at(self.postings) + u64::from(place) * KNOWN
    }

    fn read_entry(&self, place: u32) -> io::Result<EntryMark> {
        read_entry(&read_exact_at(&*self.file, Self::entry_at(place), ENTRY as usize)?).ok_or_else(short)
    }

    fn read_posting(&self, place: u32) -> io::Result<Posting> {
        read_posting(&read_exact_at(&*self.file, self.posting_at(place), POSTING as usize)?).ok_or_else(short)
    }

    /// The places of a key's postings.
    fn key(&self, hash: u64) -> io::Result<std::ops::Range<u32>> {
        let mut found = 0..0;
        partition_point(self.keys, |place| {
            let bytes = read_exact_at(&*self.file, self.key_at(place), KEY as usize)?;
            let mut fields = Fields(&bytes);
            let (seen, first, count) =
                (|| Some((fields.u64()?, fields.u32()?, fields.u32()?)))().ok_or_else(short)?;
            if seen == hash {
                found = first..first.saturating_add(count);
            }
            Ok(seen < hash)
        })?;
        Ok(found)
    }

    /// The place of a key's first posting after `sequence`.
    fn posting_after(&self, places: &std::ops::Range<u32>, sequence: Sequence) -> io::Result<u32> {
        let count = places.end - places.start;
        let behind =
            partition_point(
                count,
                |place| Ok(self.read_posting(places.start + place)?.sequence <= sequence),
            )?;
        Ok(places.start + behind)
    }
}

impl SegmentIndex for Sealed {
    fn entry(&self, sequence: Sequence) -> io::Result<Option<EntryMark>> {
        let behind = partition_point(self.entries, |place| Ok(self.read_entry(place)?.sequence <= sequence))?;
        behind.checked_sub(1).map(|place| self.read_entry(place)).transpose()
    }

    fn sequence_at(&self, at: Timestamp) -> io::Result<Option<Sequence>> {
        let behind = partition_point(self.entries, |place| Ok(self.read_entry(place)?.at <= at))?;
        if behind == self.entries {
            return Ok(None);
        }
        Ok(Some(self.read_entry(behind)?.sequence.minus(1)))
    }

    fn postings(&self, key: u64, wanted: Wanted) -> io::Result<Vec<Posting>> {
        const CHUNK: u32 = 1024;
        let places = self.key(key)?;
        let mut place = self.posting_after(&places, wanted.after)?;
        let mut found = Vec::new();
        while place < places.end && found.len() < wanted.limit {
            let count = CHUNK.min(places.end - place);
            let bytes =
                read_exact_at(&*self.file, self.posting_at(place), (u64::from(count) * POSTING) as usize)?;
            for posting in bytes.chunks(POSTING as usize).filter_map(read_posting) {
                if posting.sequence > wanted.upto || found.len() >= wanted.limit {
                    return Ok(found);
                }
                if wanted.kind.is_none_or(|kind| kind == posting.kind) {
                    found.push(posting);
                }
            }
            place += count;
        }
        Ok(found)
    }

    fn last_posting(&self, key: u64, upto: Sequence) -> io::Result<Option<Posting>> {
        let places = self.key(key)?;
        let behind = self.posting_after(&places, upto)?;
        if behind == places.start { Ok(None) } else { self.read_posting(behind - 1).map(Some) }
    }
}

/// The idempotency records of a sealed segment, oldest first.
pub(crate) fn read_known(index: &Sealed) -> io::Result<Vec<KnownEffect>> {
    let length = usize::try_from(u64::from(index.known) * KNOWN).map_err(|_| short())?;
    let bytes = read_exact_at(&*index.file, index.known_at(0), length)?;
    Ok(bytes.chunks(KNOWN as usize).filter_map(read_effect).collect())
}

fn encode(content: &Content, segment_length: u64, segment_checksum: u32) -> Vec<u8> {
    let keys = content.by_key();
    let mut out = Vec::with_capacity(64 + 24 * content.postings_len() + 20 * content.entries.len());
    let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&segment_length.to_le_bytes());
    out.extend_from_slice(&segment_checksum.to_le_bytes());
    for length in [content.entries.len(), keys.len(), content.postings_len(), content.known.len()] {
        out.extend_from_slice(&count(length));
    }
    for entry in &content.entries {
        out.extend_from_slice(&entry.sequence.0.to_le_bytes());
        out.extend_from_slice(&entry.at.milliseconds().to_le_bytes());
        out.extend_from_slice(&entry.line.to_le_bytes());
    }
    let mut first = 0;
    for (key, postings) in &keys {
        out.extend_from_slice(&key.to_le_bytes());
        out.extend_from_slice(&count(first));
        out.extend_from_slice(&count(postings.len()));
        first += postings.len();
    }
    for posting in keys.iter().flat_map(|(_, postings)| postings) {
        out.extend_from_slice(&posting.sequence.0.to_le_bytes());
        for field in [posting.line, posting.event, posting.length, posting.kind] {
            out.extend_from_slice(&field.to_le_bytes());
        }
    }
    for effect in &content.known {
        out.extend_from_slice(&effect.id.0.to_le_bytes());
        out.extend_from_slice(&effect.fingerprint.to_le_bytes());
        out.extend_from_slice(&effect.sequence.0.to_le_bytes());
        out.extend_from_slice(&effect.at.milliseconds().to_le_bytes());
    }
    let checksum = crc32c::crc32c(&out);
    out.extend_from_slice(&checksum.to_le_bytes());
    out
}

/// The first of `count` places for which `before` is false; `before` must be true, then false.
fn partition_point(count: u32, mut before: impl FnMut(u32) -> io::Result<bool>) -> io::Result<u32> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle)? {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

fn short() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the index file is damaged")
}
