//! Reading a log at a start: the newest good snapshot and everything after it.
//!
//! | file | content |
//! | --- | --- |
//! | `run` | the replay, segment by segment |
//! | `progress` | its progress, and its result |
//! | `snapshots` | the states of a snapshot |
//! | `chain` | the segments as a chain, and the idempotency records along it |
//! | `scan` | one segment, line by line; `ahead` decodes lines on other threads |

mod ahead;
mod chain;
mod progress;
mod run;
mod scan;
mod snapshots;

pub(crate) use progress::{Replay, Replayed, ReplayedLog};
pub(crate) use snapshots::load_snapshot;
