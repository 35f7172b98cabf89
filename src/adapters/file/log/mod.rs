//! Appending: a queue, group commit, the durable end; disk failures and recovery from them.
//!
//! | file | content |
//! | --- | --- |
//! | `file_log` | the log as its callers see it, and its threads |
//! | `shared` | the queue, and the state of the breaker |
//! | `writer` | group commit: one write and one sync for all waiting entries |
//! | `term` | which process may still append, where several share a directory |
//! | `breaker` | the writer thread's loop, and the watch over calls that do not return (`calls`) |
//! | `probe` | recovery after a disk failure; `ballast` reserves space for it |
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
