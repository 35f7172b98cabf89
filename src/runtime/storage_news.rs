//! State changes of the storage breaker: one log line for each, and a count of how often the breaker has opened.

use onhand_file::log::{ABORT_AFTER, SHED_AFTER, StorageNews};
use onhand_telemetry::{BREAKER_OPENED, LOG_PROBES};

const NAME: &str = "storage";

/// Logs a state change and counts it.
#[allow(clippy::needless_pass_by_value, reason = "the signature is that of the log's callback")]
pub(super) fn log_change(news: StorageNews<'_>) {
    match news {
        StorageNews::Opened { error, stuck } => {
            metrics::counter!(BREAKER_OPENED, "breaker" => NAME).increment(u64::from(!stuck));
            tracing::error!(breaker = NAME, to = "open", %error, "the log cannot be written: read-only");
        }
        StorageNews::Probing => {
            metrics::counter!(LOG_PROBES).increment(1);
            tracing::info!(breaker = NAME, to = "half-open", "the disk is probed");
        }
        StorageNews::StillOpen(error) => {
            tracing::warn!(breaker = NAME, to = "open", %error, "the disk is not well yet: read-only still");
        }
        StorageNews::Closed => {
            tracing::info!(breaker = NAME, to = "closed", "the log can be written again");
        }
        StorageNews::Stuck { probing } => {
            metrics::counter!(BREAKER_OPENED, "breaker" => NAME).increment(u64::from(!probing));
            tracing::error!(
                breaker = NAME,
                to = "open",
                seconds = SHED_AFTER.as_secs(),
                "the disk does not answer: changes are refused"
            );
        }
        StorageNews::Unstuck => {
            tracing::warn!(breaker = NAME, "the disk has answered");
        }
        StorageNews::Aborting => tracing::error!(
            seconds = ABORT_AFTER.as_secs(),
            "the disk has not answered a write or sync of the log: the process aborts; what was acknowledged is safe, and \
             whether what waits became durable is seen at the next start"
        ),
    }
}
