//! The feed: every durable event of this node's log, in order, without gaps or repeats.
//!
//! A reader's position is a sequence and nothing else, so any reader can continue at any point, after any restart, and the node keeps
//! nothing per reader. With a filter by store and SKU the feed is read through the index of that key, otherwise forward, without
//! the entries whose topics do not match.

use crate::Ledger;
use crate::blocking;
use crate::ports::{EventQuery, History, HistoryError, Movement, MovementQuery};
use crate::stock::ReadError;
use onhand_domain::identity::StoreScope;
use onhand_domain::{After, EventKind, Fact, Key, Sequence, Sku, StoreId, Timestamp, Topics};
use std::sync::Arc;

/// Most events of one call that matches few; it then returns the matches and its position.
const READ_EVENTS_MAX: usize = 50_000;
/// Events read in one piece while most of them are filtered out.
const PIECE: usize = 1_000;

/// A filter of events; a condition that is not set accepts every event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeedFilter {
    /// Only those of this kind.
    pub kind: Option<EventKind>,
    /// Only events about a SKU in this store.
    pub store_id: Option<StoreId>,
    /// Only events about this SKU in a store.
    pub sku: Option<Sku>,
    /// Only those at or after this time.
    pub since: Option<Timestamp>,
    /// Without those of principals, tokens and the mode.
    pub without_identity: bool,
    /// Without those of orders and shipments.
    pub without_orders: bool,
    /// Only those in these stores; events that are in none are left out, too, unless it is everywhere.
    pub scope: StoreScope,
}

/// An event with the state it moved, before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedEvent {
    /// The event with the data of its entry.
    pub movement: Movement,
    /// The state before it.
    pub before: After,
}

/// A page of the feed.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedPiece {
    /// The events that pass the filter.
    pub events: Vec<FeedEvent>,
    /// The position of the reader: every event up to here was examined.
    pub through: Sequence,
    /// The durable end of the log.
    pub end: Sequence,
}

/// A reader of the feed.
pub struct Feed {
    ledger: Arc<Ledger>,
    filter: FeedFilter,
    through: Sequence,
    /// The sequence of the filter's `since` is not found yet.
    to_skip: bool,
}

impl Feed {
    /// The feed after a sequence.
    pub fn new(ledger: Arc<Ledger>, after: Sequence, filter: FeedFilter) -> Self {
        Self { ledger, to_skip: filter.since.is_some(), filter, through: after }
    }

    /// The durable end of the log.
    pub fn end(&self) -> Sequence {
        self.ledger.log().durable().sequence()
    }

    /// Up to `limit` durable events; fewer when they are long or far apart. Does not wait for more.
    ///
    /// Cancel safe: a call that is dropped half-way skips nothing.
    ///
    /// # Errors
    /// [`ReadError::History`] when the log cannot be read back.
    pub async fn next(&mut self, limit: usize) -> Result<FeedPiece, ReadError> {
        let end = self.end();
        let after = self.through;
        if after >= end || limit == 0 {
            return Ok(FeedPiece { events: Vec::new(), through: after, end });
        }
        let history = Arc::clone(&self.ledger.parts.history);
        let (filter, to_skip) = (self.filter.clone(), self.to_skip);
        let read = blocking(move || {
            let since = filter.since.filter(|_| to_skip);
            let begin = since.map(|since| history.sequence_at(since.plus_milliseconds(-1))).transpose()?;
            let after = begin.map_or(after, |begin| after.max(begin).min(end));
            match (&filter.store_id, &filter.sku) {
                (Some(store_id), Some(sku)) => {
                    let keys =
                        [Key::Level, Key::Threshold, Key::Alert].map(|of| of(store_id.clone(), sku.clone()));
                    of_keys(&*history, &keys, &filter, after, end, limit)
                }
                _ => of_all(&*history, &filter, after, end, limit),
            }
        });
        let (movements, through): (Vec<Movement>, Sequence) = read.await?;
        let events = movements.into_iter().map(with_before).collect::<Result<_, _>>()?;
        self.through = through;
        self.to_skip = false;
        Ok(FeedPiece { events, through, end })
    }

    /// Leaves out the events up to here: their reader knows otherwise what they have changed.
    pub fn pass(&mut self, through: Sequence) {
        self.through = self.through.max(through);
    }

