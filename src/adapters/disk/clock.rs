//! The system clock and random ids: the only place that reads them from the machine.

use onhand_app::ports::{Clock, EventIds, Sleep};
use onhand_domain::Timestamp;
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// The clocks of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the real clock")]
    fn now(&self) -> Timestamp {
        let milliseconds = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |age| -age),
        };
        Timestamp::from_milliseconds(milliseconds)
    }

    fn monotonic(&self) -> Duration {
        let passed = clock_gettime(ClockId::Boottime);
        Duration::try_from(passed).expect("a machine is not booted before it is booted")
    }

    fn sleep(&self, time: Duration) -> Sleep<'_> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// Generator of UUIDs of version 7.
#[derive(Debug, Clone, Copy, Default)]
pub struct TimeOrderedIds;

impl EventIds for TimeOrderedIds {
    fn event_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}
