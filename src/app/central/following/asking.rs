//! Requests to a source: through its breaker, with retries where they may help.
//!
//! When half of the last ten requests have failed, the breaker opens for `BREAKER_COOLDOWN_MS` and then lets one probe through; a pass on
//! request (`POST /sync`) probes at once. Retries have backoff, full jitter and a budget. Only reads are retried, because they are
//! idempotent, and only after a quick failure: retries would double the load of a slow source just when it is busy. A 429 is no
//! failure; its `Retry-After` is obeyed.

use crate::central::SyncSettings;
use crate::central::following::follower::Follower;
use crate::central::following::unanswered::Unanswered;
use crate::ports::{Delivery, Reading, SourceError};
use onhand_domain::Sequence;
use onhand_resilience::{Backoff, pause};
use std::time::Duration;
use tokio::time::Instant;

/// Longest wait before a retry.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// A request that took longer to fail is not retried at once, because other sources wait for the permit.
const QUICK: Duration = Duration::from_secs(1);

impl SyncSettings {
    /// The backoff between two reads of the same events.
    pub(crate) fn backoff(&self) -> Backoff {
        Backoff { base: self.retry_base, max: WAIT_MAX }
    }
}

impl Follower {
    /// Reads events, with as many retries as breaker, budget and settings allow; `begun` is a read that is under way already.
    pub(crate) async fn ask(
        &self,
        settings: &SyncSettings,
        after: Sequence,
        limit: usize,
        mut begun: Option<Reading<'_>>,
    ) -> Result<Delivery, Unanswered> {
        for tries in 1.. {
            let permit = self.breaker.pass()?;
            let asked = Instant::now();
            let reading = begun.take().unwrap_or_else(|| self.source.read(after, limit));
            let error = match reading.await {
                Ok(delivery) => {
                    permit.succeeded();
                    self.budget.answered();
                    return Ok(delivery);
                }
                Err(error) => error,
            };
            let wait = match &error {
                // A busy source is alive and names the time to come back; the jitter spreads the followers.
                SourceError::Busy { retry_after, .. } => {
                    Some((*retry_after).min(WAIT_MAX) + settings.backoff().wait(tries))
                }
                SourceError::Unavailable(_) => {
                    permit.failed();
                    let may = self.budget.failed() && asked.elapsed() < QUICK;
                    may.then(|| settings.backoff().wait(tries))
                }
                SourceError::Denied(_) | SourceError::Nonsense(_) => {
                    permit.failed();
                    None
                }
            };
            match wait {
                Some(wait) if tries <= settings.retry_times => pause(wait).await,
                _ => return Err(error.into()),
            }
        }
        unreachable!("tries are counted to the last")
    }
}
