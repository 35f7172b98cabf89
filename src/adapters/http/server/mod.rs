//! The listener: the accept loop (`accept_loop`), the open connections (`connections`), their timeouts (`timed_socket`), and
//! the bodies on them (`tracked_body`).

mod accept_loop;
pub(crate) mod connections;
pub(crate) mod timed_socket;
pub(crate) mod tracked_body;

pub use accept_loop::{Drained, ServerLimits, serve};
