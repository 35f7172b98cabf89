//! Log time as a state in the log: an event records every leap.
//!
//! Log time runs at the pace of the monotonic clock. Before it leaps to the wall clock, a `CLOCK` event is written, whose entry
//! still has the old time; the entries behind it may have the new one. Holds that the leap expires therefore stand behind its cause.

use crate::identity::{Access, Denied};
use crate::{Decide, Draft, EventKind, Fact, Key, Kind, Leasing, Misfit, Refusal, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};

/// Log time after its last leap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogClock {
    /// The target of the last leap.
    pub time: Timestamp,
    /// The number of leaps.
    pub version: u64,
    /// The time of the last event.
    pub updated_at: Timestamp,
}

/// `CLOCK`: log time leaps from `from` to `to`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Leap {
    /// Log time before the leap.
    pub from: Timestamp,
    /// The wall clock, which log time follows.
    pub to: Timestamp,
}

/// The state after a leap; before it, the time is the `from` of the leap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClockAfter {
    /// See [`LogClock::time`].
    pub time: Timestamp,
    /// See [`LogClock::version`].
    pub version: u64,
}

/// Log time in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields of LogClock, under their names")]
pub struct ClockRecord {
    pub time: Timestamp,
    pub version: u64,
    pub updated_at: Timestamp,
}

/// A leap that goes back, or starts before the last leap.
const TURNED_BACK: Misfit = Misfit("the event would turn the time of the log back");

/// The command for a leap to this later time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeapTo(pub Timestamp);

impl Decide for LeapTo {
    fn permit(&self, _: &Access) -> Result<(), Denied> {
        // No caller gives it.
        Ok(())
    }

    fn add_keys(&self, keys: &mut Vec<Key>) {
        keys.push(Key::Clock);
    }

    /// Records the leap, unless log time has passed its target already.
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
