//! Keeping the log's time while a node runs: one line for each change, and how far the wall clock is.

use crate::app::{Ledger, TimeNews};
use std::convert::Infallible;
use std::time::Duration;

/// How far the wall clock is ahead of the log's time, in seconds; behind it, when negative.
const AHEAD: &str = "onhand_clock_ahead_seconds";
/// How often the wall clock was found to have jumped.
const JUMPS: &str = "onhand_clock_jumps_total";
/// How often the log's time has followed it; each is a `CLOCK` event in the log.
const LEAPS: &str = "onhand_clock_leaps_total";
const EVERY: Duration = Duration::from_secs(1);

/// Looks at the clocks every second, for ever.
pub(super) async fn run(ledger: &Ledger) -> Infallible {
    metrics::counter!(JUMPS).increment(0);
    metrics::counter!(LEAPS).increment(0);
    loop {
        tokio::time::sleep(EVERY).await;
        look(ledger).await;
    }
}

/// Looks once. A log that does not take the sign of a leap has said so itself; the next look tries again.
pub(super) async fn look(ledger: &Ledger) {
    let Ok(seen) = ledger.keep_time().await else { return };
    // A gauge is a float; nobody reads milliseconds of years from it.
    metrics::gauge!(AHEAD)
        .set(Duration::from_millis(seen.ahead_ms.unsigned_abs()).as_secs_f64() * sign(seen.ahead_ms));
    let ahead_seconds = seen.ahead_ms / 1_000;
    match seen.news {
        None => {}
        Some(TimeNews::Apart) => {
            metrics::counter!(JUMPS).increment(1);
            tracing::warn!(
                ahead_seconds,
                "the wall clock is not where it should be; the log's time goes on without it, see the runbook"
            );
        }
        Some(TimeNews::Together) => {
            tracing::info!(ahead_seconds, "the wall clock and the log's time are together again");
        }
        Some(TimeNews::Leapt { from, to }) => {
            metrics::counter!(LEAPS).increment(1);
            tracing::warn!(%from, %to, "the log's time follows the wall clock; what had to expire by then expires now");
        }
    }
}

const fn sign(milliseconds: i64) -> f64 {
    if milliseconds < 0 { -1.0 } else { 1.0 }
}
