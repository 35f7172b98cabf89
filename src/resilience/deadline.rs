//! The deadline of a request, passed on from step to step.

use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// A deadline on the monotonic clock, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(Option<Instant>);

/// The deadline passed before the work was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the deadline has passed")]
pub struct Passed;

impl Deadline {
    /// A deadline that never passes.
    pub const NEVER: Self = Self(None);

    /// A deadline `wait` from now.
    pub fn after(wait: Duration) -> Self {
        Self(Instant::now().checked_add(wait))
    }

    /// The time left, at most `wait_max`.
    pub fn remaining(self, wait_max: Duration) -> Duration {
        self.0.map_or(wait_max, |at| at.saturating_duration_since(Instant::now()).min(wait_max))
    }

    /// True once it has passed.
    pub fn has_passed(self) -> bool {
        self.0.is_some_and(|at| at <= Instant::now())
    }

    /// Runs `work`, and drops it at the deadline.
    ///
    /// # Errors
    /// [`Passed`].
    pub async fn bound<T>(self, work: impl Future<Output = T>) -> Result<T, Passed> {
        match self.0 {
            None => Ok(work.await),
            Some(at) => timeout_at(at, work).await.map_err(|_| Passed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{advance, sleep};

    #[tokio::test(start_paused = true)]
    async fn work_has_until_the_deadline() {
        let second = Duration::from_secs(1);
        for (deadline, took, outcome) in [
            (Deadline::after(2 * second), second, Ok(7)),
            (Deadline::after(second), 2 * second, Err(Passed)),
            (Deadline::after(Duration::ZERO), second, Err(Passed)),
            (Deadline::NEVER, Duration::from_secs(1_000_000), Ok(7)),
        ] {
            let work = async {
                sleep(took).await;
                7
            };
            assert_eq!(deadline.bound(work).await, outcome);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_left_is_never_negative() {
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        let deadline = Deadline::after(2 * second);
        assert_eq!((deadline.remaining(minute), deadline.remaining(second)), (2 * second, second));
        assert!(!deadline.has_passed());
        advance(3 * second).await;
        assert_eq!((deadline.remaining(minute), deadline.has_passed()), (Duration::ZERO, true));
        assert_eq!((Deadline::NEVER.remaining(minute), Deadline::NEVER.has_passed()), (minute, false));
        assert!(!Deadline::after(Duration::MAX).has_passed());
    }
}
