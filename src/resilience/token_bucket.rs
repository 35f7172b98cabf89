//! Token buckets, one for each client: a sustained rate, and a burst after a rest.
//!
//! The crate `governor` does the arithmetic. Its table grows with every new client; [`TokenBuckets::sweep`], called periodically, removes
//! the clients whose bucket is full again, and while more than [`CLIENTS_MAX`] remain, all clients share a few buckets. The table is
//! therefore limited to that number and the new clients between two sweeps.

use governor::clock::Clock;
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Most clients with a bucket of their own.
const CLIENTS_MAX: usize = 65_536;
/// Number of shared buckets beyond that.
const SHARED: u64 = 1_024;

/// Buckets of one size.
#[derive(Debug)]
pub struct TokenBuckets<K: Hash + Eq + Clone> {
    limiter:
        RateLimiter<BucketKey<K>, DashMapStateStore<BucketKey<K>>, Monotonic, StateInformationMiddleware>,
    per_second: NonZeroU32,
    burst: NonZeroU32,
    clients_max: usize,
    crowded: AtomicBool,
}

/// The state of a bucket after a token was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Tokens left in the bucket.
    pub remaining: u32,
    /// Time until it is full again.
    pub full_in: Duration,
}

/// The bucket is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no token left")]
pub struct Empty {
    /// Time until the next token.
    pub retry_after: Duration,
    /// Time until it is full again.
    pub full_in: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum BucketKey<K> {
    One(K),
    Shared(u64),
}

/// tokio's clock behind governor's trait.
#[derive(Debug, Clone)]
struct Monotonic(Instant);

impl Clock for Monotonic {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.elapsed().into()
    }
}

impl<K: Hash + Eq + Clone> TokenBuckets<K> {
    /// Buckets that hold `burst` tokens and gain `per_second` a second.
    pub fn new(per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        let quota = Quota::per_second(per_second).allow_burst(burst);
        Self {
            limiter: RateLimiter::new(quota, DashMapStateStore::default(), Monotonic(Instant::now())),
            per_second,
            burst,
            clients_max: CLIENTS_MAX,
            crowded: AtomicBool::new(false),
        }
    }

    /// Takes one token of a client.
    ///
    /// # Errors
    /// [`Empty`].
    pub fn take(&self, client: &K) -> Result<Standing, Empty> {
        match self.limiter.check_key(&self.key(client)) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                Ok(Standing { remaining, full_in: self.time_for(self.burst.get() - remaining) })
            }
            Err(until) => Err(Empty {
                retry_after: until.wait_time_from(self.limiter.clock().now()),
                full_in: self.time_for(self.burst.get()),
            }),
        }
    }

    /// Removes clients whose bucket is full.
    pub fn sweep(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
        self.crowded.store(self.limiter.len() > self.clients_max, Ordering::Relaxed);
    }

    /// The number of clients with a bucket.
    pub fn clients(&self) -> usize {
        self.limiter.len()
    }

    fn key(&self, client: &K) -> BucketKey<K> {
        if !self.crowded.load(Ordering::Relaxed) {
            return BucketKey::One(client.clone());
        }
        let mut hasher = DefaultHasher::new();
        client.hash(&mut hasher);
        BucketKey::Shared(hasher.finish() % SHARED)
    }

    fn time_for(&self, tokens: u32) -> Duration {
        Duration::from_secs(u64::from(tokens)) / self.per_second.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    fn buckets(per_second: u32, burst: u32) -> TokenBuckets<u32> {
        let number = |n| NonZeroU32::new(n).unwrap();
        TokenBuckets::new(number(per_second), number(burst))
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_has_its_burst_and_then_its_rate() {
        for (per_second, burst) in [(1, 1), (10, 1), (100, 200), (1, 5)] {
            let buckets = buckets(per_second, burst);
            for taken in 1..=burst {
                let standing = buckets.take(&1).unwrap();
                assert_eq!(standing.remaining, burst - taken);
                assert_eq!(standing.full_in, Duration::from_secs(taken.into()) / per_second);
            }
            let empty = buckets.take(&1).unwrap_err();
            let one = Duration::from_secs(1) / per_second;
            assert!(
                empty.retry_after <= one && empty.retry_after + Duration::from_millis(1) > one,
                "{empty:?}"
            );
            assert_eq!(buckets.take(&2).unwrap().remaining, burst - 1, "another client has its own");
            advance(one).await;
            assert!(buckets.take(&1).is_ok());
            assert!(buckets.take(&1).is_err());
            advance(Duration::from_secs(3_600)).await;
            assert_eq!((0..2 * burst).filter(|_| buckets.take(&1).is_ok()).count(), burst as usize);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn idle_clients_are_removed() {
        let buckets = buckets(10, 20);
        for client in 0..1_000 {
            buckets.take(&client).unwrap();
        }
        buckets.sweep();
        assert_eq!(buckets.clients(), 1_000);
        for _ in 0..20 {
            let _ = buckets.take(&7);
        }
        advance(Duration::from_millis(500)).await;
        buckets.sweep();
        assert_eq!(buckets.clients(), 1, "who has much to fill is remembered");
        advance(Duration::from_secs(2)).await;
        buckets.sweep();
        assert_eq!(buckets.clients(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn too_many_clients_share() {
        let mut buckets = buckets(1, 2);
        buckets.clients_max = 100;
        for client in 0..101 {
            let _ = buckets.take(&client);
        }
        buckets.sweep();
        for client in 0..10_000 {
            let _ = buckets.take(&client);
        }
        assert!(buckets.clients() <= 101 + 1_024, "{}", buckets.clients());
        advance(Duration::from_secs(10)).await;
        buckets.sweep();
        assert_eq!(buckets.take(&5).unwrap().remaining, 1, "it is over");
    }
}
