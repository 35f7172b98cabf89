//! Wrong passwords: after a few free tries, each further one has to wait longer.
//!
//! Counted for a login *from a network*, so that nobody locks somebody else out. A try counts when it begins and is forgotten
//! when it was right; so many at once do not pass together. Known and unknown logins are counted alike.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// Tries that need not wait.
const FREE: u32 = 5;
/// The longest wait.
const WAIT_MAX: Duration = Duration::from_secs(300);
/// After so long without a try nothing is known of earlier ones.
const FORGOTTEN: Duration = Duration::from_secs(1_800);
/// Pairs of login and network that are remembered; beyond, those that have waited longest are forgotten.
const REMEMBERED_MAX: usize = 65_536;

/// The wrong passwords of late.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    of: Mutex<HashMap<[u8; 32], Attempt>>,
}

#[derive(Debug, Clone, Copy)]
struct Attempt {
    tries: u32,
    next: Instant,
}

impl Attempts {
    /// Counts a try; the error is how long to wait before the next one.
    pub(crate) fn begin(&self, pair: [u8; 32]) -> Result<(), Duration> {
        let now = Instant::now();
        let mut of = self.of.lock();
        if of.len() >= REMEMBERED_MAX && !of.contains_key(&pair) {
            make_room(&mut of, now);
        }
        let attempt = of.entry(pair).or_insert(Attempt { tries: 0, next: now });
        if attempt.next > now {
            return Err(attempt.next - now);
        }
        if now - attempt.next > FORGOTTEN {
            attempt.tries = 0;
        }
        attempt.tries = attempt.tries.saturating_add(1);
        attempt.next = now + wait_after(attempt.tries);
        Ok(())
    }

    /// The last try of a pair was wrong: the wait begins now, however long the comparison took.
    pub(crate) fn fail(&self, pair: [u8; 32]) {
        if let Some(attempt) = self.of.lock().get_mut(&pair) {
            attempt.next = Instant::now() + wait_after(attempt.tries);
        }
    }

    /// Forgets the last try of a pair: it was not compared.
    pub(crate) fn take_back(&self, pair: [u8; 32]) {
        if let Some(attempt) = self.of.lock().get_mut(&pair) {
            attempt.tries = attempt.tries.saturating_sub(1);
            attempt.next = Instant::now();
        }
    }

    /// Forgets the tries of a pair: the last one was right.
    pub(crate) fn succeed(&self, pair: [u8; 32]) {
        self.of.lock().remove(&pair);
    }
}

/// 0 for the free tries, then 1, 2, 4 ... 300 seconds.
fn wait_after(tries: u32) -> Duration {
    let Some(beyond) = tries.checked_sub(FREE) else { return Duration::ZERO };
    Duration::from_secs(1_u64.checked_shl(beyond).unwrap_or(u64::MAX)).min(WAIT_MAX)
}

fn make_room(of: &mut HashMap<[u8; 32], Attempt>, now: Instant) {
    of.retain(|_, attempt| attempt.next + FORGOTTEN > now);
    if of.len() < REMEMBERED_MAX {
        return;
    }
    let mut times: Vec<Instant> = of.values().map(|attempt| attempt.next).collect();
    let (_, middle, _) = times.select_nth_unstable(REMEMBERED_MAX / 2);
    let middle = *middle;
    of.retain(|_, attempt| attempt.next > middle);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn five_are_free_and_each_further_one_waits_twice_as_long() {
        let attempts = Attempts::default();
        let mut waits = Vec::new();
        for _ in 0..16 {
            while let Err(wait) = attempts.begin([1; 32]) {
                waits.push(wait.as_secs());
                tokio::time::advance(wait).await;
            }
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert!(attempts.begin([2; 32]).is_ok(), "another login, or another network");
        assert!(attempts.begin([1; 32]).is_err());
        tokio::time::advance(WAIT_MAX + FORGOTTEN + Duration::from_secs(1)).await;
        for _ in 0..FREE {
            assert!(attempts.begin([1; 32]).is_ok());
        }
        assert!(attempts.begin([1; 32]).is_err());
        attempts.succeed([1; 32]);
        assert!(attempts.begin([1; 32]).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_try_that_was_not_compared_takes_back_itself_alone() {
        let attempts = Attempts::default();
        for _ in 0..3 {
            attempts.begin([1; 32]).unwrap();
        }
        for _ in 0..10 {
            attempts.begin([1; 32]).unwrap();
            attempts.take_back([1; 32]);
        }
        assert_eq!((0..9).filter(|_| attempts.begin([1; 32]).is_ok()).count(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_begins_when_the_comparison_has_ended() {
        let attempts = Attempts::default();
        for _ in 0..FREE {
            attempts.begin([1; 32]).unwrap();
            tokio::time::advance(Duration::from_secs(5)).await;
            attempts.fail([1; 32]);
        }
        assert_eq!(attempts.begin([1; 32]), Err(Duration::from_secs(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn many_at_once_count_as_many() {
        let attempts = Attempts::default();
        assert_eq!((0..100).filter(|_| attempts.begin([1; 32]).is_ok()).count(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_remembered_has_a_bound() {
        let attempts = Attempts::default();
        for number in 0..200_000_u64 {
            let mut pair = [0; 32];
            pair[..8].copy_from_slice(&number.to_le_bytes());
            attempts.begin(pair).unwrap();
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        assert!(attempts.of.lock().len() <= REMEMBERED_MAX);
    }
}
