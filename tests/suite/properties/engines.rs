//! The engines that isolate faults, each compared with a plain list of outcomes.

use super::config;
use onhand_resilience::{Backoff, Breaker, BreakerSettings, BreakerState, RetryBudget, TokenBuckets};
use proptest::prelude::*;
use std::num::NonZeroU32;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, advance};

const COOLDOWN_MS: u64 = 10_000;

/// A runtime whose time passes only on demand.
fn paused() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// The model of a breaker: the outcomes since it closed, or until when it is open.
#[derive(Debug)]
enum Plain {
    Closed(Vec<bool>),
    Open(u64),
}

impl Plain {
    fn told(&mut self, failed: bool, threshold: f64, now_ms: u64) {
        let open = Self::Open(now_ms + COOLDOWN_MS);
        match self {
            Self::Open(_) if failed => *self = open,
            Self::Open(_) => *self = Self::Closed(Vec::new()),
            Self::Closed(outcomes) => {
                outcomes.push(failed);
                let last: Vec<bool> = outcomes.iter().rev().take(10).copied().collect();
                let failures = u32::try_from(last.iter().filter(|failed| **failed).count()).unwrap();
                let share = f64::from(failures) / f64::from(u32::try_from(last.len()).unwrap());
                if failed && last.len() >= 5 && share >= threshold {
                    *self = open;
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_breaker_is_what_its_last_outcomes_make_it(
        tenths in 1..=10_u8,
        steps in prop::collection::vec((0..6_000_u64, any::<bool>(), 0..10_u8), 1..80),
    ) {
        let threshold = f64::from(tenths) / 10.0;
        paused().block_on(async {
            let cooldown = Duration::from_millis(COOLDOWN_MS);
            let breaker = Breaker::new("test", BreakerSettings { threshold, cooldown });
            let (mut plain, mut now_ms) = (Plain::Closed(Vec::new()), 0);
            for (wait_ms, failed, dropped) in steps {
                advance(Duration::from_millis(wait_ms)).await;
                now_ms += wait_ms;
                match (breaker.pass(), &plain) {
                    (Err(tripped), Plain::Open(until)) if now_ms < *until => {
                        assert_eq!(tripped.retry_after, Duration::from_millis(until - now_ms));
                        continue;
                    }
                    // A caller that disconnects reports nothing, and the next one may probe.
                    (Ok(permit), _) if dropped == 0 => drop(permit),
                    (Ok(permit), _) => {
                        if failed { permit.failed() } else { permit.succeeded() }
                        plain.told(failed, threshold, now_ms);
                    }
                    (Err(tripped), plain) => panic!("{tripped:?} at {now_ms}, {plain:?}"),
                }
                let closed = matches!(plain, Plain::Closed(_));
                assert_eq!(breaker.position() == BreakerState::Closed, closed, "at {now_ms}: {plain:?}");
            }
        });
    }

    #[test]
    fn no_client_gets_more_than_its_burst_and_its_rate(
        per_second in 1..50_u32,
        burst in 1..20_u32,
        waits_ms in prop::collection::vec((0..2_u8, 0..400_u64), 1..120),
    ) {
        let number = |number| NonZeroU32::new(number).unwrap();
        let taken: Vec<(u8, Duration)> = paused().block_on(async {
            let buckets = TokenBuckets::new(number(per_second), number(burst));
            let (mut taken, begun) = (Vec::new(), Instant::now());
            for (client, wait_ms) in waits_ms {
                advance(Duration::from_millis(wait_ms)).await;
                buckets.sweep();
                if let Err(empty) = buckets.take(&client) {
                    advance(empty.retry_after + Duration::from_millis(1)).await;
                    assert!(buckets.take(&client).is_ok(), "it was told when to come back");
                }
                taken.push((client, begun.elapsed()));
            }
            taken
        });
        for client in 0..2 {
            let times: Vec<Duration> = taken.iter().filter(|(of, _)| *of == client).map(|(_, at)| *at).collect();
            for (first, from) in times.iter().enumerate() {
                for (last, to) in times.iter().enumerate().skip(first) {
                    let passed_ms = to.saturating_sub(*from).as_millis();
                    let most = u128::from(burst) + u128::from(per_second) * passed_ms / 1_000 + 1;
                    prop_assert!((last - first + 1) as u128 <= most, "{first} to {last}: {times:?}");
                }
            }
        }
    }

    #[test]
    fn retries_are_no_more_than_the_answers_pay_for(outcomes in prop::collection::vec(any::<bool>(), 1..300)) {
        let budget = RetryBudget::default();
        let (mut answers, mut retries) = (0, 0);
        for answered in outcomes {
            if answered {
                budget.answered();
                answers += 1;
            } else if budget.failed() {
                retries += 1;
            }
            prop_assert!(retries <= 5 + answers / 10, "{retries} retries for {answers} answers");
        }
    }

    #[test]
    fn a_wait_is_never_above_its_ceiling(base_ms in 0..10_000_u64, max_ms in 0..60_000_u64, tries in 1..70_u32) {
        let backoff = Backoff { base: Duration::from_millis(base_ms), max: Duration::from_millis(max_ms) };
        let doubled = u128::from(base_ms) << (tries - 1).min(40);
        prop_assert!(backoff.wait(tries).as_nanos() <= doubled.min(max_ms.into()) * 1_000_000);
    }
}
