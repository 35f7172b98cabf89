//! The unsent alerts: the alerts of the log after the saved sequence, in order, each once.

use crate::feed::{Feed, FeedFilter};
use crate::low_stock::sender::alert_entries::NextAlerts;
use crate::ports::{AlertNews, HistoryError};
use crate::stock::ReadError;
use crate::{Ledger, blocking};
use onhand_domain::{After, Event, EventKind, Fact, Sequence, Timestamp};
use std::collections::VecDeque;
use std::sync::Arc;
use uuid::Uuid;

/// Alerts of one read while the log is scanned.
const PIECE: usize = 1_000;

/// The alerts that are read and not done.
pub(super) struct Unsent {
    ledger: Arc<Ledger>,
    node: Uuid,
    alerts: VecDeque<AlertNews>,
    /// Every alert up to here is done, or in `alerts`.
    read: Sequence,
}

impl Unsent {
    /// The alerts after `place` in the log of `node`.
    pub(super) fn new(ledger: Arc<Ledger>, node: Uuid, place: Sequence) -> Self {
        Self { ledger, node, alerts: VecDeque::new(), read: place }
    }

    /// The next alert to send; none while every durable alert is done.
    ///
    /// Cancel safe: a call that is dropped half-way skips nothing.
    ///
    /// # Errors
    /// [`ReadError::History`] when the log cannot be read back; no alert is skipped then.
    pub(super) async fn next(&mut self) -> Result<Option<AlertNews>, ReadError> {
        while self.alerts.is_empty() && self.read_on().await? {
            self.ledger.projections.low_stock.alert_entries.forget(self.read);
        }
        // Forgets reports of entries that were rolled back, too.
        self.ledger.projections.low_stock.alert_entries.forget(self.read);
        Ok(self.alerts.front().cloned())
    }

    /// Removes the alert that [`Unsent::next`] returned: it is delivered, or given up.
    pub(super) fn remove_first(&mut self) {
        self.alerts.pop_front();
    }

    /// Every alert up to here is done.
    pub(super) fn place(&self) -> Sequence {
        self.alerts.front().map_or(self.read, |alert| alert.sequence.minus(1))
    }

    /// The number of alerts that are read and not done.
    pub(super) fn len(&self) -> usize {
        self.alerts.len()
    }

    /// Waits until there may be an alert after the last read.
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

    /// Reads the next durable alerts; false when there are no more.
    async fn read_on(&mut self) -> Result<bool, ReadError> {
        let end = self.ledger.noted_end().await;
        if self.read >= end {
            return Ok(false);
        }
        match self.ledger.projections.low_stock.alert_entries.next_alerts(self.read, end) {
            NextAlerts::Everywhere => self.read_everything().await,
            NextAlerts::Entry(last) => self.read_entry(last).await.map(|()| true),
            NextAlerts::None => {
                // The entries up to `end` have no alert.
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
        // The reported entry may have been rolled back; another one stands there then, with or without an alert.
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
