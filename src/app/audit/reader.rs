//! Reads the rows behind a place: those of every log and every chain, merged by time.
//!
//! Each log and each chain is in the order of its times, and is read up to the size of a page. A page ends at the time up to which all
//! of them were examined. A row that becomes visible later with an earlier time, such as an entry that was still being counted, is on a
//! later page: a reader that goes on from a place gets every row once.

use crate::Ledger;
use crate::audit::place::AuditPlace;
use crate::audit::row::{AuditCategory, AuditRow, actor_of};
use crate::blocking;
use crate::ports::{AuditEntry, AuditTrail, EventQuery, History, HistoryError, TrailQuery};
use crate::stock::ReadError;
use onhand_domain::{Sequence, Timestamp, Topics};
use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Most events of a log that one page examines.
const EXAMINED_MAX: usize = 20_000;
/// Events of a log that are read at once, at least.
const PIECE: usize = 500;
/// How often other processes are asked for news: nothing tells this one of them.
const OTHERS_EVERY: Duration = Duration::from_secs(1);

/// A filter of rows; a condition that is not set accepts every row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only those of this category.
    pub category: Option<AuditCategory>,
    /// Only those of this principal, or of `local`.
    pub actor: Option<String>,
    /// Only those at or after this time.
    pub since: Option<Timestamp>,
    /// Only those before this time.
    pub until: Option<Timestamp>,
}

/// A page of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditPiece {
    /// The rows that pass, by time.
    pub rows: Vec<AuditRow>,
    /// The place of a reader that has read them.
    pub place: AuditPlace,
    /// True when more follow already.
    pub more: bool,
}

/// A reader of the audit table.
pub struct AuditReader {
    ledger: Arc<Ledger>,
    trail: Option<Arc<dyn AuditTrail>>,
    filter: AuditFilter,
    place: AuditPlace,
    /// The durable end of the log when it was read last.
    log_end: Sequence,
    news: Option<watch::Receiver<u64>>,
    /// The trail may have more than was read of it.
    trail_has_more: bool,
}

/// The part of a page from one log or one chain.
struct Found {
    source: Source,
    rows: Vec<(u64, AuditRow)>,
    /// Everything up to here was examined.
    through: u64,
    /// The time of that, when more follows.
    unfinished_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy)]
enum Source {
    Log(u16),
    Chain(u16),
}

impl AuditReader {
    /// A reader behind a place.
    pub fn new(
        ledger: Arc<Ledger>,
        trail: Option<Arc<dyn AuditTrail>>,
        filter: AuditFilter,
        after: AuditPlace,
    ) -> Self {
        let of_trail = filter.category.is_none_or(AuditCategory::is_of_trail);
        let trail = trail.filter(|_| of_trail);
        let news = trail.as_ref().map(|trail| trail.written());
        Self { ledger, trail, filter, place: after, log_end: Sequence::START, news, trail_has_more: true }
    }

    /// At most `limit` rows; `fresh` when what this process has noted until now must be among them. Does not wait for more.
    ///
    /// # Errors
    /// [`ReadError::History`] when a log or the trail cannot be read.
    pub async fn next(&mut self, limit: usize, fresh: bool) -> Result<AuditPiece, ReadError> {
        self.log_end = self.ledger.log().durable().sequence();
        let histories = if self.reads_logs() { self.ledger.histories().await? } else { Vec::new() };
        let has_news = self.news.as_mut().is_some_and(|news| news.has_changed().unwrap_or_default());
        if let Some(news) = self.news.as_mut().filter(|_| has_news) {
            news.mark_unchanged();
        }
        let trail = self.trail.clone().filter(|_| fresh || has_news || self.trail_has_more);
        let (filter, place) = (self.filter.clone(), self.place.clone());
        let read = blocking(move || {
            let mut found = Vec::new();
            // Of one moment the entry comes first: a credential is seen before it changes something.
            if let Some(trail) = trail {
                found.extend(filter.of_trail(&*trail, &place, limit, fresh)?);
            }
            for (log, history) in histories {
                let after = place.logs.get(&log).copied().unwrap_or(0);
                found.push(filter.of_log(log, &*history, Sequence(after), limit)?);
            }
            Ok::<_, HistoryError>(merged(found, place, limit))
        });
        let piece = read.await?;
        self.place = piece.place.clone();
        self.trail_has_more = piece.more;
        Ok(piece)
    }

    /// Waits until there may be more.
    pub async fn more(&mut self) {
        let (reads_logs, is_shared) = (self.reads_logs(), self.ledger.is_shared());
        let log = async {
            if reads_logs {
                self.ledger.log().durable().passed(self.log_end.plus(1)).await;
            } else {
                pending::<()>().await;
            }
        };
        let news = &mut self.news;
        let entries = async {
            let told = match news {
                Some(news) => news.changed().await.is_ok(),
                None => false,
            };
            // The sender ends with the trail.
            if !told {
                pending::<()>().await;
            }
        };
        let others =
            async { if is_shared { tokio::time::sleep(OTHERS_EVERY).await } else { pending::<()>().await } };
        self.trail_has_more |= tokio::select! {
            () = log => false,
            () = entries => true,
            () = others => true,
        };
    }

