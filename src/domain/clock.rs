//! The log's own time as a thing in the log: where it moved ahead by more than had passed, an event says so.
//!
//! Time of the log goes on at the pace of a clock that does not jump. When it is to follow the wall clock further than that,
//! a `CLOCK` event comes first, whose entry still has the old time; everything behind it may have the new one. What
//! expires then does so behind a sign that says why.

use crate::domain::{Decide, Draft, EventKind, Fact, Key, Kind, Leasing, Misfit, Refusal, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};

/// Where the log's time stood after its last leap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogClock {
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
#[allow(missing_docs, reason = "the fields of LogClock, under their names")]
pub struct ClockRecord {
    pub time: Timestamp,
    pub version: u64,
    pub updated_at: Timestamp,
}

/// A leap that leads back, or begins before the last event of its kind.
const TURNED_BACK: Misfit = Misfit("the event would turn the time of the log back");

/// Let the time of the log go on from this one, which is later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeapTo(pub Timestamp);

impl Decide for LeapTo {
    fn add_keys(&self, keys: &mut Vec<Key>) {
        keys.push(Key::Clock);
    }

    /// Records the leap; nothing when the log's time is there already.
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Refusal> {
        let (from, to) = (draft.now(), self.0);
        if from < to {
            draft.record(Fact::Clock(Leap { from, to }));
        }
        Ok(())
    }
}

impl Kind for LogClock {
    type Id = ();
    type State = Self;
    type Fact = Leap;
    type After = ClockAfter;
    type Record = ClockRecord;
    type Undo = Self;

    const LEASE: Leasing = Leasing::OfOneLog;

    fn id(_: &Leap) {}

    fn event(_: &Leap) -> EventKind {
        EventKind::Clock
    }

    fn read<'de, D: Deserializer<'de>>(_: EventKind, payload: D) -> Result<Leap, D::Error> {
        Deserialize::deserialize(payload)
    }

    fn apply(clock: &mut Self, leap: &Leap, at: Timestamp) -> Result<Self, Misfit> {
        if leap.from >= leap.to || clock.version > 0 && leap.from < clock.updated_at {
            return Err(TURNED_BACK);
        }
        let version = clock.version + 1;
        Ok(std::mem::replace(clock, Self { time: leap.to, version, updated_at: at }))
    }

    fn undo(clock: &mut Self, before: Self) {
        *clock = before;
    }

    fn after(clock: &Self) -> ClockAfter {
        ClockAfter { time: clock.time, version: clock.version }
    }

    fn before(leap: &Leap, after: ClockAfter) -> Option<ClockAfter> {
        Some(ClockAfter { time: leap.from, version: after.version.checked_sub(1)? })
    }

    fn version_of(after: &ClockAfter) -> u64 {
        after.version
    }

    fn version(clock: &Self) -> u64 {
        clock.version
    }

    fn set_updated_at(clock: &mut Self, at: Timestamp) {
        clock.updated_at = at;
    }

    fn record(clock: &Self, (): ()) -> ClockRecord {
        let &Self { time, version, updated_at } = clock;
        ClockRecord { time, version, updated_at }
    }

    fn restore(record: ClockRecord) -> Result<((), Self), Misfit> {
        let ClockRecord { time, version, updated_at } = record;
        Ok(((), Self { time, version, updated_at }))
    }

    fn id_in(_: &ClockRecord) {}

    fn updated_at_in(record: &ClockRecord) -> Timestamp {
        record.updated_at
    }
}
