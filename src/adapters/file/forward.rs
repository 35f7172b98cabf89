//! The log read forward, whatever the key: for the feed.

use crate::adapters::file::decode::decode_between;
use crate::adapters::file::lines::Lines;
use crate::adapters::file::segments::Segments;
use crate::app::ports::{HistoryError, Movement};
use crate::domain::Sequence;

/// Bytes of lines after which no further line is read.
const READ_BYTES: usize = 4 << 20;

/// The events after `after` up to `upto`, which must be durable: at most `limit`, fewer when they are long, at least
/// one when there is one. One look into an index, then line after line.
pub(super) fn events(
    segments: &Segments,
    after: Sequence,
    upto: Sequence,
    limit: usize,
) -> Result<Vec<Movement>, HistoryError> {
    let missing = |next| HistoryError::Damaged(format!("no segment holds sequence {next}"));
    let mut events = Vec::new();
    let mut bytes = 0;
    let mut next = after.plus(1);
    while next <= upto && events.len() < limit && bytes < READ_BYTES {
        let mut between = segments.between(next, upto).into_iter();
        let segment = between.next().ok_or_else(|| missing(next))?;
        let last = between.next().map_or(upto, |following| following.first.minus(1));
        let mark = segments.index(&segment)?.entry(next)?.ok_or_else(|| missing(next))?;
        let mut lines = Lines::new(segments.open(&segment)?, u64::from(mark.line));
        while next <= last && events.len() < limit && bytes < READ_BYTES {
            let line = lines.next_line()?.ok_or_else(|| missing(next))?;
            bytes += line.len();
            let found = decode_between(line.trim_ascii_end(), next, last, limit - events.len())
                .map_err(HistoryError::Damaged)?;
            let reached = found.last().map(|movement| movement.sequence);
            if found.first().is_none_or(|movement| movement.sequence != next) {
                return Err(missing(next));
            }
            next = reached.map_or(next, |reached| reached.plus(1));
            events.extend(found);
        }
    }
    Ok(events)
}
