//! Telling somebody outside of low stock: every alert of this node's log, in its order, at least once.
//!
//! The log is the queue. What is kept besides is one sequence, up to which every alert was told or given up; a start reads the
//! log on from there. While the node runs the write path says where alerts stand, so nothing is searched, however
//! much else is written. One alert is on its way at a time: those of a level are told in the order in which they happened.
//!
//! - **The first start** with a webhook begins at the end of the log: alerts from before are not sent.
//! - **Retries** have full jitter, up to a minute apart, behind the breaker `webhook`, until the alert is a day old (by the time of
//!   the log) and this process has tried five times; then it is given up, with a warning. Every answer but 2xx counts as a failure,
//!   400s too: a wrong path or secret is corrected within the day. 410 gives the alert up at once.
//! - **Several processes**: each sends the alerts of its own log. Those of a killed process wait for its next start. `version` orders
//!   the alerts of a level that several processes moved.
//! - **A crash** between an attempt and its note sends some alerts again, under the same `webhook-id`.

mod alert_entries;
mod unsent;

use crate::app::Ledger;
use crate::app::blocking;
use crate::app::ports::{AlertNews, AlertPlace, AlertReceiver, NotTold};
use crate::domain::Sequence;
use crate::domain::limits::ALERT_SENDING_SECONDS_MAX;
use crate::resilience::{Backoff, Breaker, BreakerSettings};
pub(crate) use alert_entries::AlertEntries;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use unsent::Unsent;
use uuid::Uuid;

/// No wait before the next attempt is longer, whatever the receiver asks for.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// However old an alert is, it is tried so often before it is given up: the receiver may come up with this node.
const TRIES_MIN: u32 = 5;
/// While alerts are told one after the other, their place is kept once in this time.
const KEEP_EVERY: Duration = Duration::from_secs(1);
/// Where there are no alerts, the place is kept after so many events: the next start has no more to read.
const KEEP_EVENTS: u64 = 50_000;
/// How often it is looked how far the log has come without an alert.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// A log that cannot be read is read again after this.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// How stubbornly alerts are told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlertSettings {
    /// The longest wait before the second attempt; it doubles from attempt to attempt.
    pub retry_base: Duration,
    /// When the receiver is left alone.
    pub breaker: BreakerSettings,
}

/// What became of alerts since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AlertCounts {
    /// Alerts that the receiver has.
    pub delivered: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Alerts that were given up.
    pub given_up: u64,
}

/// Tells alerts.
pub struct AlertSender {
    ledger: Arc<Ledger>,
    node: Uuid,
    receiver: Arc<dyn AlertReceiver>,
    place: Arc<dyn AlertPlace>,
    settings: AlertSettings,
    breaker: Breaker,
    /// Where this run begins.
    begin: Sequence,
    delivered: AtomicU64,
    failed: AtomicU64,
    given_up: AtomicU64,
    in_hand: AtomicUsize,
}

/// What became of one alert.
enum SendOutcome {
    /// It is told, or given up.
    Settled,
    /// The process stops: it is told after the next start.
    Stopped,
}

/// What is kept of how far it has come.
struct SavedPlace {
    place: Sequence,
    at: Instant,
    /// The last attempt to keep it failed.
    failing: bool,
}

impl AlertSender {
    /// A sender for the log of `node`; it begins where the last one stopped, and the first one at the end of the log.
    ///
    /// To be made before the first command: from here on the write path says where alerts stand. Blocks on the disk.
    ///
    /// # Errors
    /// When the place cannot be read, or not be kept for the first time.
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

    /// Tells alerts until `stop`; the attempt that is under way then has `patience` to end, and no other one begins.
    pub async fn run(&self, stop: &CancellationToken, patience: Duration) {
        let mut unsent = Unsent::new(Arc::clone(&self.ledger), self.node, self.begin);
        let mut kept = SavedPlace { place: self.begin, at: Instant::now(), failing: false };
        // Whether something was settled that is not kept.
        let mut settled = false;
        while let Some(next) = stop.run_until_cancelled(unsent.next()).await {
            self.in_hand.store(unsent.len(), Ordering::Relaxed);
            match next {
                Ok(Some(alert)) => match self.tell(&alert, stop, patience).await {
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
                    let _ = timeout(LOOK_EVERY, stop.run_until_cancelled(unsent.more())).await;
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

    /// How the receiver is.
    pub fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// What became of alerts since the start.
    pub fn counts(&self) -> AlertCounts {
        let [delivered, failed, given_up] =
            [&self.delivered, &self.failed, &self.given_up].map(|count| count.load(Ordering::Relaxed));
        AlertCounts { delivered, failed, given_up }
    }

    /// How many alerts are known to wait. Those that the last run left are known once they are read.
    pub fn pending(&self) -> usize {
        self.in_hand.load(Ordering::Relaxed) + self.ledger.projections.low_stock.alert_entries.waiting()
    }

    /// Tells one alert, again and again, until it is heard or given up.
    async fn tell(&self, alert: &AlertNews, stop: &CancellationToken, patience: Duration) -> SendOutcome {
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
            if error == NotTold::Gone || self.is_over(alert, tries) {
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
            let asked = if let NotTold::Busy { retry_after } = error { retry_after } else { Duration::ZERO };
            let wait = asked.saturating_add(self.backoff().wait(tries)).min(WAIT_MAX);
            if stop.run_until_cancelled(sleep(wait)).await.is_none() {
                return SendOutcome::Stopped;
            }
        }
        unreachable!("an alert is given up before tries end")
    }

    /// One attempt, once the breaker lets it through; nothing when the process stops before its outcome is known.
    async fn attempt(
        &self,
        alert: &AlertNews,
        stop: &CancellationToken,
        patience: Duration,
    ) -> Option<Result<(), NotTold>> {
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
            outcome = self.receiver.tell(alert) => outcome,
            // Whether it was heard is not known: it is told again after the next start.
            () = no_longer => return None,
        };
        match &outcome {
            // Who says that he wants no alerts answers well.
            Ok(()) | Err(NotTold::Gone) => permit.succeeded(),
            Err(NotTold::Failed(_)) => permit.failed(),
            Err(NotTold::Busy { .. }) => {}
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

    fn give_up(&self, alert: &AlertNews, tries: u32, error: &NotTold) {
        self.given_up.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(
            store = %alert.fact.store_id, sku = %alert.fact.sku, raised = alert.fact.raised, at = %alert.at,
            sequence = alert.sequence.0, event_id = %alert.event_id, tries, %error,
            "an alert was given up: it is not sent any more"
        );
    }

    /// Keeps how far it has come. What cannot be kept is told again after the next start, and no more.
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
