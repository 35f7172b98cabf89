//! Keeping the log's time: a look at the clocks now and then, and the sign in the log before its time leaps.

use super::{CommandError, Ledger, Meta};
use crate::app::ledger::log_time::{ClockComparison, TimeNews, TimeSeen};
use crate::domain::clock::LeapTo;
use crate::domain::{Command, Fact};

impl Ledger {
    /// Holds the log's time against the wall clock; to be done once before commands are taken, and then about every second.
    ///
    /// # Errors
    /// [`CommandError`] when the log's time should leap and the log does not take the sign of it; it has not leapt then,
    /// and the next look tries again.
    pub async fn keep_time(&self) -> Result<TimeSeen, CommandError> {
        let wall = match self.time.compare() {
            ClockComparison::Seen(seen) => return Ok(seen),
            ClockComparison::Leap(wall) => wall,
        };
        let outcome = self.execute(Command::Leap(LeapTo(wall.time)), &Meta::default()).await?;
        self.time.leap(wall);
        let leap = outcome.events.iter().find_map(|event| match &event.fact {
            Fact::Clock(leap) => Some(TimeNews::Leapt { from: leap.from, to: leap.to }),
            _ => None,
        });
        Ok(TimeSeen { ahead_ms: 0, news: leap })
    }
}
