//! The movements of all levels in the order of their times, filtered by kind, store, SKU and time.
//!
//! Movements of one SKU are read through the index of its levels; otherwise the log is read forward from the filter's begin, without the
//! entries whose topics do not match. A filter that matches few events may need several short pages.

use crate::Ledger;
use crate::blocking;
use crate::ports::{EventQuery, History, HistoryError, Movement, MovementQuery};
use crate::stock::movements::{MovementPlace, MovementView, ReadError, view};
use onhand_domain::identity::StoreScope;
use onhand_domain::stock::{MovementKind, StockFact};
use onhand_domain::{Fact, Key, Sequence, Sku, StoreId, Timestamp, Topics};
use std::sync::Arc;

/// Most events read for one page, unless the page is longer; the page then holds the matches so far.
const READ_EVENTS_MAX: usize = 1_500;
/// Fewest events of the first read: a line of many events is decoded again for each read.
const READ_EVENTS_MIN: usize = 100;
/// Fewest events read of each level of a SKU.
const KEY_PIECE: usize = 16;

/// A filter of movements; a condition that is not set accepts every movement. Times are log time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MovementFilter {
    /// Only those in this store.
    pub store_id: Option<StoreId>,
    /// Only those of this SKU.
    pub sku: Option<Sku>,
    /// Only those of this kind.
    pub kind: Option<MovementKind>,
    /// Only those at or after this time.
    pub since: Option<Timestamp>,
    /// Only those before this time.
    pub until: Option<Timestamp>,
    /// Only those in these stores.
    pub scope: StoreScope,
}

/// A page of movements.
#[derive(Debug, Clone, PartialEq)]
pub struct MovementPiece {
    /// The movements that match, in the order of their times.
    pub views: Vec<MovementView>,
    /// The position of the reader: every event up to here was examined.
    pub place: MovementPlace,
    /// True when there are events after the position.
    pub more: bool,
}

/// The part of a page from one log.
struct Found {
    log: u16,
    movements: Vec<Movement>,
    /// Every event up to here was examined.
    through: Sequence,
    /// The time of that event; none when the log was read to the end of the range.
    unfinished_at: Option<Timestamp>,
    end: Sequence,
}

impl MovementFilter {
    fn topics(&self) -> Topics {
        let kind = self.kind.map_or(Topics::MOVEMENTS, Topics::movement);
        self.store_id.as_ref().map_or(kind, |store_id| kind.and(Topics::store(store_id)))
    }

    fn passes(&self, movement: &Movement) -> bool {
        let Fact::Level(fact) = &movement.event.fact else { return false };
        let (store_id, sku) = fact.place();
        self.store_id.as_ref().is_none_or(|wanted| wanted == store_id)
            && self.sku.as_ref().is_none_or(|wanted| wanted == sku)
            && self.kind.is_none_or(|wanted| wanted == MovementKind::of(fact))
            && self.scope.covers(store_id)
    }
}

impl Ledger {
    /// At most `limit` movements after `place`, over all levels and logs.
    ///
    /// # Errors
    /// [`ReadError::History`] when the log cannot be read back.
    pub async fn all_movements(
        &self,
        filter: &MovementFilter,
        place: &MovementPlace,
        limit: usize,
    ) -> Result<MovementPiece, ReadError> {
        let histories = self.histories().await?;
        let ends = move || {
            let with_end = |(log, history): (u16, Arc<dyn History>)| Ok((log, history.end()?, history));
            histories.into_iter().map(with_end).collect::<Result<Vec<_>, HistoryError>>()
        };
        let histories = blocking(ends).await?;
        // After the ends are read: every level in a log up to its end is known by now.
        let keys = filter.sku.as_ref().map(|sku| self.levels_of(filter.store_id.as_ref(), sku));
        let (filter, mut place) = (filter.clone(), place.clone());
        let read = move || {
            let mut found = Vec::new();
            for (log, end, history) in histories {
                let span = (place.of(log), end);
                found.push(found_in(log, &*history, &filter, keys.as_deref(), span, limit)?);
            }
            let views = merged(&mut found, limit);
            let more = found.iter().any(|found| found.through < found.end);
            for found in &found {
                place.reach(found.log, found.through);
            }
            Ok::<_, HistoryError>(MovementPiece { views, place, more })
        };
        Ok(blocking(read).await?)
    }

    /// The levels of a SKU, in one store or in all.
    fn levels_of(&self, store_id: Option<&StoreId>, sku: &Sku) -> Vec<Key> {
        if let Some(store_id) = store_id {
            return vec![Key::Level(store_id.clone(), sku.clone())];
        }
        self.stores_with_stock(None).map(|store| Key::Level(store, sku.clone())).collect()
    }
}

