//! The index of a sealed segment: a file, binary, little-endian.
//!
//! ```text
//! magic "ONHIDX04"                8
//! segment length, bytes           8    the segment this is the index of
//! segment checksum                4    of its last line
//! entries, keys, postings, known  4 each
//! entry:   sequence 8, time ms 8, line 4, topics of its events 16   by sequence
//! key:     hash 8, first posting 4, postings 4                      by hash
//! posting: sequence 8, line 4, event 4, length 4, kind 4,           by key, then sequence
//!          CRC-32C of event, actor, request and time 4
//! known:   retry id 16, fingerprint 8, sequence 8, time ms 8        by sequence
//! CRC-32C of all before           4
//! ```

use crate::format::index::bytes::{Fields, MAGIC, encode, read_effect, read_entry, read_posting};
use crate::format::index::{EntryMark, Growing, Posting, SegmentIndex, Wanted};
use crate::format::segment_end::SegmentEnd;
use onhand_app::KnownEffect;
use onhand_disk::{Disk, DiskFile, OpenMode, read_all, read_exact_at, replace};
use onhand_domain::{Sequence, Timestamp};
use std::io;
use std::path::Path;
use std::sync::Arc;

const HEADER: usize = 36;
const ENTRY: usize = 36;
const KEY: usize = 16;
const POSTING: usize = 28;
const KNOWN: usize = 40;

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

/// The index file cannot be used, and is to be rebuilt.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IndexError {
    /// The disk returned an error.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file is damaged.
    #[error("the index file is damaged")]
    Damaged,
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
        replace(disk, path, &bytes).map(drop)
    }

    /// Opens an index file. Reads only its size and magic; [`Sealed::check`] reads it all.
    ///
    /// # Errors
    /// [`IndexError`]; a missing file is an I/O error of kind `NotFound`.
    pub(crate) fn open(disk: &dyn Disk, path: &Path) -> Result<Self, IndexError> {
        let file = disk.open(path, OpenMode::Read)?;
        let length = file.len()?;
        if length < HEADER as u64 + 4 {
            return Err(IndexError::Damaged);
        }
        let header = read_exact_at(&*file, 0, HEADER)?;
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

    /// Opens an index file and checks all of it, for a segment that ends at `end`.
    ///
    /// # Errors
    /// As [`Sealed::open`].
    pub(crate) fn open_checked(
        disk: &dyn Disk,
        path: &Path,
        end: Option<SegmentEnd>,
    ) -> Result<Self, IndexError> {
        let index = Self::open(disk, path)?;
        index.check()?;
        if end.is_none_or(|end| index.is_of(end.length, end.crc)) {
            Ok(index)
        } else {
            Err(IndexError::Damaged)
        }
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

    /// Reads the whole file and compares the checksum.
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
        HEADER as u64 + u64::from(place) * ENTRY as u64
    }

    fn key_at(&self, place: u32) -> u64 {
        Self::entry_at(self.entries) + u64::from(place) * KEY as u64
    }

    fn posting_at(&self, place: u32) -> u64 {
        self.key_at(self.keys) + u64::from(place) * POSTING as u64
    }

    fn known_at(&self, place: u32) -> u64 {
        self.posting_at(self.postings) + u64::from(place) * KNOWN as u64
    }

    fn read_entry(&self, place: u32) -> io::Result<EntryMark> {
        read_entry(&read_exact_at(&*self.file, Self::entry_at(place), ENTRY)?).ok_or_else(short)
    }

    fn read_posting(&self, place: u32) -> io::Result<Posting> {
        read_posting(&read_exact_at(&*self.file, self.posting_at(place), POSTING)?).ok_or_else(short)
    }

    /// The positions of a key's postings.
    fn key(&self, hash: u64) -> io::Result<std::ops::Range<u32>> {
        let mut found = 0..0;
        partition_point(self.keys, |place| {
            let bytes = read_exact_at(&*self.file, self.key_at(place), KEY)?;
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

    /// The position of a key's first posting after `sequence`.
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
    fn events(&self) -> u64 {
        u64::from(self.postings)
    }

    fn entry(&self, sequence: Sequence) -> io::Result<Option<EntryMark>> {
        let behind = partition_point(self.entries, |place| Ok(self.read_entry(place)?.sequence <= sequence))?;
        behind.checked_sub(1).map(|place| self.read_entry(place)).transpose()
    }

    fn entries(&self, sequence: Sequence, limit: usize) -> io::Result<Vec<EntryMark>> {
        let behind = partition_point(self.entries, |place| Ok(self.read_entry(place)?.sequence <= sequence))?;
        let first = behind.saturating_sub(1);
        let count = (self.entries - first).min(u32::try_from(limit).unwrap_or(u32::MAX));
        let bytes = read_exact_at(&*self.file, Self::entry_at(first), count as usize * ENTRY)?;
        Ok(bytes.chunks(ENTRY).filter_map(read_entry).collect())
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
            let bytes = read_exact_at(&*self.file, self.posting_at(place), count as usize * POSTING)?;
            for posting in bytes.chunks(POSTING).filter_map(read_posting) {
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
    let length = index.known as usize * KNOWN;
    let bytes = read_exact_at(&*index.file, index.known_at(0), length)?;
    Ok(bytes.chunks(KNOWN).filter_map(read_effect).collect())
}

/// The first of `count` positions for which `before` is false; `before` must be true, then false.
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
