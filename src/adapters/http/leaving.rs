//! Leaving: those who send work hear of it before the door is shut.
//!
//! An orchestrator or a load balancer asks for readiness every few seconds and sends work until it has heard a 503. So the
//! listener stays open after the signal until one of them has heard it. When nobody has asked lately there is nobody to
//! tell, and nothing is waited for.

use parking_lot::Mutex;
use std::time::Duration;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// Whoever has asked within this time counts as one who asks again.
const LATELY: Duration = Duration::from_secs(60);

/// Whether a node is leaving, and who knows.
#[derive(Debug, Default)]
pub struct Leaving {
    begun: CancellationToken,
    told: CancellationToken,
    asked: Mutex<Option<Instant>>,
}

impl Leaving {
    /// Readiness is asked for: true when the answer is to be that the node leaves.
    pub(super) fn asked(&self) -> bool {
        *self.asked.lock() = Some(Instant::now());
        let leaving = self.begun.is_cancelled();
        if leaving {
            self.told.cancel();
        }
        leaving
    }

    /// Says from now on that the node leaves, and waits until somebody who asks regularly has heard it.
    pub async fn announce(&self, wait_max: Duration) {
        let asked = *self.asked.lock();
        self.begun.cancel();
        if asked.is_some_and(|asked| asked.elapsed() < LATELY) {
            // Whoever has not asked by then asks too seldom to be waited for.
            let _ = timeout(wait_max, self.told.cancelled()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_those_who_ask_are_waited_for() {
        let (second, wait_max) = (Duration::from_secs(1), Duration::from_secs(5));
        for (asked_before, asks_after, waited) in [
            (None, None, 0),
            (Some(61), None, 0),
            (Some(10), None, 5),
            (Some(10), Some(2), 2),
            (Some(10), Some(9), 5),
        ] {
            let leaving = Leaving::default();
            if let Some(before) = asked_before {
                assert!(!leaving.asked());
                tokio::time::advance(before * second).await;
            }
            let begun = Instant::now();
            let probe = async {
                if let Some(after) = asks_after {
                    tokio::time::sleep(after * second).await;
                    assert!(leaving.asked());
                }
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = leaving.announce(wait_max) => {}
                () = probe => unreachable!("it never ends"),
            }
            assert_eq!(begun.elapsed().as_secs(), waited, "{asked_before:?} {asks_after:?}");
            assert!(leaving.asked());
        }
    }
}
