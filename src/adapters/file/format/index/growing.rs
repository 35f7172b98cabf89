//! The index of the segment that is being written: in memory, a chain through each key's events, newest first.

use crate::format::index::{EntryMark, EventSpan, Posting, SegmentIndex, Wanted, movement_checksum};
use onhand_app::KnownEffect;
use onhand_domain::{Sequence, Timestamp};
use parking_lot::RwLock;
use std::collections::HashMap;
use std::io;

const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Link {
    posting: Posting,
    previous: u32,
}

/// The content of an index.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) entries: Vec<EntryMark>,
    pub(super) known: Vec<KnownEffect>,
    links: Vec<Link>,
    newest: HashMap<u64, u32>,
}

/// An index that grows with its segment. One writer adds; readers read at any time.
#[derive(Debug, Default)]
pub(crate) struct Growing {
    content: RwLock<Content>,
}

/// A written entry, as input of the index.
pub(crate) struct Written {
    pub(super) mark: EntryMark,
    /// Bytes between the start of the line and the origin of `spans`.
    pub(super) shift: u32,
    pub(super) spans: Vec<EventSpan>,
    pub(super) known: Vec<KnownEffect>,
}

impl Growing {
    /// Adds entries in the order of the log.
    pub(crate) fn add(&self, entries: impl Iterator<Item = Written>) {
        let mut content = self.content.write();
        for written in entries {
            content.add(written);
        }
    }

    /// Gives a closure access to the whole content.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Content) -> T) -> T {
        look(&self.content.read())
    }

    /// The idempotency records of the segment, oldest first.
    pub(crate) fn known(&self) -> Vec<KnownEffect> {
        self.content.read().known.clone()
    }
}

impl Written {
    /// An entry at `mark` whose events are `shift` bytes behind the offsets in `spans`.
    pub(crate) fn new(mark: EntryMark, shift: u32, spans: Vec<EventSpan>, known: Vec<KnownEffect>) -> Self {
        Self { mark, shift, spans, known }
    }
}

impl Content {
    fn add(&mut self, written: Written) {
        let line = written.mark.line;
        self.entries.push(written.mark);
        self.known.extend(written.known);
        for (sequence, span) in (written.mark.sequence.0..).map(Sequence).zip(&written.spans) {
            let posting = Posting {
                sequence,
                line,
                event: line.saturating_add(written.shift).saturating_add(span.offset),
                length: span.length,
                kind: span.kind,
                checksum: movement_checksum(span.checksum, written.mark.at),
            };
            let place = u32::try_from(self.links.len()).unwrap_or(NONE);
            let previous = self.newest.insert(span.key, place).unwrap_or(NONE);
            self.links.push(Link { posting, previous });
        }
    }

    /// The postings of a key, newest first.
    fn chain(&self, key: u64) -> impl Iterator<Item = Posting> {
        let mut next = self.newest.get(&key).copied().unwrap_or(NONE);
        std::iter::from_fn(move || {
            let link = self.links.get(next as usize)?;
            next = link.previous;
            Some(link.posting)
        })
    }

    /// Every key with its postings oldest first, ordered by key.
    pub(super) fn by_key(&self) -> Vec<(u64, Vec<Posting>)> {
        let mut keys: Vec<u64> = self.newest.keys().copied().collect();
        keys.sort_unstable();
        keys.into_iter()
            .map(|key| {
                let mut postings: Vec<Posting> = self.chain(key).collect();
                postings.reverse();
                (key, postings)
            })
            .collect()
    }

    pub(super) fn postings_len(&self) -> usize {
        self.links.len()
    }
}

impl SegmentIndex for Growing {
    fn events(&self) -> u64 {
        self.content.read().links.len() as u64
    }

    fn entry(&self, sequence: Sequence) -> io::Result<Option<EntryMark>> {
        let content = self.content.read();
        let behind = content.entries.partition_point(|entry| entry.sequence <= sequence);
        Ok(behind.checked_sub(1).and_then(|place| content.entries.get(place)).copied())
    }

    fn entries(&self, sequence: Sequence, limit: usize) -> io::Result<Vec<EntryMark>> {
        let content = self.content.read();
        let behind = content.entries.partition_point(|entry| entry.sequence <= sequence);
        let from = content.entries.get(behind.saturating_sub(1)..).unwrap_or_default();
        Ok(from.iter().take(limit).copied().collect())
    }

    fn sequence_at(&self, at: Timestamp) -> io::Result<Option<Sequence>> {
        let content = self.content.read();
        let behind = content.entries.partition_point(|entry| entry.at <= at);
        Ok(content.entries.get(behind).map(|entry| entry.sequence.minus(1)))
    }

    fn postings(&self, key: u64, wanted: Wanted) -> io::Result<Vec<Posting>> {
        let content = self.content.read();
        let mut found: Vec<Posting> = content
            .chain(key)
            .skip_while(|posting| posting.sequence > wanted.upto)
            .take_while(|posting| posting.sequence > wanted.after)
            .filter(|posting| wanted.kind.is_none_or(|kind| kind == posting.kind))
            .collect();
        found.reverse();
        found.truncate(wanted.limit);
        Ok(found)
    }

    fn last_posting(&self, key: u64, upto: Sequence) -> io::Result<Option<Posting>> {
        Ok(self.content.read().chain(key).find(|posting| posting.sequence <= upto))
    }
}
