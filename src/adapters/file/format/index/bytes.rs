//! The bytes of an index file, field by field; `sealed.rs` has the layout.

use crate::format::index::growing::Content;
use crate::format::index::{EntryMark, Posting};
use onhand_app::{KnownEffect, RetryId};
use onhand_domain::{Sequence, Timestamp, Topics};

/// Magic number of an index file, with its format version.
pub(super) const MAGIC: &[u8; 8] = b"ONHIDX04";

/// A cursor over consecutive fields.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl Fields<'_> {
    pub(super) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*field)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    pub(super) fn time(&mut self) -> Option<Timestamp> {
        self.take().map(|bytes| Timestamp::from_milliseconds(i64::from_le_bytes(bytes)))
    }
}

pub(super) fn read_entry(bytes: &[u8]) -> Option<EntryMark> {
    let mut fields = Fields(bytes);
    Some(EntryMark {
        sequence: Sequence(fields.u64()?),
        at: fields.time()?,
        line: fields.u32()?,
        topics: Topics::from_bits(fields.take().map(u128::from_le_bytes)?),
    })
}

pub(super) fn read_posting(bytes: &[u8]) -> Option<Posting> {
    let mut fields = Fields(bytes);
    Some(Posting {
        sequence: Sequence(fields.u64()?),
        line: fields.u32()?,
        event: fields.u32()?,
        length: fields.u32()?,
        kind: fields.u32()?,
        checksum: fields.u32()?,
    })
}

pub(super) fn read_effect(bytes: &[u8]) -> Option<KnownEffect> {
    let mut fields = Fields(bytes);
    Some(KnownEffect {
        id: RetryId(u128::from_le_bytes(fields.take()?)),
        fingerprint: fields.u64()?,
        sequence: Sequence(fields.u64()?),
        at: fields.time()?,
    })
}

/// Encodes the whole file.
pub(super) fn encode(content: &Content, segment_length: u64, segment_checksum: u32) -> Vec<u8> {
    let keys = content.by_key();
    let mut out = Vec::with_capacity(64 + 28 * content.postings_len() + 36 * content.entries.len());
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
        out.extend_from_slice(&entry.topics.bits().to_le_bytes());
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
        for field in [posting.line, posting.event, posting.length, posting.kind, posting.checksum] {
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
