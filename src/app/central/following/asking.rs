//! Asks a source: through its breaker, with retries where they may help.
//!
//! When half of the last ten answers are missing, the source is left alone for `BREAKER_COOLDOWN_MS` and then probed once; a pass that
//! somebody asks for (`POST /sync`) probes at once. Retries have backoff, full jitter and a budget. They are made only for reads, which
//! may be done twice, and only after a quick failure: a slow source would be asked twice as much just when it has no time. A 429
//! counts as no failure; its `Retry-After` is obeyed.

use crate::app::central::following::follower::Follower;
use crate::app::central::{LetterError, SyncSettings};
use crate::app::ports::{Delivery, Reading, SourceError};
use crate::domain::Sequence;
use crate::resilience::{Backoff, Tripped, pause};
use std::time::Duration;
use tokio::time::Instant;

/// No wait before the next try is longer.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// What took longer to fail is not tried again at once: others wait for their turn.
const QUICK: Duration = Duration::from_secs(1);

/// A source gave nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    /// It was asked.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It was not: too much failed lately.
    #[error("its breaker is open")]
    Breaker(#[from] Tripped),
}

impl From<Unanswered> for LetterError {
    fn from(error: Unanswered) -> Self {
        match error {
            Unanswered::Source(error) => Self::Source(format!("the source: {error}")),
            Unanswered::Breaker(tripped) => Self::Breaker(tripped),
        }
    }
}

impl SyncSettings {
    /// How long to wait before something is read again.
    pub(crate) fn backoff(&self) -> Backoff {
        Backoff { base: self.retry_base, max: WAIT_MAX }
    }
}

impl Follower {
    /// Asks for events, again as often as breaker, budget and settings allow; `begun` is a reading that is under way.
    ///
    /// To read twice does no harm, so whatever did not come is simply asked for again.
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
                // It lives, and says itself when to come back; not all at the same moment.
                SourceError::Busy { retry_after, .. } => {
                    Some((*retry_after).min(WAIT_MAX) + settings.backoff().wait(tries))
                }
                SourceError::Unavailable(_) => {
                    permit.failed();
                    let may = self.budget.failed() && asked.elapsed() < QUICK;
                    may.then(|| settings.backoff().wait(tries))
                }
                SourceError::Nonsense(_) => {
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
