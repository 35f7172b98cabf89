//! Appending: a queue, group commit, the durable end; and what happens when the disk refuses.

pub(crate) mod ballast;
pub mod breaker;
pub(crate) mod probe;
mod queue;
pub mod term;
pub(crate) mod writer;

pub use queue::FileLog;
pub(crate) use queue::Shared;
