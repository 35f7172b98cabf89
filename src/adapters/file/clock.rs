//! The real clock and real ids: the only place that asks the machine.

use crate::app::ports::{Clock, EventIds};
use crate::domain::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// The machine's wall clock.
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
}

/// UUIDs of version 7.
#[derive(Debug, Clone, Copy, Default)]
pub struct TimeOrderedIds;

impl EventIds for TimeOrderedIds {
    fn event_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}