    fn reads_logs(&self) -> bool {
        !self.filter.category.is_some_and(AuditCategory::is_of_trail)
    }
}

impl AuditFilter {
    fn of_log(
        &self,
        log: u16,
        history: &dyn History,
        after: Sequence,
        limit: usize,
    ) -> Result<Found, HistoryError> {
        let log_end = history.end()?;
        let before =
            |time: Timestamp| history.sequence_at(time.plus_milliseconds(-1)).map(|found| found.min(log_end));
        let end = self.until.map(before).transpose()?.unwrap_or(log_end);
        let mut through = self.since.map(before).transpose()?.map_or(after, |begin| after.max(begin));
        let wanted = self.category.map_or(Topics::NONE, AuditCategory::topics);
        let mut found =
            Found { source: Source::Log(log), rows: Vec::new(), through: through.0, unfinished_at: None };
        let mut left = EXAMINED_MAX;
        while through < end {
            let asked = limit.max(PIECE);
            let piece = history.events(&EventQuery { after: through, upto: end, limit: asked, wanted })?;
            for movement in &piece.movements {
                let category = AuditCategory::of_event(movement);
                let passes = self.category.is_none_or(|wanted| wanted == category)
                    && self.actor.as_deref().is_none_or(|actor| actor == actor_of(movement));
                if passes && found.rows.len() == limit {
                    return Ok(found);
                }
                if passes {
                    found.rows.push((movement.sequence.0, AuditRow::of_event(movement)));
                }
                (found.through, found.unfinished_at) = (movement.sequence.0, Some(movement.at));
            }
            left = left.saturating_sub(piece.movements.len().max(1));
            through = piece.through;
            (found.through, found.unfinished_at) = (through.0, Some(piece.at));
            if left == 0 && through < end {
                return Ok(found);
            }
        }
        found.unfinished_at = None;
        Ok(found)
    }

    fn of_trail(
        &self,
        trail: &dyn AuditTrail,
        place: &AuditPlace,
        limit: usize,
        fresh: bool,
    ) -> io::Result<Vec<Found>> {
        let passes = |entry: &AuditEntry| {
            self.category.is_none_or(|wanted| wanted == AuditCategory::of_entry(entry.kind))
                && self.actor.as_deref().is_none_or(|actor| entry.actor.as_deref() == Some(actor))
                && self.until.is_none_or(|until| entry.time < until)
        };
        let query = TrailQuery { after: &place.chains, limit, since: self.since, fresh, passes: &passes };
        let found = trail.read(&query)?.into_iter().map(|piece| Found {
            source: Source::Chain(piece.chain),
            rows: piece.entries.into_iter().map(|(n, entry)| (n, AuditRow::of_entry(entry))).collect(),
            through: piece.through,
            unfinished_at: piece.unfinished_at,
        });
        Ok(found.collect())
    }
}

impl AuditPlace {
    fn reach(&mut self, source: Source, reached: u64) {
        match source {
            Source::Log(log) => self.logs.insert(log, reached),
            Source::Chain(chain) => self.chains.insert(chain, reached),
        };
    }
}

/// The first `limit` rows by time, up to the time at which everything was examined. Each row gets the place behind it, in which other
/// sources stand where the page has left them.
fn merged(found: Vec<Found>, mut place: AuditPlace, limit: usize) -> AuditPiece {
    // Of one moment, rows of the first source come first, whatever the size of a page.
    let unfinished = found.iter().enumerate().filter_map(|(at, found)| Some((found.unfinished_at?, at)));
    let horizon = unfinished.min();
    let mut more = horizon.is_some();
    let mut ends = Vec::new();
    let mut rows: Vec<(usize, u64, AuditRow)> = Vec::new();
    for (at, found) in found.into_iter().enumerate() {
        ends.push((found.source, found.through));
        rows.extend(found.rows.into_iter().map(|(n, row)| (at, n, row)));
    }
    rows.sort_by_key(|(at, n, row)| (row.time, *at, *n));
    let beyond = |at: usize, row: &AuditRow| horizon.is_some_and(|horizon| (row.time, at) > horizon);
    let shown = rows.iter().take(limit).take_while(|(at, _, row)| !beyond(*at, row)).count();
    for (at, n, _) in rows.drain(shown..) {
        more = true;
        if let Some((_, through)) = ends.get_mut(at) {
            *through = (*through).min(n - 1);
        }
    }
    let rows = rows.into_iter().map(|(at, n, mut row)| {
        if let Some((source, _)) = ends.get(at) {
            place.reach(*source, n);
        }
        row.place = place.clone();
        row
    });
    let rows: Vec<AuditRow> = rows.collect();
    for (source, through) in ends {
        place.reach(source, through);
    }
    AuditPiece { rows, place, more }
}
