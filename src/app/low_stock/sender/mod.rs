//! The delivery of low-stock alerts to a webhook: every alert of this node's log, in order, at least once.
//!
//! The log is the queue. The only other state is one sequence, up to which every alert was delivered or given up; a start reads the log
//! from there. While the node runs, the write path reports the entries with alerts (`alert_entries`), so the log is not scanned, and
//! `unsent` reads them. One alert is sent at a time, so the alerts of a level arrive in the order in which they happened.
//!
//! - **The first start** with a webhook begins at the end of the log: earlier alerts are not sent.
//! - **Retries** have full jitter, up to a minute apart, behind the breaker `webhook`, until the alert is a day old (by the time of
//!   the log) and this process has tried five times; then it is given up, with a warning. Every answer but 2xx counts as a failure,
//!   400s too: a wrong path or secret is corrected within the day. 410 gives the alert up at once.
//! - **Several processes**: each sends the alerts of its own log. The alerts of a killed process wait for its next start. `version`
//!   orders the alerts of a level that several processes moved.
//! - **A crash** between an attempt and the save of its sequence sends some alerts again, under the same `webhook-id`.

mod alert_entries;
mod unsent;

use crate::Ledger;
use crate::blocking;
use crate::ports::{AlertNews, AlertPlace, AlertReceiver, DeliveryError};
pub(crate) use alert_entries::AlertEntries;
use onhand_domain::Sequence;
use onhand_domain::limits::ALERT_SENDING_SECONDS_MAX;
use onhand_resilience::{Backoff, Breaker, BreakerSettings};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use unsent::Unsent;
use uuid::Uuid;

/// Longest wait before the next attempt, also when the receiver requests a longer one.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// Fewest attempts before an alert is given up, however old it is: the receiver may start together with this node.
const TRIES_MIN: u32 = 5;
/// Pause between two saves of the sequence while alerts are sent.
const KEEP_EVERY: Duration = Duration::from_secs(1);
/// Without alerts the sequence is saved after this many events, so that the next start reads no more than these.
const KEEP_EVENTS: u64 = 50_000;
/// Pause between two checks of the end of the log without alerts.
const CHECK_EVERY: Duration = Duration::from_secs(10);
/// Pause before a log that could not be read is read again.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// Retries of the delivery.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlertSettings {
    /// The longest wait before the second attempt; it doubles from attempt to attempt.
    pub retry_base: Duration,
    /// The circuit breaker of the receiver.
    pub breaker: BreakerSettings,
}

/// Counts since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AlertCounts {
    /// Alerts that the receiver has accepted.
    pub delivered: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Alerts that were given up.
    pub given_up: u64,
}

/// The sender of the alerts of one node.
pub struct AlertSender {
    ledger: Arc<Ledger>,
    node: Uuid,
    receiver: Arc<dyn AlertReceiver>,
    place: Arc<dyn AlertPlace>,
    settings: AlertSettings,
    breaker: Breaker,
    /// The saved sequence at the start.
    begin: Sequence,
    delivered: AtomicU64,
    failed: AtomicU64,
    given_up: AtomicU64,
    in_hand: AtomicUsize,
}

/// The result of sending one alert.
enum SendOutcome {
    /// It is delivered, or given up.
    Settled,
    /// The process stops; the alert is sent after the next start.
    Stopped,
}

/// The saved sequence.
struct SavedPlace {
    place: Sequence,
    at: Instant,
    /// The last save failed.
    failing: bool,
}