/// Reads one log for a page.
fn found_in(
    log: u16,
    history: &dyn History,
    filter: &MovementFilter,
    keys: Option<&[Key]>,
    (after, log_end): (Sequence, Sequence),
    limit: usize,
) -> Result<Found, HistoryError> {
    // Limited to the end of the log: later entries belong to the next page.
    let before =
        |time: Timestamp| history.sequence_at(time.plus_milliseconds(-1)).map(|found| found.min(log_end));
    let mut end = log_end;
    if let Some(until) = filter.until {
        end = end.min(before(until)?);
    }
    let after = filter.since.map(before).transpose()?.map_or(after, |begin| after.max(begin));
    if after >= end {
        return Ok(Found { log, movements: Vec::new(), through: after, unfinished_at: None, end: after });
    }
    let (movements, last) = match keys {
        Some(keys) => of_keys(history, keys, filter, after, end, limit)?,
        None => of_all(history, filter, after, end, limit)?,
    };
    let unfinished = last.filter(|(through, _)| *through < end);
    let through = unfinished.map_or(end, |(through, _)| through);
    Ok(Found { log, movements, through, unfinished_at: unfinished.map(|(_, at)| at), end })
}

/// The matches, and the last event examined; none when the whole range was examined.
type Examined = (Vec<Movement>, Option<(Sequence, Timestamp)>);

fn of_keys(
    history: &dyn History,
    keys: &[Key],
    filter: &MovementFilter,
    after: Sequence,
    end: Sequence,
    limit: usize,
) -> Result<Examined, HistoryError> {
    // A share of the page for each level limits the memory; the page may be short.
    let limit = limit.div_ceil(keys.len().max(1)).max(KEY_PIECE);
    let query = MovementQuery { after, limit, kind: None, since: None, until: None };
    let (mut movements, mut last_looked_at) = (Vec::new(), None);
    for key in keys {
        let of_key = history.movements(key, &query)?;
        if let Some(last) = of_key.last().filter(|_| of_key.len() >= limit) {
            let reached = (last.sequence, last.at);
            last_looked_at = Some(last_looked_at.map_or(reached, |other| reached.min(other)));
        }
        movements.extend(of_key);
    }
    movements.sort_unstable_by_key(|movement| movement.sequence);
    let through = last_looked_at.map_or(end, |(through, _)| through.min(end));
    movements.retain(|movement| movement.sequence <= through && filter.passes(movement));
    Ok((movements, last_looked_at))
}

fn of_all(
    history: &dyn History,
    filter: &MovementFilter,
    after: Sequence,
    end: Sequence,
    limit: usize,
) -> Result<Examined, HistoryError> {
    let wanted = filter.topics();
    let (mut found, mut through, mut left) = (Vec::new(), after, limit.max(READ_EVENTS_MAX));
    let mut room = limit.max(READ_EVENTS_MIN);
    loop {
        let piece = history.events(&EventQuery { after: through, upto: end, limit: room, wanted })?;
        let is_short = piece.movements.len() < room;
        left = left.saturating_sub(piece.movements.len());
        found.extend(piece.movements.into_iter().filter(|movement| filter.passes(movement)));
        through = piece.through;
        if through >= end || is_short || left == 0 || found.len() >= limit {
            return Ok((found, Some((through, piece.at))));
        }
        // Few events match, so the next read is larger.
        room = (4 * room).min(left);
    }
}

/// The first `limit` movements of all logs by time; each log's `through` is set back to its last movement on the page. The page ends at
/// the time up to which every log was examined, because a later page must not contain an earlier movement.
fn merged(found: &mut [Found], limit: usize) -> Vec<MovementView> {
    let horizon = found.iter().filter_map(|found| found.unfinished_at).min();
    let mut views: Vec<(Timestamp, u16, Movement)> = Vec::new();
    for found in found.iter_mut() {
        let movements = std::mem::take(&mut found.movements);
        views.extend(movements.into_iter().map(|movement| (movement.at, found.log, movement)));
    }
    views.sort_by_key(|(at, log, movement)| (*at, *log, movement.sequence));
    let beyond = |(at, ..): &(Timestamp, u16, Movement)| horizon.is_some_and(|horizon| *at > horizon);
    let shown = views.iter().take(limit).take_while(|view| !beyond(view)).count();
    for (_, log, movement) in views.drain(shown..) {
        if let Some(found) = found.iter_mut().find(|found| found.log == log) {
            found.through = found.through.min(movement.sequence.minus(1));
        }
    }
    views.into_iter().filter_map(|(_, log, movement)| view(log, movement)).collect()
}

/// The store, the SKU and the fact of a movement.
pub fn place_of(view: &MovementView) -> Option<(&StoreId, &Sku, &StockFact)> {
    match &view.movement.event.fact {
        Fact::Level(fact) => {
            let (store_id, sku) = fact.place();
            Some((store_id, sku, fact))
        }
        _ => None,
    }
}
