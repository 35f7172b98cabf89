//! The time of the log: it goes on at the pace of a clock that does not jump, and follows the wall clock only as far as
//! can be reported from the log.
//!
//! Everything that runs out (holds, idempotency records) runs out in this time, so whoever moves the wall clock must not
//! move it with one stroke. The rule:
//!
//! - **Pace.** Log time is where it stood plus what the monotonic clock has counted since. It never goes back.
//! - **Small differences** to the wall clock, up to [`APART_MS`], are made up for by going faster or slower, by one part in
//!   [`STEER`]. A wall clock that is kept right by NTP is never left.
//! - **The wall clock jumps ahead** by more than that: log time goes on as if nothing had happened. When the wall clock
//!   has then run evenly for [`SETTLE`] ([`SETTLE_FAR`], when it is more than [`FAR_MS`] ahead), it is believed: a `CLOCK`
//!   event with both times is made durable, and *only then* log time leaps. What had to expire by then expires now, behind
//!   that event. A wall clock that was set wrong and is set right again within that time has done nothing at all.
//! - **The wall clock jumps back**: log time goes on. It is ahead of the wall clock from then on, and holds run out after
//!   the time they were given, as ever.
//! - **A start** goes on from the time of the last entry, as no monotonic clock tells how long the node was off. Up to
//!   [`APART_MS`] are taken from the wall clock as they are; up to [`FAR_MS`] are believed at once, but behind a `CLOCK`
//!   event (a node that was off over night); more are settled first, as above.
//!
//! - **Processes that share a ledger** have one log time. Each notes its own whenever it renews its leases, and none is behind
//!   the latest that another one has noted or written. Whoever joins goes on from there at pace: while another process runs,
//!   its wall clock has jumped if it is somewhere else; only where nobody runs the rule of a start applies, to the last entry
//!   of all logs. The `CLOCK` event of a leap stands in the log of the process that leapt.
//!
//! So between two entries log time moves by no more than what has passed (and a thousandth of it; and [`APART_MS`] for a
//! start between them), unless a `CLOCK` event stands in front of the second one.
//!
//! The price: times in the log may be wrong for an hour (or a day) after the wall clock was set right; a node that is switched off
//! keeps no time, so a hold that lives through a start with a late wall clock lives longer by that; and a wall clock that stays wrong
//! for more than the hour, by less than [`FAR_MS`], is believed in the end.

use crate::app::ports::Clock;
use crate::domain::Timestamp;
use crate::planted::{Bug, planted};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

/// As much as the wall clock may differ without being apart: one minute.
pub const APART_MS: i64 = 60_000;
/// So much is not believed of a start at once: 31 days.
pub const FAR_MS: i64 = 31 * 24 * 3_600_000;
/// How long a wall clock that has jumped ahead must run evenly before it is believed: one hour.
pub const SETTLE: Duration = Duration::from_secs(3_600);
/// The same, when it is more than [`FAR_MS`] ahead: one day.
pub const SETTLE_FAR: Duration = Duration::from_secs(24 * 3_600);
/// Log time goes faster or slower by one part in so many to meet the wall clock.
pub const STEER: i64 = 1_000;

/// The time of one log.
pub(crate) struct LogTime {
    clock: Arc<dyn Clock>,
    state: Mutex<TimeState>,
}

/// Where log time stood at the last look, and how it goes on.
#[derive(Debug, Clone, Copy)]
struct TimeState {
    /// Log time then.
    log: Timestamp,
    /// The monotonic clock then, in milliseconds.
    at: i64,
    /// Faster (1), slower (-1), or at the pace of the monotonic clock.
    steer: i64,
    apart: Option<Apart>,
}

/// The wall clock is somewhere else.
#[derive(Debug, Clone, Copy)]
struct Apart {
    /// It was ahead by so much when that was seen.
    ahead: i64,
    /// It is believed when the monotonic clock is there, if it has run evenly.
    settled: i64,
    reported: bool,
}

/// What one look at the wall clock came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeSeen {
    /// By how much the wall clock is ahead of the log's time, in milliseconds.
    pub ahead_ms: i64,
    /// What has changed, each change once.
    pub news: Option<TimeNews>,
}

/// A change between the log's time and the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeNews {
    /// The wall clock has jumped; log time goes on without it.
    Apart,
    /// They are together again.
    Together,
    /// Log time follows the wall clock from here; the log says so.
    Leapt {
        /// Log time until now.
        from: Timestamp,
        /// And now.
        to: Timestamp,
    },
}

/// What a look at the clocks asks for.
pub(crate) enum ClockComparison {
    Seen(TimeSeen),
    /// The wall clock is believed: the log is to say so, then [`LogTime::leap`].
    Leap(WallClock),
}

/// The wall clock at a moment of the monotonic one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WallClock {
    pub(crate) time: Timestamp,
    at: i64,
}

impl LogTime {
    /// The time of a log whose last entry has the time `last`, if it has one.
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

    /// Goes on from the latest time of the ledger, once it is known what the other processes have written: as after a start
    /// where nobody else is `present`, else at pace from where they are.
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

    /// Another process of the ledger has come so far.
    pub(crate) fn at_least(&self, time: Timestamp) {
        let at = milliseconds(self.clock.monotonic());
        let mut state = self.state.lock();
        let now = state.time(at);
        if time > now && !planted(Bug::TrustJoinersClock) {
            state.log = time;
            state.at = state.at.max(at);
        }
    }

    /// The time of the log now.
    pub(crate) fn now(&self) -> Timestamp {
        if planted(Bug::FollowWallClock) {
            return self.clock.now();
        }
        let state = self.state.lock();
        state.time(milliseconds(self.clock.monotonic()))
    }

    /// Holds log time against the wall clock.
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

    /// The log says that its time goes on from what the wall clock was.
    pub(crate) fn leap(&self, wall: WallClock) {
        let at = milliseconds(self.clock.monotonic());
        let mut state = self.state.lock();
        let now = wall.time.plus_milliseconds(at - wall.at);
        *state = TimeState { log: state.time(at).max(now), at, steer: 0, apart: None };
    }
}

impl TimeState {
    /// Log time when the monotonic clock is at `at`.
    fn time(&self, at: i64) -> Timestamp {
        // Another thread may have looked after this one read the clock.
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
