//! The clocks of one place: a monotonic one that all share, and a wall clock that is wrong.

use crate::app::ports::{Clock, Sleep};
use crate::domain::Timestamp;
use crate::sim::node::SimClock;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

const MINUTE_MS: i64 = 60_000;
const TEN_YEARS_MS: i64 = 10 * 365 * 24 * 60 * MINUTE_MS;

/// By how much wall clocks are ahead of the machine's. The largest leap they lead to is far below the time a key is known.
pub(super) const AHEAD_MS: [i64; 8] =
    [0, 0, 30_000, -30_000, 10 * MINUTE_MS, -10 * MINUTE_MS, TEN_YEARS_MS, -TEN_YEARS_MS];

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
    pub(super) fn set_ahead(&self, milliseconds: i64) {
        self.ahead.store(milliseconds, Ordering::SeqCst);
    }

    /// The wall clock goes faster or slower than time passes.
    pub(super) fn drift(&self, milliseconds: i64) {
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