    /// The position: every event up to here was examined.
    pub fn through(&self) -> Sequence {
        self.through
    }

    /// Waits until an event after the position is durable.
    pub async fn more(&self) {
        self.ledger.log().durable().passed(self.through.plus(1)).await;
    }
}

fn of_keys(
    history: &dyn History,
    keys: &[Key],
    filter: &FeedFilter,
    after: Sequence,
    end: Sequence,
    limit: usize,
) -> Result<(Vec<Movement>, Sequence), HistoryError> {
    // `after` is behind the sequence of `since` already.
    let query = MovementQuery { after, limit, kind: filter.kind, since: None, until: None };
    let (mut movements, mut through) = (Vec::new(), end);
    for key in keys {
        let of_key = history.movements(key, &query)?;
        if let Some(last) = of_key.last().filter(|_| of_key.len() >= limit) {
            through = through.min(last.sequence);
        }
        movements.extend(of_key);
    }
    movements.sort_unstable_by_key(|movement| movement.sequence);
    if let Some(last) = movements.get(limit.saturating_sub(1)).filter(|_| limit > 0) {
        through = through.min(last.sequence);
    }
    // The index may contain events that became durable after `end` was read; the next call returns them.
    movements.retain(|movement| movement.sequence <= through && filter.passes(movement));
    Ok((movements, through))
}

fn of_all(
    history: &dyn History,
    filter: &FeedFilter,
    after: Sequence,
    end: Sequence,
    limit: usize,
) -> Result<(Vec<Movement>, Sequence), HistoryError> {
    let (everything, wanted) = (*filter == FeedFilter::default(), filter.topics());
    let (mut found, mut through, mut left) = (Vec::new(), after, READ_EVENTS_MAX);
    loop {
        let room = limit - found.len();
        let asked = if everything { room } else { PIECE };
        let piece = history.events(&EventQuery { after: through, upto: end, limit: asked, wanted })?;
        let is_short = piece.movements.len() < asked;
        left = left.saturating_sub(piece.movements.len());
        let passing = piece.movements.into_iter().filter(|movement| filter.passes(movement));
        found.extend(passing.take(room));
        if found.len() == limit {
            // Matches behind the last returned one are found again by the next call.
            through = found.last().map_or(piece.through, |movement: &Movement| movement.sequence);
            return Ok((found, through));
        }
        through = piece.through;
        if through >= end || is_short || left == 0 {
            return Ok((found, through));
        }
    }
}

impl FeedFilter {
    fn topics(&self) -> Topics {
        let kind = self.kind.map_or(Topics::NONE, Topics::kind);
        self.store_id.as_ref().map_or(kind, |store_id| kind.and(Topics::store(store_id)))
    }

    fn passes(&self, movement: &Movement) -> bool {
        let (store_id, sku) = movement.event.fact.place().unzip();
        self.kind.is_none_or(|kind| kind == movement.event.kind)
            && self.store_id.as_ref().is_none_or(|wanted| store_id == Some(wanted))
            && self.sku.as_ref().is_none_or(|wanted| sku == Some(wanted))
            && self.since.is_none_or(|since| movement.at >= since)
            && !(self.without_identity && is_of_identity(&movement.event.fact))
            && !(self.without_orders && is_of_orders(&movement.event.fact))
            && (self.scope.is_everywhere() || store_id.is_some_and(|store| self.scope.covers(store)))
    }
}

/// By the key: the state that another process has taken over is in the event, too.
fn is_of_orders(fact: &Fact) -> bool {
    match fact {
        Fact::Order(_) | Fact::Shipment(_) => true,
        Fact::Take(taken) => matches!(taken.key(), Key::Order(_) | Key::Shipment(_)),
        _ => false,
    }
}

fn is_of_identity(fact: &Fact) -> bool {
    match fact {
        Fact::Principal(_) | Fact::Token(_) | Fact::Mode(_) => true,
        Fact::Take(taken) => matches!(taken.key(), Key::Principal(_) | Key::Token(_) | Key::Mode),
        _ => false,
    }
}

fn with_before(movement: Movement) -> Result<FeedEvent, HistoryError> {
    let before = movement.event.fact.before(movement.event.after).ok_or_else(|| {
        HistoryError::Damaged(format!("event {}: payload and after do not fit", movement.sequence))
    })?;
    Ok(FeedEvent { movement, before })
}
