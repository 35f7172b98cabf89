//! What a node says of the disk below its log: one line for each change, and the metrics all breakers have.

use crate::adapters::file::breaker::{ABORT_AFTER, SHED_AFTER, StorageNews};
use crate::resilience::Position;

/// How breakers stand: 0 closed, 1 half-open, 2 open.
const STATE: &str = "onhand_breaker_state";
/// How often breakers have opened.
const OPENED: &str = "onhand_breaker_opened_total";
const NAME: &str = "storage";

/// The breaker is closed at a start.
pub(super) fn begin() {
    metrics::gauge!(STATE, "breaker" => NAME).set(0.0);
}

/// Logs and counts.
#[allow(clippy::needless_pass_by_value, reason = "it is news: the caller has no further use for it")]
pub(super) fn told(news: StorageNews<'_>) {
    match news {
        StorageNews::Opened(error) => {
            stands(Position::Open);
            metrics::counter!(OPENED, "breaker" => NAME).increment(1);
            tracing::error!(breaker = NAME, to = "open", %error, "the log cannot be written: read-only");
        }
        StorageNews::Probing => {
            stands(Position::HalfOpen);
            tracing::info!(breaker = NAME, to = "half-open", "the disk is probed");
        }
        StorageNews::StillOpen(error) => {
            stands(Position::Open);
            tracing::warn!(breaker = NAME, to = "open", %error, "the disk is not well yet: read-only still");
        }
        StorageNews::Closed => {
            stands(Position::Closed);
            tracing::info!(breaker = NAME, to = "closed", "the log can be written again");
        }
        StorageNews::Stuck => {
            stands(Position::Open);
            metrics::counter!(OPENED, "breaker" => NAME).increment(1);
            tracing::error!(
                breaker = NAME,
                to = "open",
                seconds = SHED_AFTER.as_secs(),
                "the disk does not answer: changes are refused"
            );
        }
        StorageNews::Unstuck => {
            stands(Position::Closed);
            tracing::warn!(breaker = NAME, to = "closed", "the disk has answered");
        }
        StorageNews::Aborting => tracing::error!(
            seconds = ABORT_AFTER.as_secs(),
            "the disk has not answered a write or sync of the log: the process aborts; what was acknowledged is safe, and \
             whether what waits became durable is seen at the next start"
        ),
    }
}

fn stands(state: Position) {
    let value = match state {
        Position::Closed => 0.0,
        Position::HalfOpen => 1.0,
        Position::Open => 2.0,
    };
    metrics::gauge!(STATE, "breaker" => NAME).set(value);
}
