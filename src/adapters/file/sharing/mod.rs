//! Several processes on one data directory: each has a directory of its own under `nodes/`, follows the logs of the
//! others, holds leases (`lease.rs`) and takes over from those who are gone (`log/term.rs`).
//!
//! **Taking over.** A process whose lease this one waits for is checked. Nobody holds its `LOCK`: it has ended, and its log
//! is read to its end by this one, as its own next start would (`recovery/open.rs`). Its `alive` has not changed for
//! `LOCK_TTL_MS`, as *this* process's monotonic clock counts: it is paused, and its term is ended at its mark. Either way
//! its leases are void from then on. Who joins does so with all whose process has ended, waited for or not: after a power cut
//! their marks may be behind what they have acknowledged.
//!
//! `process` is this process among the others (the port `Sharing`), `others` who they are, `takeover` what is done about one
//! that is gone, `peer` the log of one that is there, `lease` who may write a state, `joining` the way in.

mod joining;
mod lease;
mod others;
mod peer;
mod process;
mod takeover;

pub use joining::join;
pub use process::{FileSharing, Joined, LeaseOptions};
