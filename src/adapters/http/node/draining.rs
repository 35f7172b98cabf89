//! Leaving: those who send work hear of it before the door is shut.
//!
//! An orchestrator or a load balancer asks for readiness every few seconds and sends work until it has heard a 503. So the
//! listener stays open after the signal until one of them has heard it. Who has asked once, or until the node was ready, is no
//! such probe: when nobody asks again and again there is nobody to tell, and nothing is waited for.

use parking_lot::Mutex;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// Asks that are further apart are not those of one who watches.
const GAP_MAX: Duration = Duration::from_secs(60);
/// So many asks, each not long after the one before, are those of one who watches.
const ASKS_MIN: usize = 3;
/// The asks that are looked at; several probes may ask in turn.
const ASKS_KEPT: usize = 8;
/// How much later than expected one who watches may ask.
const LATE: Duration = Duration::from_secs(2);

/// Whether a node is leaving, and who knows.
#[derive(Debug, Default)]
pub struct Leaving {
    begun: CancellationToken,
    told: CancellationToken,
    asks: Mutex<VecDeque<Instant>>,
}

impl Leaving {
    /// Readiness is asked for: true when the answer is to be that the node leaves.
    pub(crate) fn asked(&self) -> bool {
        note(&mut self.asks.lock(), Instant::now());
        let leaving = self.begun.is_cancelled();
        if leaving {
            self.told.cancel();
        }
        leaving
    }

    /// Says from now on that the node leaves, and waits until somebody who asks regularly has heard it.
    pub async fn announce(&self, wait_max: Duration) {
        let next = next(&self.asks.lock());
        self.begun.cancel();
        let wait = next.map(|next| next.saturating_duration_since(Instant::now()).min(wait_max));
        if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
            // Whoever has not asked by then asks too seldom to be waited for.
            let _ = timeout(wait, self.told.cancelled()).await;
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

/// By when whoever watches asks again; nothing when nobody does.
fn next(asks: &VecDeque<Instant>) -> Option<Instant> {
    let last = asks.back().filter(|_| asks.len() >= ASKS_MIN)?;
    let gaps = asks.iter().zip(asks.iter().skip(1)).map(|(one, next)| *next - *one);
    // A half more than the longest of late: probes are not punctual.
    gaps.max().map(|gap| *last + gap + gap / 2 + LATE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many milliseconds a stop waits when readiness was asked for at these seconds, and is asked again `asks_after`
    /// milliseconds after the signal, which comes at second `stop`.
    async fn waited(asked: &[u64], stop: u64, asks_after: Option<u64>) -> u128 {
        let (leaving, start) = (Leaving::default(), Instant::now());
        for second in asked {
            tokio::time::sleep_until(start + Duration::from_secs(*second)).await;
            assert!(!leaving.asked());
        }
        tokio::time::sleep_until(start + Duration::from_secs(stop)).await;
        let begun = Instant::now();
        let probe = async {
            if let Some(after) = asks_after {
                tokio::time::sleep(Duration::from_millis(after)).await;
                assert!(leaving.asked());
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = leaving.announce(Duration::from_secs(5)) => {}
            () = probe => unreachable!("it never ends"),
        }
        assert!(leaving.asked());
        begun.elapsed().as_millis()
    }

    #[tokio::test(start_paused = true)]
    async fn only_those_who_ask_again_and_again_are_waited_for() {
        for (asked, stop, asks_after, wait) in [
            (&[][..], 0, None, 0),
            (&[0], 1, None, 0),
            // Somebody waits for the node to be ready, or looks twice.
            (&[0, 20], 21, None, 0),
            (&[0, 0, 0], 10, None, 0),
            (&[0, 0, 0, 1], 10, None, 0),
            // Somebody watches.
            (&[0, 10, 20], 21, None, 5_000),
            (&[0, 10, 20], 29, Some(1_000), 1_000),
            (&[0, 10, 20], 29, Some(6_000), 5_000),
            (&[0, 10, 20], 36, None, 1_000),
            (&[0, 10, 20], 37, None, 0),
            (&[0, 2, 4], 5, None, 4_000),
            (&[0, 2, 4], 5, Some(900), 900),
            // Somebody did once.
            (&[0, 10, 20], 300, None, 0),
            (&[0, 10, 20, 100], 101, None, 0),
            (&[0, 10, 20, 100, 110, 120], 121, Some(3), 3),
            // Two do, in turn.
            (&[0, 1, 10, 11, 20, 21], 22, None, 5_000),
        ] {
            assert_eq!(waited(asked, stop, asks_after).await, wait, "{asked:?} {stop} {asks_after:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_kept_has_a_bound() {
        let leaving = Leaving::default();
        for _ in 0..1_000 {
            tokio::time::advance(Duration::from_secs(1)).await;
            leaving.asked();
        }
        assert_eq!(leaving.asks.lock().len(), ASKS_KEPT);
    }
}
