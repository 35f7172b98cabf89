//! What a node says of the disk below its log: one line and one count for each change.

use crate::adapters::file::breaker::{ABORT_AFTER, SHED_AFTER, StorageNews};
use crate::app::ports::BreakerState;

/// How breakers stand: 0 closed, 1 half-open, 2 open.
const STATE: &str = "onhand_breaker_state";
/// How often breakers changed, by `breaker` and `to`.
const TRANSITIONS: &str = "onhand_breaker_transitions_total";
const NAME: &str = "storage";

/// The breaker is closed at a start.
pub(super) fn begin() {
    metrics::describe_gauge!(STATE, "How breakers stand: 0 closed, 1 half-open, 2 open.");
    metrics::describe_counter!(TRANSITIONS, "Changes of breakers.");
    metrics::gauge!(STATE, "breaker" => NAME).set(0.0);
}

/// Logs and counts.
#[allow(clippy::needless_pass_by_value, reason = "it is news: the caller has no further use for it")]
pub(super) fn told(news: StorageNews<'_>) {
    match news {
        StorageNews::Opened(error) => {
            count(BreakerState::Open);
            tracing::error!(breaker = NAME, to = "open", %error, "the log cannot be written: read-only");
        }
        StorageNews::Probing => {
            count(BreakerState::HalfOpen);
            tracing::info!(breaker = NAME, to = "half-open", "the disk is probed");
        }
        StorageNews::StillOpen(error) => {
            count(BreakerState::Open);
            tracing::warn!(breaker = NAME, to = "open", %error, "the disk is not well yet: read-only still");
        }
        StorageNews::Closed => {
            count(BreakerState::Closed);
            tracing::info!(breaker = NAME, to = "closed", "the log can be written again");
        }
        StorageNews::Stuck => {
            count(BreakerState::Open);
            tracing::error!(
                breaker = NAME,
                to = "open",
                seconds = SHED_AFTER.as_secs(),
                "the disk does not answer: changes are refused"
            );
        }
        StorageNews::Unstuck => {
            count(BreakerState::Closed);
            tracing::warn!(breaker = NAME, to = "closed", "the disk has answered");
        }
        StorageNews::Aborting => tracing::error!(
            seconds = ABORT_AFTER.as_secs(),
            "the disk has not answered a write or sync of the log: the process aborts; what was acknowledged is safe, and \
             whether what waits became durable is seen at the next start"
        ),
    }
}

fn count(state: BreakerState) {
    let value = match state {
        BreakerState::Closed => 0.0,
        BreakerState::HalfOpen => 1.0,
        BreakerState::Open => 2.0,
    };
    metrics::gauge!(STATE, "breaker" => NAME).set(value);
    metrics::counter!(TRANSITIONS, "breaker" => NAME, "to" => state.as_str()).increment(1);
}