impl AlertSender {
    /// A sender for the log of `node`; it continues where the last one stopped, and the first one begins at the end of the log.
    ///
    /// Opened before the first command, because the write path reports alerts only from here on. Blocks on the disk.
    ///
    /// # Errors
    /// When the sequence cannot be read, or cannot be saved for the first time.
    pub fn open(
        ledger: Arc<Ledger>,
        node: Uuid,
        receiver: Arc<dyn AlertReceiver>,
        place: Arc<dyn AlertPlace>,
        settings: AlertSettings,
    ) -> io::Result<Self> {
        let end = ledger.log().durable().sequence();
        ledger.projections.low_stock.alert_entries.listen(end);
        let kept = match place.load() {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                tracing::error!(%error, end = end.0, "up to where alerts were sent is lost: it goes on at the end of the log");
                None
            }
            kept => kept?,
        };
        let begin = kept.filter(|kept| *kept <= end).unwrap_or(end);
        if let Some(beyond) = kept.filter(|kept| *kept > end) {
            let (beyond, end) = (beyond.0, end.0);
            tracing::warn!(
                beyond,
                end,
                "alerts were sent that the log does not have any more: it goes on at its end"
            );
        }
        if kept != Some(begin) {
            place.save(begin)?;
        }
        Ok(Self {
            ledger,
            node,
            receiver,
            place,
            settings,
            breaker: Breaker::new("webhook", settings.breaker),
            begin,
            delivered: AtomicU64::default(),
            failed: AtomicU64::default(),
            given_up: AtomicU64::default(),
            in_hand: AtomicUsize::default(),
        })
    }

    /// Sends alerts until `stop`; an attempt that is under way then has `patience` to end, and no other one begins.
    pub async fn run(&self, stop: &CancellationToken, patience: Duration) {
        let mut unsent = Unsent::new(Arc::clone(&self.ledger), self.node, self.begin);
        let mut kept = SavedPlace { place: self.begin, at: Instant::now(), failing: false };
        // True while an alert is done whose sequence is not saved.
        let mut settled = false;
        while let Some(next) = stop.run_until_cancelled(unsent.next()).await {
            self.in_hand.store(unsent.len(), Ordering::Relaxed);
            match next {
                Ok(Some(alert)) => match self.send(&alert, stop, patience).await {
                    SendOutcome::Settled => {
                        unsent.remove_first();
                        self.in_hand.store(unsent.len(), Ordering::Relaxed);
                        settled = true;
                        if kept.at.elapsed() >= KEEP_EVERY {
                            self.keep(&mut kept, unsent.place()).await;
                            settled = kept.failing;
                        }
                    }
                    SendOutcome::Stopped => break,
                },
                Ok(None) => {
                    if settled || unsent.place().0 - kept.place.0 >= KEEP_EVENTS {
                        self.keep(&mut kept, unsent.place()).await;
                        settled = kept.failing;
                    }
                    let _ = timeout(CHECK_EVERY, stop.run_until_cancelled(unsent.more())).await;
                }
                Err(error) => {
                    tracing::warn!(%error, "the log cannot be read for alerts; it is tried again");
                    stop.run_until_cancelled(sleep(READ_AGAIN)).await;
                }
            }
        }
        if unsent.place() > kept.place {
            self.keep(&mut kept, unsent.place()).await;
        }
    }

    /// The circuit breaker of the receiver.
    pub fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// Counts since the start.
    pub fn counts(&self) -> AlertCounts {
        let [delivered, failed, given_up] =
            [&self.delivered, &self.failed, &self.given_up].map(|count| count.load(Ordering::Relaxed));
        AlertCounts { delivered, failed, given_up }
    }

    /// The number of waiting alerts. Alerts that the last run left are counted once they are read.
    pub fn pending(&self) -> usize {
        self.in_hand.load(Ordering::Relaxed) + self.ledger.projections.low_stock.alert_entries.waiting()
    }

    /// Sends one alert until it is delivered or given up.
    async fn send(&self, alert: &AlertNews, stop: &CancellationToken, patience: Duration) -> SendOutcome {
        for tries in 1.. {
            let error = match self.attempt(alert, stop, patience).await {
                None => return SendOutcome::Stopped,
                Some(Ok(())) => {
                    self.delivered.fetch_add(1, Ordering::Relaxed);
                    tracing::debug!(sequence = alert.sequence.0, tries, "alert sent");
                    return SendOutcome::Settled;
                }
                Some(Err(error)) => error,
            };
            self.failed.fetch_add(1, Ordering::Relaxed);
            if error == DeliveryError::Gone || self.is_over(alert, tries) {
                self.give_up(alert, tries, &error);
                return SendOutcome::Settled;
            }
            if tries == 1 {
                tracing::warn!(
                    store = %alert.fact.store_id, sku = %alert.fact.sku, sequence = alert.sequence.0, %error,
                    "an alert was not sent; it is tried again, and those behind it wait"
                );
            } else {
                tracing::debug!(sequence = alert.sequence.0, tries, %error, "an alert was not sent again");
            }
            let asked =
                if let DeliveryError::Busy { retry_after } = error { retry_after } else { Duration::ZERO };
            let wait = asked.saturating_add(self.backoff().wait(tries)).min(WAIT_MAX);
            if stop.run_until_cancelled(sleep(wait)).await.is_none() {
                return SendOutcome::Stopped;
            }
        }
        unreachable!("an alert is given up before tries end")
    }

    /// One attempt, once the breaker lets it through; none when the process stops before its outcome is known.
    async fn attempt(
        &self,
        alert: &AlertNews,
        stop: &CancellationToken,
        patience: Duration,
    ) -> Option<Result<(), DeliveryError>> {
        let permit = loop {
            match self.breaker.pass() {
                Ok(permit) => break permit,
                Err(tripped) => stop.run_until_cancelled(sleep(tripped.retry_after)).await?,
            }
        };
        if stop.is_cancelled() {
            return None;
        }
        let no_longer = async {
            stop.cancelled().await;
            sleep(patience).await;
        };
        let outcome = tokio::select! {
            biased;
            outcome = self.receiver.deliver(alert) => outcome,
            // The outcome is unknown, so the alert is sent again after the next start.
            () = no_longer => return None,
        };
        match &outcome {
            // A receiver that wants no more alerts is healthy.
            Ok(()) | Err(DeliveryError::Gone) => permit.succeeded(),
            Err(DeliveryError::Failed(_)) => permit.failed(),
            Err(DeliveryError::Busy { .. }) => {}
        }
        Some(outcome)
    }

    fn backoff(&self) -> Backoff {
        Backoff { base: self.settings.retry_base, max: WAIT_MAX }
    }

    /// True once an alert has been tried for long enough.
    fn is_over(&self, alert: &AlertNews, tries: u32) -> bool {
        tries >= TRIES_MIN && alert.at.plus_seconds(ALERT_SENDING_SECONDS_MAX) <= self.ledger.now()
    }

    fn give_up(&self, alert: &AlertNews, tries: u32, error: &DeliveryError) {
        self.given_up.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(
            store = %alert.fact.store_id, sku = %alert.fact.sku, raised = alert.fact.raised, at = %alert.at,
            sequence = alert.sequence.0, event_id = %alert.event_id, tries, %error,
            "an alert was given up: it is not sent any more"
        );
    }

    /// Saves the sequence. If that fails, the next start sends the alerts since the last save again.
    async fn keep(&self, kept: &mut SavedPlace, place: Sequence) {
        let keeper = Arc::clone(&self.place);
        let saved = blocking(move || keeper.save(place)).await;
        kept.at = Instant::now();
        match saved {
            Ok(()) => {
                kept.place = place;
                kept.failing = false;
            }
            Err(error) => {
                if !std::mem::replace(&mut kept.failing, true) {
                    tracing::warn!(%error, "up to where alerts were sent cannot be kept: a restart sends some again");
                }
            }
        }
    }
}
