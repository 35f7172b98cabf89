//! The limits of one server.

use crate::limits::{CONNECTIONS_MAX, HEADER_READ_MS_MAX, IDLE_MS_MAX, WRITE_STALL_MS_MAX};
use std::time::Duration;

/// The limits of one server; the defaults are those of the contract.
#[derive(Debug, Clone)]
pub struct ServerLimits {
    /// Connections served at once.
    pub connections_max: usize,
    /// How long the head of a request may take, and a TLS handshake.
    pub header_read: Duration,
    /// Timeout of an idle connection.
    pub idle: Duration,
    /// How long a peer may read nothing of what is written to it before its connection is closed.
    pub write_stall: Duration,
    /// How long active requests may take to end after the shutdown signal.
    pub drain: Duration,
}

impl ServerLimits {
    /// The limits of the contract, with this much time for the drain.
    pub fn with_drain(drain: Duration) -> Self {
        Self {
            connections_max: CONNECTIONS_MAX,
            header_read: Duration::from_millis(HEADER_READ_MS_MAX),
            idle: Duration::from_millis(IDLE_MS_MAX),
            write_stall: Duration::from_millis(WRITE_STALL_MS_MAX),
            drain,
        }
    }
}
