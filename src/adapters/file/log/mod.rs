//! Appending: a queue, group commit, the durable end; and what happens when the disk refuses.
//!
//! | file | what it does |
//! | --- | --- |
//! | `file_log` | the log as its callers see it, and its threads |
//! | `shared` | the queue, and the state of the breaker |
//! | `writer` | group commit: one write and one sync for everything that waits |
//! | `term` | who may still make the log longer, where several processes share a directory |
//! | `breaker` | the writer thread's loop, and the watch over calls that do not return (`calls`) |
//! | `probe` | the way back after the disk has refused; `ballast` is the room for it |
//! | `news` | state changes of the disk, for a listener |

pub(crate) mod ballast;
mod breaker;
mod calls;
mod file_log;
mod news;
mod probe;
mod shared;
pub mod term;
pub(crate) mod writer;

pub use breaker::REST_MIN;
pub use calls::{ABORT_AFTER, SHED_AFTER};
pub use file_log::FileLog;
pub use news::StorageNews;
