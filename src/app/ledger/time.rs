//! The periodic comparison of log time with the wall clock, and the `CLOCK` event before a leap.

use super::{CommandError, Ledger, Meta};
use crate::ledger::log_time::{ClockComparison, TimeNews, TimeSeen};
use onhand_domain::clock::LeapTo;
use onhand_domain::{Command, Fact};

impl Ledger {
    /// Compares log time with the wall clock; called once before the first command, and then about every second.
    ///
    /// # Errors
    /// [`CommandError`] when log time should leap and the `CLOCK` event is not durable; it has not leapt then, and the next comparison
    /// tries again.
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
