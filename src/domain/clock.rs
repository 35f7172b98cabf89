//! The log's own time as a thing in the log: where it moved ahead by more than had passed, an event says so.
//!
//! Time of the log goes on at the pace of a clock that does not jump. When it is to follow the wall clock further than that,
//! a `CLOCK` event comes first, whose entry still has the old time; everything behind it may have the new one. What
//! expires then does so behind a sign that says why.

use crate::domain::{Draft, Fact, Misfit, Timestamp};
use serde::{Deserialize, Serialize};

/// Where the log's time stood after its last leap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clock {
    /// Where the last leap led.
    pub time: Timestamp,
    /// Leaps so far.
    pub version: u64,
    /// The time of the last event.
    pub updated_at: Timestamp,
}

/// `CLOCK`: from here on the log's time may be `to`, although it was `from` until now and no time has passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Leap {
    /// The time of the log until now.
    pub from: Timestamp,
    /// The time of the wall clock, which the log's time follows.
    pub to: Timestamp,
}

/// What a leap came to; before it, the same with the time it began at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClockAfter {
    /// See [`Clock::time`].
    pub time: Timestamp,
    /// See [`Clock::version`].
    pub version: u64,
}

/// The log's time in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields of Clock, under their names")]
pub struct ClockRecord {
    pub time: Timestamp,
    pub version: u64,
    pub updated_at: Timestamp,
}

/// Records that the log's time is to go on from `to`; nothing when it is there already.
pub(in crate::domain) fn decide(draft: &mut Draft<'_>, to: Timestamp) {
    let from = draft.now();
    if from < to {
        draft.record(Fact::Clock(Leap { from, to }));
    }
}

impl Leap {
    /// What it was before this leap, from what it was after; nothing when the two cannot belong together.
    pub fn before(&self, after: ClockAfter) -> Option<ClockAfter> {
        Some(ClockAfter { time: self.from, version: after.version.checked_sub(1)? })
    }
}

impl Clock {
    /// Moves on by one leap; answers what it was before.
    pub(in crate::domain) fn apply(&mut self, leap: &Leap, at: Timestamp) -> Result<Self, Misfit> {
        if leap.from >= leap.to || self.version > 0 && leap.from < self.updated_at {
            return Err(Misfit::Clock);
        }
        let before = self.clone();
        *self = Self { time: leap.to, version: self.version + 1, updated_at: at };
        Ok(before)
    }

    /// The numbers an event records.
    pub const fn after(&self) -> ClockAfter {
        ClockAfter { time: self.time, version: self.version }
    }

    pub(in crate::domain) const fn record(&self) -> ClockRecord {
        ClockRecord { time: self.time, version: self.version, updated_at: self.updated_at }
    }

    pub(in crate::domain) const fn restore(record: &ClockRecord) -> Self {
        Self { time: record.time, version: record.version, updated_at: record.updated_at }
    }
}
