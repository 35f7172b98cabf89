//! The mark of a replay: an answer that is the recorded one of an earlier request with the same `Idempotency-Key`.

use axum::response::Response;
use http::{HeaderName, HeaderValue};
use onhand_telemetry::IDEMPOTENT_REPLAYS;

/// The header of a replayed answer.
const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Marks the answer as a replay, and counts it.
pub(crate) fn mark_replayed(response: &mut Response) {
    metrics::counter!(IDEMPOTENT_REPLAYS).increment(1);
    response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
}
