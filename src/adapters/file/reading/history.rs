//! Reading back the log through its indexes: one entry, the movements of a key, a state as of a moment.

use crate::format::index::{Posting, Wanted, event_checksum, key_hash, movement_checksum};
use crate::format::line::decode_front;
use crate::reading::forward;
use crate::reading::segments::{Segment, Segments};
use onhand_app::ports::{EventPiece, EventQuery, History, HistoryError, Moment, Movement, MovementQuery};
use onhand_disk::{DiskFile, read_exact_at};
use onhand_domain::{Entry, Event, Key, Sequence, Timestamp};
use std::sync::Arc;

/// Bytes that contain the front of a line: its fixed parts, a request id and an actor at their longest.
const FRONT: usize = 2048;
const EVERYTHING: Sequence = Sequence(u64::MAX);

/// [`History`] over the segments of one log. An index contains only durable events, so no others are ever shown.
pub(crate) struct FileHistory {
    pub(crate) segments: Arc<Segments>,
}

fn read_movement(
    file: &dyn DiskFile,
    segment: &Segment,
    posting: &Posting,
    key: &Key,
) -> Result<Option<Movement>, HistoryError> {
    let damaged = |what: &str| {
        HistoryError::Damaged(format!("event {} in segment {}: {what}", posting.sequence, segment.first))
    };
    let json = read_exact_at(file, u64::from(posting.event), posting.length as usize)?;
    let start = u64::from(posting.line);
    let until_event = posting.event.saturating_sub(posting.line) as usize;
    let bytes = read_exact_at(file, start, until_event.min(FRONT))?;
    let front = decode_front(&bytes).ok_or_else(|| damaged("its line is unreadable"))?;
    let checksum = event_checksum(front.actor.as_ref(), front.request_id.as_ref(), &json);
    if movement_checksum(checksum, front.ts) != posting.checksum {
        return Err(damaged("it is not what was written; `onhand verify` shows where"));
    }
    let json = str::from_utf8(&json).map_err(|error| damaged(&error.to_string()))?;
    let event = Event::decode(json).map_err(|reason| damaged(&reason))?;
    if event.fact.key() != *key {
        // Another key of the same hash.
        return Ok(None);
    }
    Ok(Some(Movement {
        sequence: posting.sequence,
        at: front.ts,
        actor: front.actor,
        request_id: front.request_id,
        event,
    }))
}

impl History for FileHistory {
    fn entry(&self, sequence: Sequence) -> Result<Option<Entry>, HistoryError> {
        let Some(segment) = self.segments.between(sequence, sequence).pop() else { return Ok(None) };
        let Some(mark) = self.segments.index(&segment)?.entry(sequence)? else { return Ok(None) };
        let entry = self.segments.entries(mark.sequence.minus(1), mark.sequence).next();
        Ok(entry.transpose()?.filter(|entry| entry.last() >= sequence))
    }

    fn events(&self, query: &EventQuery) -> Result<EventPiece, HistoryError> {
        forward::events(&self.segments, query)
    }

    fn end(&self) -> Result<Sequence, HistoryError> {
        let Some(last) = self.segments.between(Sequence::START, EVERYTHING).pop() else {
            return Ok(Sequence::START);
        };
        Ok(last.first.plus(self.segments.index(&last)?.events()).minus(1))
    }

    fn sequence_at(&self, at: Timestamp) -> Result<Sequence, HistoryError> {
        for segment in self.segments.between(Sequence::START, EVERYTHING) {
            if let Some(sequence) = self.segments.index(&segment)?.sequence_at(at)? {
                return Ok(sequence);
            }
        }
        Ok(EVERYTHING)
    }

    fn movements(&self, key: &Key, query: &MovementQuery) -> Result<Vec<Movement>, HistoryError> {
        let mut wanted = Wanted {
            after: query.after,
            upto: EVERYTHING,
            kind: query.kind.map(onhand_domain::EventKind::code),
            limit: query.limit,
        };
        if let Some(since) = query.since {
            let before = self.sequence_at(since.plus_milliseconds(-1))?;
            wanted.after = wanted.after.max(before);
        }
        if let Some(until) = query.until {
            wanted.upto = self.sequence_at(until.plus_milliseconds(-1))?;
        }
        let mut movements = Vec::new();
        if wanted.after >= wanted.upto {
            return Ok(movements);
        }
        let hash = key_hash(key);
        for segment in self.segments.between(wanted.after.plus(1), wanted.upto) {
            let index = self.segments.index(&segment)?;
            let mut wanted = wanted;
            while movements.len() < query.limit {
                wanted.limit = query.limit - movements.len();
                let postings = index.postings(hash, wanted)?;
                let Some(last) = postings.last() else { break };
                wanted.after = last.sequence;
                let file = self.segments.open(&segment)?;
                for posting in &postings {
                    movements.extend(read_movement(&*file, &segment, posting, key)?);
                }
            }
        }
        Ok(movements)
    }

    fn last_before(&self, key: &Key, moment: Moment) -> Result<Option<Movement>, HistoryError> {
        let mut upto = match moment {
            Moment::Sequence(sequence) => sequence,
            Moment::Time(at) => self.sequence_at(at)?,
        };
        let hash = key_hash(key);
        for segment in self.segments.between(Sequence::START, upto).iter().rev() {
            let index = self.segments.index(segment)?;
            while let Some(posting) = index.last_posting(hash, upto)? {
                let file = self.segments.open(segment)?;
                if let Some(movement) = read_movement(&*file, segment, &posting, key)? {
                    return Ok(Some(movement));
                }
                upto = posting.sequence.minus(1);
            }
        }
        Ok(None)
    }
}
