//! Simulated clocks and event ids: nothing moves unless the caller moves it.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use onhand_app::ports::{Clock, EventIds, Sleep};
use onhand_domain::Timestamp;
use uuid::Uuid;

/// Clocks that stand still until they are moved: the wall clock in any direction, the monotonic one ahead.
#[derive(Debug, Default)]
pub struct SimClock {
    wall: AtomicI64,
    passed: AtomicI64,
}

impl SimClock {
    /// Sets the wall clock to `at`.
    pub fn set(&self, at: Timestamp) {
        self.wall.store(at.milliseconds(), Ordering::SeqCst);
    }

    /// Lets `milliseconds` pass; when negative, turns the wall clock back.
    pub fn pass(&self, milliseconds: i64) {
        self.wall.fetch_add(milliseconds, Ordering::SeqCst);
        self.passed.fetch_add(milliseconds.max(0), Ordering::SeqCst);
    }

    /// Moves the wall clock by `milliseconds`, while no time passes.
    pub fn jump(&self, milliseconds: i64) {
        self.wall.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.wall.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.passed.load(Ordering::SeqCst).unsigned_abs())
    }

    /// Must be polled again after time has passed.
    fn sleep(&self, time: Duration) -> Sleep<'_> {
        let over = self.monotonic() + time;
        Box::pin(std::future::poll_fn(move |context| {
            if self.monotonic() >= over {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        }))
    }
}

/// Event ids that count up.
#[derive(Debug, Default)]
pub struct SimIds(AtomicU64);

impl EventIds for SimIds {
    fn event_id(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.0.fetch_add(1, Ordering::SeqCst)))
    }
}
