//! Opening a directory as a running log.
//!
//! | file | content |
//! | --- | --- |
//! | `open` | lock, snapshot, segments, and the log that continues behind them |
//! | `options` | options of opening, and its report |
//! | [`replay`] | the newest good snapshot, and the log after it |
//! | [`migrate`] | from a directory of one process to one of several |

pub(crate) mod migrate;
mod open;
mod options;
pub(crate) mod replay;

pub use onhand_disk::OpenError;
pub use open::{OpenNode, hold, open, open_held};
pub use options::{BALLAST_BYTES, OpenOptions, OpenReport, SEGMENT_BYTES};
