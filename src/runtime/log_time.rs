//! Keeps the log's time while a node runs: one log line for each change, and a gauge of the wall clock's offset.

use onhand_app::{Ledger, TimeNews};
use onhand_telemetry::{CLOCK_AHEAD_SECONDS, CLOCK_JUMPS, CLOCK_LEAPS};
use std::convert::Infallible;
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(1);

/// Compares the clocks every second; never returns.
pub async fn run(ledger: &Ledger) -> Infallible {
    loop {
        tokio::time::sleep(EVERY).await;
        compare_while_running(ledger).await;
    }
}

/// Compares the clocks at a start, before the first request. An offset of more than a minute is normal here: the node
/// was off, and the clock is right.
pub async fn begin(ledger: &Ledger) {
    if let Some(TimeNews::Leapt { from, to }) = compare(ledger).await {
        tracing::info!(%from, %to, "the node was off: the log's time goes on from the wall clock, and what had to expire by then expires now");
    }
}

/// Compares the clocks of a node that runs.
async fn compare_while_running(ledger: &Ledger) {
    if let Some(TimeNews::Leapt { from, to }) = compare(ledger).await {
        tracing::warn!(%from, %to, "the log's time follows the wall clock; what had to expire by then expires now");
    }
}

/// Compares the clocks and counts. A log that cannot write the entry of a leap reports that itself; the next call tries
/// again.
async fn compare(ledger: &Ledger) -> Option<TimeNews> {
    let seen = ledger.keep_time().await.ok()?;
    // A gauge is a float; the lost precision is milliseconds in thousands of years.
    metrics::gauge!(CLOCK_AHEAD_SECONDS)
        .set(Duration::from_millis(seen.ahead_ms.unsigned_abs()).as_secs_f64() * sign(seen.ahead_ms));
    let ahead_seconds = seen.ahead_ms / 1_000;
    match seen.news {
        None => {}
        Some(TimeNews::Apart) => {
            metrics::counter!(CLOCK_JUMPS).increment(1);
            tracing::warn!(
                ahead_seconds,
                "the wall clock is not where it should be; the log's time goes on without it, see the runbook"
            );
        }
        Some(TimeNews::Together) => {
            tracing::info!(ahead_seconds, "the wall clock and the log's time are together again");
        }
        Some(TimeNews::Leapt { .. }) => metrics::counter!(CLOCK_LEAPS).increment(1),
    }
    seen.news
}

const fn sign(milliseconds: i64) -> f64 {
    if milliseconds < 0 { -1.0 } else { 1.0 }
}
