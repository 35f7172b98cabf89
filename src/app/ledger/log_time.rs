//! Log time: it runs at the pace of the monotonic clock, and follows a jump of the wall clock only behind an event in the log that
//! records the leap.
//!
//! Everything that expires (holds, idempotency records) expires in log time, so a jump of the wall clock must not move it at once. The
//! rules:
//!
//! - **Pace.** Log time advances by the monotonic clock. It never goes back.
//! - **Small differences** to the wall clock, up to [`APART_MS`], are corrected by running faster or slower by one part in [`STEER`].
//!   A wall clock under NTP never drifts further than that.
//! - **The wall clock jumps ahead** by more: log time keeps its pace. Once the wall clock has run evenly for [`SETTLE`]
//!   ([`SETTLE_FAR`], when it is more than [`FAR_MS`] ahead), it is trusted: a `CLOCK` event with both times is made durable, and *only
//!   then* log time leaps. Holds that are overdue then expire behind that event. A wall clock that is corrected within that period
//!   has no effect.
//! - **The wall clock jumps back**: log time keeps its pace. It stays ahead of the wall clock, and holds still last as long as they
//!   were promised.
//! - **A start** continues from the time of the last entry, because no monotonic clock spans the time off. A difference up to
//!   [`APART_MS`] is taken from the wall clock; up to [`FAR_MS`] it is trusted at once, but behind a `CLOCK` event (a node that was off
//!   over night); a larger one has to settle first, as above.
//!
//! - **Processes that share a ledger** have one log time. Each publishes its own whenever it renews its leases, and none is behind the
//!   latest time that another has published or written. A process that joins continues from there at pace: while another process runs, a
//!   different wall clock means that the own one has jumped. Only where no other process runs, the rule of a start applies, to the
//!   last entry of all logs. The `CLOCK` event of a leap stands in the log of the process that leapt.
//!
//! Between two entries log time therefore advances by the time that passed, plus a thousandth of it, plus [`APART_MS`] for a start
//! between them, unless a `CLOCK` event precedes the second entry.
//!
//! The price: times in the log may be wrong for an hour (or a day) after the wall clock was corrected; a node that is off keeps no
//! time, so a hold that spans a start with a late wall clock lasts longer by the difference; and a wall clock that stays wrong
//! for more than the hour, by less than [`FAR_MS`], is trusted in the end.

use crate::ports::Clock;
use onhand_domain::Timestamp;
use onhand_planted::{Bug, planted};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

/// Largest difference to the wall clock that is corrected by steering, in milliseconds: one minute.
pub const APART_MS: i64 = 60_000;
/// Largest difference that a start trusts at once, in milliseconds: 31 days.
pub const FAR_MS: i64 = 31 * 24 * 3_600_000;
/// How long a wall clock that has jumped ahead must run evenly before it is trusted: one hour.
pub const SETTLE: Duration = Duration::from_secs(3_600);
/// As [`SETTLE`], for a wall clock that is more than [`FAR_MS`] ahead: one day.
pub const SETTLE_FAR: Duration = Duration::from_secs(24 * 3_600);
/// Log time runs faster or slower by one part in this number to meet the wall clock.
pub const STEER: i64 = 1_000;

/// The clock of one ledger.
pub(crate) struct LogTime {
    clock: Arc<dyn Clock>,
    state: Mutex<TimeState>,
}

/// Log time at the last reading, and its pace since.
#[derive(Debug, Clone, Copy)]
struct TimeState {
    /// Log time at that reading.
    log: Timestamp,
    /// The monotonic clock at that reading, in milliseconds.
    at: i64,
    /// Faster (1), slower (-1), or at the pace of the monotonic clock (0).
    steer: i64,
    apart: Option<Apart>,
}

/// A difference to the wall clock that is too large to steer.
#[derive(Debug, Clone, Copy)]
struct Apart {
    /// By how much the wall clock was ahead when the difference was found, in milliseconds.
    ahead: i64,
    /// The monotonic clock at which the wall clock is trusted if it has run evenly, in milliseconds.
    settled: i64,
    reported: bool,
}

/// One comparison of log time with the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeSeen {
    /// By how much the wall clock is ahead of log time, in milliseconds.
    pub ahead_ms: i64,
    /// A change since the last comparison; each change is reported once.
    pub news: Option<TimeNews>,
}

/// A change between log time and the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeNews {
    /// The wall clock has jumped; log time does not follow.
    Apart,
    /// The difference is small again.
    Together,
    /// Log time has leapt to the wall clock, behind a `CLOCK` event.
    Leapt {
        /// Log time before the leap.
        from: Timestamp,
        /// Log time after it.
        to: Timestamp,
    },
}

