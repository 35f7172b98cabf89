//! Retries: the backoff between them, and the budget that limits them while most requests fail.
//!
//! Only for idempotent requests to a peer that may recover.

use parking_lot::Mutex;
use std::time::Duration;

/// Exponential backoff with full jitter: a wait is drawn evenly from zero to the ceiling, which doubles from try to try
/// (<https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>), so that clients that failed together do not retry
/// together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The first ceiling.
    pub base: Duration,
    /// The largest ceiling.
    pub max: Duration,
}

impl Backoff {
    /// A random wait after `tries` failures, 1 or more.
    pub fn wait(&self, tries: u32) -> Duration {
        self.ceiling(tries).mul_f64(fastrand::f64())
    }

    /// Waits for [`Backoff::wait`].
    pub async fn rest(&self, tries: u32) {
        pause(self.wait(tries)).await;
    }

    fn ceiling(&self, tries: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(tries.saturating_sub(1));
        self.base.saturating_mul(doubled).min(self.max)
    }
}

/// Sleeps; a wait of zero needs no timer.
pub async fn pause(wait: Duration) {
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
}

/// Tokens a budget starts with and never exceeds, in tenths.
const TENTHS_MAX: u32 = 100;
/// Cost of a failure, in tenths.
const FAILURE_TENTHS: u32 = 10;
/// Gain of an answer, in tenths.
const ANSWER_TENTHS: u32 = 1;

/// How many retries are left: a failure costs a token, an answer brings back a tenth, and there are retries only while
/// more than half of the tokens are left (as in gRPC's retry throttling, proposal A6). A peer that is down for good therefore gets
/// single requests without retries.
#[derive(Debug)]
pub struct RetryBudget(Mutex<u32>);

impl RetryBudget {
    /// Records an answer.
    pub fn answered(&self) {
        let mut tenths = self.0.lock();
        *tenths = (*tenths + ANSWER_TENTHS).min(TENTHS_MAX);
    }

    /// Records a failure; true when a retry is allowed.
    pub fn failed(&self) -> bool {
        let mut tenths = self.0.lock();
        *tenths = tenths.saturating_sub(FAILURE_TENTHS);
        *tenths > TENTHS_MAX / 2
    }
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self(Mutex::new(TENTHS_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ceilings_double_up_to_the_largest() {
        let backoff = Backoff { base: Duration::from_millis(100), max: Duration::from_secs(5) };
        for (tries, ceiling_ms) in
            [(0, 100), (1, 100), (2, 200), (3, 400), (6, 3_200), (7, 5_000), (40, 5_000), (u32::MAX, 5_000)]
        {
            assert_eq!(backoff.ceiling(tries), Duration::from_millis(ceiling_ms), "{tries}");
        }
    }

    #[test]
    fn waits_are_spread_over_all_of_the_way_to_the_ceiling() {
        fastrand::seed(7);
        let backoff = Backoff { base: Duration::from_secs(1), max: Duration::from_secs(60) };
        let waits: Vec<f64> = (0..1_000).map(|_| backoff.wait(3).as_secs_f64()).collect();
        assert!(waits.iter().all(|wait| (0.0..=4.0).contains(wait)));
        for quarter in 0..4 {
            let from = f64::from(quarter);
            let inside = waits.iter().filter(|wait| (from..from + 1.0).contains(*wait)).count();
            assert!((150..350).contains(&inside), "{inside} of 1000 from {from} s on");
        }
        assert_eq!(Backoff { base: Duration::ZERO, ..backoff }.wait(9), Duration::ZERO);
    }

    #[test]
    fn a_budget_ends_when_most_tries_fail_and_comes_back_with_answers() {
        let budget = RetryBudget::default();
        let retries = (0..100).filter(|_| budget.failed()).count();
        assert_eq!(retries, 4, "of a hundred failures in a row");
        for _ in 0..60 {
            assert!(!budget.failed() || budget.0.lock().gt(&50));
            (0..20).for_each(|_| budget.answered());
        }
        assert!(budget.failed(), "most of them are answered");
    }
}
