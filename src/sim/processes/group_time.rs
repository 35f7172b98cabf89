//! The time of a group of processes: it passes for all of them, and each has a wall clock that may be wrong.

use crate::processes::group::ProcessGroup;
use onhand_app::ports::Clock;
use onhand_sim_machine::random::Random;

const MINUTE_MS: i64 = 60_000;
const TEN_YEARS_MS: i64 = 10 * 365 * 24 * 60 * MINUTE_MS;

/// The offsets of wall clocks. The largest leap of log time they lead to is far below the time that a key is kept.
const AHEAD_MS: [i64; 8] =
    [0, 0, 30_000, -30_000, 10 * MINUTE_MS, -10 * MINUTE_MS, TEN_YEARS_MS, -TEN_YEARS_MS];

/// Time passes in steps of so many milliseconds, so that no running process misses the renewal of a lease.
const STEP_MS: i64 = 20;

impl ProcessGroup {
    /// Sets the wall clock of a place to a random offset, and returns that in milliseconds.
    pub(super) fn set_clock(&mut self, place: usize, random: &mut Random) -> i64 {
        let ahead = AHEAD_MS.get(random.below(AHEAD_MS.len())).copied().unwrap_or_default();
        self.place(place).clock.set_ahead(ahead);
        ahead
    }

    /// The earliest and the latest log time of the processes that keep time.
    pub(super) fn log_times(&self) -> Option<(i64, i64)> {
        let kept = self.places.iter().filter(|place| !self.disk.has_killed(place.number));
        let kept = kept.filter_map(|place| place.process.as_ref());
        let kept = kept.filter(|process| !process.frozen && !process.sick && !process.is_over());
        let times: Vec<i64> = kept.map(|process| process.ledger.now().milliseconds()).collect();
        Some((*times.iter().min()?, *times.iter().max()?))
    }

    /// Milliseconds since the start of the run.
    pub(super) fn passed(&self) -> i64 {
        i64::try_from(self.clock.monotonic().as_millis()).unwrap_or(i64::MAX)
    }

    /// Lets time pass; every process that is not frozen renews its leases and writes its log.
    pub(super) fn pass(&mut self, milliseconds: u64) {
        let mut left = i64::try_from(milliseconds).unwrap_or(i64::MAX);
        while left > 0 {
            let step = left.min(STEP_MS);
            self.clock.pass(step);
            left -= step;
            for place in &mut self.places {
                if step == STEP_MS {
                    place.clock.drift(place.drift);
                }
                if let Some(process) = &mut place.process
                    && !self.disk.has_killed(place.number)
                {
                    process.step();
                }
            }
        }
    }
}
