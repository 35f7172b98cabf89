//! Several processes on one data directory: each has a directory of its own under `nodes/`, follows the logs of the
//! others, holds leases (`lease.rs`) and takes over from processes that are gone (`log/term.rs`).
//!
//! **Taking over.** While this process waits for a lease, it checks the holder. If nobody holds the holder's
//! `LOCK`, the holder has ended, and this process reads its log to the end, as the holder's own next start would
//! (`recovery/open.rs`). If the holder's `alive` has not changed for `LOCK_TTL_MS` by *this* process's monotonic
//! clock, the holder is paused, and this process ends its term at its mark. Either way its leases are void from
//! then on. A joining process does the same for every process that has ended, whether it waits for a lease or not:
//! after a power cut their marks may be behind their acknowledged entries.
//!
//! `process` implements the port `Sharing`, `others` keeps the state of the other processes, `takeover` handles one
//! that is gone, `peer` follows the log of a running one, `lease` decides which process may write a state,
//! `joining` enters the directory.

mod joining;
mod lease;
mod others;
mod peer;
mod process;
mod takeover;

pub use joining::join;
pub use process::{FileSharing, Joined, LeaseOptions};
