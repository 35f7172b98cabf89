//! Forward reads of the log over all keys: for the feed, and for movements of all levels.
//!
//! The index holds the topics of each entry, so lines without a requested event are not read.

use crate::format::decode::decode_between;
use crate::format::index::EntryMark;
use crate::reading::segments::{Segment, Segments};
use onhand_app::ports::{EventPiece, EventQuery, HistoryError};
use onhand_disk::lines::Lines;
use onhand_domain::{Sequence, Timestamp};

/// Bytes of lines after which no further line is read.
const READ_BYTES: usize = 4 << 20;
/// Maximum number of index entries that one piece checks.
const MARKS_CHECKED_MAX: usize = 100_000;
/// Number of index entries that are read at once.
const MARKS: usize = 1_024;

/// A piece of the events under construction: the matches, and the remaining budget.
struct Search<'a> {
    query: &'a EventQuery,
    piece: EventPiece,
    bytes_left: usize,
    entries_left: usize,
}

/// The requested events; the piece ends when it is full or its budget is used up.
pub(crate) fn events(segments: &Segments, query: &EventQuery) -> Result<EventPiece, HistoryError> {
    let piece = EventPiece { movements: Vec::new(), through: query.after, at: Timestamp::EPOCH };
    let mut search = Search { query, piece, bytes_left: READ_BYTES, entries_left: MARKS_CHECKED_MAX };
    while search.piece.through < query.upto && search.goes_on() {
        let next = search.piece.through.plus(1);
        let mut between = segments.between(next, query.upto).into_iter();
        let segment = between.next().ok_or_else(|| missing(next))?;
        let last = between.next().map_or(query.upto, |following| following.first.minus(1));
        search.in_segment(segments, &segment, last)?;
    }
    Ok(search.piece)
}

impl Search<'_> {
    fn goes_on(&self) -> bool {
        self.piece.movements.len() < self.query.limit && self.bytes_left > 0 && self.entries_left > 0
    }

    fn in_segment(
        &mut self,
        segments: &Segments,
        segment: &Segment,
        last: Sequence,
    ) -> Result<(), HistoryError> {
        let index = segments.index(segment)?;
        let mut lines = Lines::few(segments.open(segment)?);
        while self.piece.through < last && self.goes_on() {
            let next = self.piece.through.plus(1);
            let marks = index.entries(next, MARKS)?;
            if marks.first().is_none_or(|first| first.sequence > next) {
                return Err(missing(next));
            }
            for (place, mark) in marks.iter().enumerate() {
                let end = match marks.get(place + 1) {
                    Some(following) => following.sequence.minus(1).min(last),
                    // Its end is unknown; the next read begins with it.
                    None if marks.len() == MARKS => break,
                    // The index has nothing behind it: it covers everything up to `last`.
                    None => last,
                };
                if mark.sequence > last || !self.goes_on() {
                    break;
                }
                self.entry(&mut lines, mark, end)?;
            }
        }
        Ok(())
    }

    /// Checks one entry, whose last visible event is `end`.
    fn entry(&mut self, lines: &mut Lines, mark: &EntryMark, end: Sequence) -> Result<(), HistoryError> {
        self.entries_left -= 1;
        self.piece.at = mark.at;
        if !mark.topics.may_have(self.query.wanted) {
            self.piece.through = end;
            return Ok(());
        }
        let next = self.piece.through.plus(1);
        lines.seek(u64::from(mark.line));
        let line = lines.next_line()?.ok_or_else(|| missing(next))?;
        self.bytes_left = self.bytes_left.saturating_sub(line.len());
        let room = self.query.limit - self.piece.movements.len();
        let found = decode_between(line.trim_ascii_end(), next, end, room).map_err(HistoryError::Damaged)?;
        if found.first().is_none_or(|movement| movement.sequence != next) {
            return Err(missing(next));
        }
        self.piece.through = found.last().map_or(end, |movement| movement.sequence);
        self.piece.movements.extend(found);
        Ok(())
    }
}

fn missing(next: Sequence) -> HistoryError {
    HistoryError::Damaged(format!("no segment holds sequence {next}"))
}
