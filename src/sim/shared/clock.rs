//! Time: the clocks of one place, a monotonic one that all share and a wall clock that is wrong, and how time passes for all.

use super::house::House;
use crate::app::ports::{Clock, Sleep};
use crate::domain::Timestamp;
use crate::sim::node::SimClock;
use crate::sim::random::Random;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

const MINUTE_MS: i64 = 60_000;
const TEN_YEARS_MS: i64 = 10 * 365 * 24 * 60 * MINUTE_MS;

/// By how much wall clocks are ahead of the machine's. The largest leap they lead to is far below the time a key is known.
const AHEAD_MS: [i64; 8] =
    [0, 0, 30_000, -30_000, 10 * MINUTE_MS, -10 * MINUTE_MS, TEN_YEARS_MS, -TEN_YEARS_MS];

/// Time passes in steps of so many milliseconds: nobody who lives misses the time of a lease.
const STEP_MS: i64 = 20;

/// The clocks of the processes that run in one place.
pub(super) struct PlaceClock {
    machine: Arc<SimClock>,
    ahead: AtomicI64,
}

impl PlaceClock {
    pub(super) fn new(machine: &Arc<SimClock>) -> Self {
        Self { machine: Arc::clone(machine), ahead: AtomicI64::new(0) }
    }

    /// The wall clock is set.
    fn set_ahead(&self, milliseconds: i64) {
        self.ahead.store(milliseconds, Ordering::SeqCst);
    }

    /// The wall clock goes faster or slower than time passes.
    fn drift(&self, milliseconds: i64) {
        self.ahead.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

impl Clock for PlaceClock {
    fn now(&self) -> Timestamp {
        self.machine.now().plus_milliseconds(self.ahead.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        self.machine.monotonic()
    }

    fn sleep(&self, time: Duration) -> Sleep<'_> {
        self.machine.sleep(time)
    }
}

impl House {
    /// The wall clock of a place is set, by chance; answers how far ahead it is, in milliseconds.
    pub(super) fn set_clock(&mut self, place: usize, random: &mut Random) -> i64 {
        let ahead = AHEAD_MS.get(random.below(AHEAD_MS.len())).copied().unwrap_or_default();
        self.place(place).clock.set_ahead(ahead);
        ahead
    }

    /// Log time as the earliest and the latest process has it, of those that keep time.
    pub(super) fn log_times(&self) -> Option<(i64, i64)> {
        let kept = self.places.iter().filter(|place| !self.disk.has_killed(place.number));
        let kept = kept.filter_map(|place| place.process.as_ref());
        let kept = kept.filter(|process| !process.frozen && !process.sick && !process.is_over());
        let times: Vec<i64> = kept.map(|process| process.ledger.now().milliseconds()).collect();
        Some((*times.iter().min()?, *times.iter().max()?))
    }

    /// Milliseconds since the beginning.
    pub(super) fn passed(&self) -> i64 {
        i64::try_from(self.clock.monotonic().as_millis()).unwrap_or(i64::MAX)
    }

    /// Time passes, and everybody who is not frozen looks after leases and log.
    pub(super) fn pass(&mut self, milliseconds: u64) {
        let mut left = i64::try_from(milliseconds).unwrap_or(i64::MAX);
        while left > 0 {
            let step = left.min(STEP_MS);
            self.clock.pass(step);
            left -= step;
            for place in &mut self.places {
                if step == STEP_MS {
                    place.clock.drift(place.drift);
                }
                if let Some(process) = &mut place.process
                    && !self.disk.has_killed(place.number)
                {
                    process.step();
                }
            }
        }
    }
}
