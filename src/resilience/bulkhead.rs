//! A bulkhead: a limit of calls that run at once and a limit of calls that wait; a call beyond both is rejected at once.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A compartment with a limit of its own. A rejection is immediate and cheap: no call waits outside.
#[derive(Debug)]
pub struct Bulkhead {
    places: Arc<Semaphore>,
    work: Arc<Semaphore>,
    places_max: usize,
}

/// The admission of a call, returned when dropped.
#[derive(Debug)]
pub struct Seat(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

/// The permission to run, returned when dropped.
#[derive(Debug)]
pub struct WorkPermit(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

/// Every place is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no place left")]
pub struct Full;

impl Bulkhead {
    /// A bulkhead for `concurrency` running and `queue` waiting calls.
    pub fn new(concurrency: usize, queue: usize) -> Self {
        let places_max = concurrency.saturating_add(queue).min(Semaphore::MAX_PERMITS);
        Self {
            places: Arc::new(Semaphore::new(places_max)),
            work: Arc::new(Semaphore::new(concurrency.min(Semaphore::MAX_PERMITS))),
            places_max,
        }
    }

    /// Takes a place without waiting.
    ///
    /// # Errors
    /// [`Full`].
    pub fn enter(&self) -> Result<Seat, Full> {
        Arc::clone(&self.places).try_acquire_owned().map(Seat).map_err(|_| Full)
    }

    /// True when the next call would be rejected.
    pub fn is_full(&self) -> bool {
        self.places.available_permits() == 0
    }

    /// Waits for the permission to run, in the order of arrival.
    pub async fn work(&self) -> WorkPermit {
        let turn = Arc::clone(&self.work).acquire_owned().await;
        WorkPermit(turn.expect("the semaphore is never closed"))
    }

    /// The number of calls that run or wait.
    pub fn inside(&self) -> usize {
        self.places_max - self.places.available_permits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn it_takes_in_as_many_as_work_and_wait() {
        for (concurrency, queue) in [(1, 0), (1, 1), (16, 50)] {
            let bulkhead = Bulkhead::new(concurrency, queue);
            let places: Vec<Seat> =
                (0..concurrency + queue).map(|_| bulkhead.enter().expect("there is room")).collect();
            assert_eq!(bulkhead.enter().unwrap_err(), Full, "{concurrency} + {queue}");
            assert!(bulkhead.is_full());
            assert_eq!(bulkhead.inside(), concurrency + queue);
            drop(places);
            assert_eq!((bulkhead.inside(), bulkhead.is_full()), (0, false));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_work_at_once_than_may() {
        let bulkhead = Arc::new(Bulkhead::new(2, 5));
        let (first, _second) = (bulkhead.work().await, bulkhead.work().await);
        let waiting = tokio::time::timeout(Duration::from_secs(1), bulkhead.work());
        assert!(waiting.await.is_err(), "two are at work");
        drop(first);
        let _third = bulkhead.work().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_future_that_is_dropped_gives_back_place_and_turn() {
        let bulkhead = Bulkhead::new(1, 0);
        for _ in 0..3 {
            let stuck = async {
                let _place = bulkhead.enter().expect("the place came back");
                let _turn = bulkhead.work().await;
                std::future::pending::<()>().await;
            };
            assert!(tokio::time::timeout(Duration::from_secs(1), stuck).await.is_err());
        }
        assert_eq!(bulkhead.inside(), 0);
    }
}
