//! The server under load, and the span in which its requests count.

use http::HeaderValue;
use std::time::Instant;

/// The server under load.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// `host:port`.
    pub(super) address: String,
    /// A prefix that makes the idempotency keys of this run unique.
    pub(super) run: String,
    /// The value of `Authorization`.
    pub(super) authorization: Option<HeaderValue>,
}

/// The span in which requests count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) from: Instant,
    pub(super) until: Instant,
}
