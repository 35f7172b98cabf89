//! The alerts of the log behind a place, in order, each once: what is to be sent next.

use crate::app::feed::{Feed, FeedFilter};
use crate::app::low_stock::sender::alert_entries::NextAlerts;
use crate::app::ports::{AlertNews, HistoryError};
use crate::app::stock::ReadError;
use crate::app::{Ledger, blocking};
use crate::domain::{After, Event, EventKind, Fact, Sequence, Timestamp};
use std::collections::VecDeque;
use std::sync::Arc;
use uuid::Uuid;

/// Alerts read at once where the log is read from one end to the other.
const PIECE: usize = 1_000;

/// What is read and not settled.
pub(super) struct Unsent {
    ledger: Arc<Ledger>,
    node: Uuid,
    alerts: VecDeque<AlertNews>,
    /// Every alert up to here is settled or among those.
    read: Sequence,
}

impl Unsent {
    /// What stands behind `place` in the log of `node`.
    pub(super) fn new(ledger: Arc<Ledger>, node: Uuid, place: Sequence) -> Self {
        Self { ledger, node, alerts: VecDeque::new(), read: place }
    }

    /// The alert to be sent next; nothing while all that are durable are settled.
    ///
    /// Cancel safe: dropped half-way, nothing was passed over.
    ///
    /// # Errors
    /// [`ReadError::History`] when the log cannot be read back; nothing is passed over then.
    pub(super) async fn next(&mut self) -> Result<Option<AlertNews>, ReadError> {
        while self.alerts.is_empty() && self.read_on().await? {
            self.ledger.projections.low_stock.alert_entries.forget(self.read);
        }
        // Also of what was taken back since, and was passed over.
        self.ledger.projections.low_stock.alert_entries.forget(self.read);
        Ok(self.alerts.front().cloned())
    }

    /// The one that [`Unsent::next`] gave is told, or given up.
    pub(super) fn remove_first(&mut self) {
        self.alerts.pop_front();
    }

    /// Every alert up to here is settled.
    pub(super) fn place(&self) -> Sequence {
        self.alerts.front().map_or(self.read, |alert| alert.sequence.minus(1))
    }

    /// Alerts that are read.
    pub(super) fn len(&self) -> usize {
        self.alerts.len()
    }

    /// Waits until there may be something behind what was read.
    pub(super) async fn more(&self) {
        let alert_entries = &self.ledger.projections.low_stock.alert_entries;
        match alert_entries.first_after(self.read) {
            Some(last) => tokio::select! {
                () = self.ledger.log().durable().passed(last) => {}
                () = alert_entries.news() => {}
            },
            None => alert_entries.news().await,
        }
    }

    /// Reads a piece of what is durable; false when there is nothing more.
    async fn read_on(&mut self) -> Result<bool, ReadError> {
        let end = self.ledger.noted_end().await;
        if self.read >= end {
            return Ok(false);
        }
        match self.ledger.projections.low_stock.alert_entries.next_alerts(self.read, end) {
            NextAlerts::Everywhere => self.read_everything().await,
            NextAlerts::Entry(last) => self.read_entry(last).await.map(|()| true),
            NextAlerts::None => {
                // Whatever stands there, no alert does.
                self.read = end;
                Ok(false)
            }
        }
    }

    async fn read_everything(&mut self) -> Result<bool, ReadError> {
        let filter = FeedFilter { kind: Some(EventKind::Alert), ..FeedFilter::default() };
        let piece = Feed::new(Arc::clone(&self.ledger), self.read, filter).next(PIECE).await?;
        for found in piece.events {
            self.take(found.movement.sequence, found.movement.at, found.movement.event);
        }
        let further = piece.through > self.read;
        self.read = piece.through;
        Ok(further)
    }

    async fn read_entry(&mut self, last: Sequence) -> Result<(), ReadError> {
        let history = Arc::clone(&self.ledger.parts.history);
        let entry = blocking(move || history.entry(last)).await?;
        let missing = || HistoryError::Damaged(format!("there is no entry with sequence {last}"));
        // Where the one that was heard of was taken back, another one may stand, without an alert or with one.
        let entry = entry.ok_or_else(missing)?;
        let (first, through, at) = (entry.sequence, entry.last(), entry.at);
        for (sequence, event) in (first.0..).map(Sequence).zip(entry.events) {
            if sequence > self.read {
                self.take(sequence, at, event);
            }
        }
        self.read = through;
        Ok(())
    }

    fn take(&mut self, sequence: Sequence, at: Timestamp, event: Event) {
        let Event { event_id, fact: Fact::Alert(fact), after: After::Alert(after), .. } = event else {
            return;
        };
        let version = after.version;
        self.alerts.push_back(AlertNews { node: self.node, sequence, event_id, at, fact, version });
    }
}
