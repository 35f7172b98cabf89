//! How long a breaker stays open before it probes.

use std::time::Duration;

use clap::Args;

use super::Faults;
use super::raw::text;

/// An hour: longer than anybody waits for a disk.
const COOLDOWN_MS_MAX: u64 = 3_600_000;

/// Settings of breakers, unread.
#[derive(Args, Clone, Debug)]
pub struct RawBreaker {
    /// From a failure to the probe whether it is gone, in milliseconds
    #[arg(long, env = "BREAKER_COOLDOWN_MS", value_name = "MILLISECONDS", default_value = "10000")]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub breaker_cooldown_ms: String,
}

/// Settings of breakers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakerSettings {
    /// `BREAKER_COOLDOWN_MS`: from a failure to the probe whether it is gone.
    pub cool_down: Duration,
}

impl BreakerSettings {
    pub(super) fn read(raw: &RawBreaker, faults: &mut Faults) -> Self {
        let cool_down_ms = faults.whole(
            "BREAKER_COOLDOWN_MS",
            &raw.breaker_cooldown_ms,
            1,
            COOLDOWN_MS_MAX,
            "a whole number of milliseconds",
        );
        Self { cool_down: Duration::from_millis(cool_down_ms) }
    }
}
