//! The clocks of one place: a monotonic one that all places share, and a wall clock that is wrong.

use onhand_app::ports::{Clock, Sleep};
use onhand_domain::Timestamp;
use onhand_sim_machine::SimClock;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// The clocks of the processes that run in one place.
pub(super) struct PlaceClock {
    machine: Arc<SimClock>,
    ahead: AtomicI64,
}

impl PlaceClock {
    pub(super) fn new(machine: &Arc<SimClock>) -> Self {
        Self { machine: Arc::clone(machine), ahead: AtomicI64::new(0) }
    }

    /// Sets the wall clock.
    pub(super) fn set_ahead(&self, milliseconds: i64) {
        self.ahead.store(milliseconds, Ordering::SeqCst);
    }

    /// Lets the wall clock go faster or slower than time passes.
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
