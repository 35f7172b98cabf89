//! The listener: connections, their limits and timeouts.

mod accept_loop;
pub(crate) mod connections;
pub(crate) mod timed_socket;
pub(crate) mod tracked_body;

pub use accept_loop::{Drained, ServerLimits, serve};
