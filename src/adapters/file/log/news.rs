//! What a log tells about the disk below it.

use std::io;
use std::sync::Arc;

/// A change in the state of the disk below a log.
#[derive(Debug)]
pub enum StorageNews<'a> {
    /// It has refused: the breaker is open.
    Opened {
        /// What it answered.
        error: &'a io::Error,
        /// The call had been reported as stuck, so the breaker counted as open already.
        stuck: bool,
    },
    /// It is probed: the breaker is half-open.
    Probing,
    /// The probe failed: the breaker is open still.
    StillOpen(&'a io::Error),
    /// The probe succeeded: the breaker is closed.
    Closed,
    /// A write or sync has not returned for [`SHED_AFTER`](crate::log::SHED_AFTER).
    Stuck {
        /// It is one of a probe: the breaker is open anyway.
        probing: bool,
    },
    /// It has returned.
    Unstuck,
    /// It has not returned for [`ABORT_AFTER`](crate::log::ABORT_AFTER): the process ends now.
    Aborting,
}

/// Hears every change, on the thread of the log that notices it.
pub(crate) type StorageListener = Arc<dyn Fn(StorageNews<'_>) + Send + Sync>;
