//! The listeners: the accept loop (`accept_loop`), the local socket (`local_listener`), a connection from its arrival to its end
//! (`serving`), TLS (`tls`), the open connections (`connections`), their sockets (`socket`) with timeouts (`timed_socket`), and the
//! bodies on them (`tracked_body`).

mod accept_loop;
pub(crate) mod connections;
mod local_listener;
mod server_limits;
mod serving;
mod socket;
pub(crate) mod timed_socket;
mod tls;
pub(crate) mod tracked_body;

pub use accept_loop::{Drained, Listeners, serve};
pub use local_listener::LocalListener;
pub use server_limits::ServerLimits;
pub use tls::{Certificate, CertificateFault, Tls};
