//! Notifications about the disk below a log.

use std::io;
use std::sync::Arc;

/// A change in the state of the disk below a log.
#[derive(Debug)]
pub enum StorageNews<'a> {
    /// A call failed: the breaker is open.
    Opened {
        /// The error of the disk.
        error: &'a io::Error,
        /// The call had been reported as stuck, so the breaker counted as open already.
        stuck: bool,
    },
    /// A probe runs: the breaker is half-open.
    Probing,
    /// The probe failed: the breaker is still open.
    StillOpen(&'a io::Error),
    /// The probe succeeded: the breaker is closed.
    Closed,
    /// A write or sync has not returned for [`SHED_AFTER`](crate::log::SHED_AFTER).
    Stuck {
        /// The call belongs to a probe: the breaker is open anyway.
        probing: bool,
    },
    /// The call has returned.
    Unstuck,
    /// The call has not returned for [`ABORT_AFTER`](crate::log::ABORT_AFTER): the process ends now.
    Aborting,
}

/// Receives every change, on the thread of the log that detects it.
pub(crate) type StorageListener = Arc<dyn Fn(StorageNews<'_>) + Send + Sync>;
