//! From a directory to a running log.
//!
//! | file | what it does |
//! | --- | --- |
//! | `open` | lock, snapshot, segments, and the log that goes on behind them |
//! | `options` | how a directory is opened, and what opening it found |
//! | [`replay`] | the newest good snapshot, and the log after it |
//! | [`migrate`] | from a directory of one process to one of several |

pub(crate) mod migrate;
mod open;
mod options;
pub(crate) mod replay;

pub use onhand_disk::OpenError;
pub use open::{OpenNode, hold, open, open_held};
pub use options::{BALLAST_BYTES, OpenOptions, OpenReport, SEGMENT_BYTES};