/// The result of a comparison.
pub(crate) enum ClockComparison {
    Seen(TimeSeen),
    /// The wall clock is trusted: the caller makes a `CLOCK` event durable, and then calls [`LogTime::leap`].
    Leap(WallClock),
}

/// The wall clock at a moment of the monotonic clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WallClock {
    pub(crate) time: Timestamp,
    at: i64,
}

impl LogTime {
    /// The clock of a log whose last entry has the time `last`; none for an empty log.
    pub(crate) fn start(clock: Arc<dyn Clock>, last: Option<Timestamp>) -> Self {
        let wall = read_clocks(&*clock);
        let mut state = TimeState { log: wall.time, at: wall.at, steer: 0, apart: None };
        if let Some(last) = last {
            let ahead = wall.time.milliseconds() - last.milliseconds();
            if !(0..=APART_MS).contains(&ahead) {
                state.log = last;
            }
            if (APART_MS + 1..=FAR_MS).contains(&ahead) {
                state.apart = Some(Apart { ahead, settled: wall.at, reported: true });
            }
        }
        Self { clock, state: Mutex::new(state) }
    }

    /// Continues from the latest time of the ledger, once the logs of the other processes are read: by the rule of a start where no
    /// other process is `present`, else at pace from `latest`.
    pub(crate) fn join(&self, latest: Option<Timestamp>, present: bool) {
        if planted(Bug::TrustJoinersClock) {
            return;
        }
        let started = Self::start(Arc::clone(&self.clock), latest).state.into_inner();
        let mut state = self.state.lock();
        *state = match latest.filter(|_| present) {
            Some(log) => TimeState { log, apart: None, ..started },
            None => started,
        };
    }

    /// Advances to the log time of another process, if that is later.
    pub(crate) fn at_least(&self, time: Timestamp) {
        let at = milliseconds(self.clock.monotonic());
        let mut state = self.state.lock();
        let now = state.time(at);
        if time > now && !planted(Bug::TrustJoinersClock) {
            state.log = time;
            state.at = state.at.max(at);
        }
    }

    /// Log time now.
    pub(crate) fn now(&self) -> Timestamp {
        if planted(Bug::FollowWallClock) {
            return self.clock.now();
        }
        let state = self.state.lock();
        state.time(milliseconds(self.clock.monotonic()))
    }

    /// Compares log time with the wall clock, and steers.
    pub(crate) fn compare(&self) -> ClockComparison {
        let wall = read_clocks(&*self.clock);
        let mut state = self.state.lock();
        state.log = state.time(wall.at);
        state.at = state.at.max(wall.at);
        let ahead = wall.time.milliseconds() - state.log.milliseconds();
        let mut news = None;
        if ahead.abs() <= APART_MS {
            state.steer = ahead.signum();
            news = state.apart.take().filter(|apart| apart.reported).map(|_| TimeNews::Together);
        } else {
            state.steer = 0;
            let same = state.apart.filter(|apart| (ahead - apart.ahead).abs() <= APART_MS);
            let mut apart = same.unwrap_or_else(|| {
                let settle = if ahead > FAR_MS { SETTLE_FAR } else { SETTLE };
                Apart { ahead, settled: wall.at + milliseconds(settle), reported: false }
            });
            if !apart.reported {
                news = Some(TimeNews::Apart);
                apart.reported = true;
            }
            state.apart = Some(apart);
            if ahead > 0 && wall.at >= apart.settled {
                return ClockComparison::Leap(wall);
            }
        }
        ClockComparison::Seen(TimeSeen { ahead_ms: ahead, news })
    }

    /// Leaps to the wall clock. The `CLOCK` event must be durable before.
    pub(crate) fn leap(&self, wall: WallClock) {
        let at = milliseconds(self.clock.monotonic());
        let mut state = self.state.lock();
        let now = wall.time.plus_milliseconds(at - wall.at);
        *state = TimeState { log: state.time(at).max(now), at, steer: 0, apart: None };
    }
}

impl TimeState {
    /// Log time when the monotonic clock is at `at` milliseconds.
    fn time(&self, at: i64) -> Timestamp {
        // Another thread may have updated the state after this one read the clock.
        let passed = (at - self.at).max(0);
        self.log.plus_milliseconds(passed + self.steer * (passed / STEER))
    }
}

fn read_clocks(clock: &dyn Clock) -> WallClock {
    WallClock { at: milliseconds(clock.monotonic()), time: clock.now() }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

const _: () = assert!(STEER > 1, "log time goes on even when it goes slower");
