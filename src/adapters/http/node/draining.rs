//! Draining: probes see 503 from readiness before the listener closes.
//!
//! An orchestrator or a load balancer polls readiness every few seconds and sends work until it sees a 503. So the
//! listener stays open after the signal until a poll has seen it. A caller that asked once, or until the node was
//! ready, is no such probe: without a polling client the stop does not wait.

use parking_lot::Mutex;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// Requests that are further apart than this are not a poll.
const GAP_MAX: Duration = Duration::from_secs(60);
/// Number of requests in a row that make a poll.
const ASKS_MIN: usize = 3;
/// Number of requests that are remembered; several probes may poll in turn.
const ASKS_KEPT: usize = 8;
/// How much later than expected the next request of a poll may come.
const LATE: Duration = Duration::from_secs(2);

/// Whether a node is about to stop, and whether a probe has seen it.
#[derive(Debug, Default)]
pub struct Draining {
    begun: CancellationToken,
    seen: CancellationToken,
    asks: Mutex<VecDeque<Instant>>,
}

impl Draining {
    /// Notes a request for readiness; true when the node is about to stop.
    pub(crate) fn asked(&self) -> bool {
        note(&mut self.asks.lock(), Instant::now());
        let draining = self.begun.is_cancelled();
        if draining {
            self.seen.cancel();
        }
        draining
    }

    /// From now on readiness answers 503. Waits until a probe has seen that, at most `wait_max`.
    pub async fn announce(&self, wait_max: Duration) {
        let next = next(&self.asks.lock());
        self.begun.cancel();
        let wait = next.map(|next| next.saturating_duration_since(Instant::now()).min(wait_max));
        if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
            // A probe that has not asked by then polls too seldom to wait for.
            let _ = timeout(wait, self.seen.cancelled()).await;
        }
    }
}

fn note(asks: &mut VecDeque<Instant>, now: Instant) {
    if asks.back().is_some_and(|last| now - *last > GAP_MAX) {
        asks.clear();
    }
    if asks.len() == ASKS_KEPT {
        asks.pop_front();
    }
    asks.push_back(now);
}

/// The latest time at which a probe asks again; `None` when no client polls.
fn next(asks: &VecDeque<Instant>) -> Option<Instant> {
    let last = asks.back().filter(|_| asks.len() >= ASKS_MIN)?;
    let gaps = asks.iter().zip(asks.iter().skip(1)).map(|(one, next)| *next - *one);
    // One and a half times the longest recent gap: probes are not punctual.
    gaps.max().map(|gap| *last + gap + gap / 2 + LATE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many milliseconds a stop waits when probes came at these seconds, and the next one comes `asks_after`
    /// milliseconds after the signal, which comes at second `stop`.
    async fn waited(asked: &[u64], stop: u64, asks_after: Option<u64>) -> u128 {
        let (draining, start) = (Draining::default(), Instant::now());
        for second in asked {
            tokio::time::sleep_until(start + Duration::from_secs(*second)).await;
            assert!(!draining.asked());
        }
        tokio::time::sleep_until(start + Duration::from_secs(stop)).await;
        let begun = Instant::now();
        let probe = async {
            if let Some(after) = asks_after {
                tokio::time::sleep(Duration::from_millis(after)).await;
                assert!(draining.asked());
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = draining.announce(Duration::from_secs(5)) => {}
            () = probe => unreachable!("it never ends"),
        }
        assert!(draining.asked());
        begun.elapsed().as_millis()
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_polling_probe_is_waited_for() {
        for (asked, stop, asks_after, wait) in [
            (&[][..], 0, None, 0),
            (&[0], 1, None, 0),
            // A script waits for the node to be ready, or asks twice.
            (&[0, 20], 21, None, 0),
            (&[0, 0, 0], 10, None, 0),
            (&[0, 0, 0, 1], 10, None, 0),
            // A probe polls.
            (&[0, 10, 20], 21, None, 5_000),
            (&[0, 10, 20], 29, Some(1_000), 1_000),
            (&[0, 10, 20], 29, Some(6_000), 5_000),
            (&[0, 10, 20], 36, None, 1_000),
            (&[0, 10, 20], 37, None, 0),
            (&[0, 2, 4], 5, None, 4_000),
            (&[0, 2, 4], 5, Some(900), 900),
            // A probe polled once.
            (&[0, 10, 20], 300, None, 0),
            (&[0, 10, 20, 100], 101, None, 0),
            (&[0, 10, 20, 100, 110, 120], 121, Some(3), 3),
            // Two probes poll in turn.
            (&[0, 1, 10, 11, 20, 21], 22, None, 5_000),
        ] {
            assert_eq!(waited(asked, stop, asks_after).await, wait, "{asked:?} {stop} {asks_after:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_kept_has_a_bound() {
        let draining = Draining::default();
        for _ in 0..1_000 {
            tokio::time::advance(Duration::from_secs(1)).await;
            draining.asked();
        }
        assert_eq!(draining.asks.lock().len(), ASKS_KEPT);
    }
}
