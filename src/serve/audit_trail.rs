//! The audit trail of a running node: opened once the time of the log is known, closed when the server has ended.

use onhand_audit::{FILE_BYTES, FileTrail, TrailOptions};
use onhand_config::ServeSettings;
use onhand_disk::RealDisk;
use onhand_disk::layout::Layout;
use onhand_runtime::exit::{Exit, Failure, OrExit};
use onhand_runtime::open::RunningNode;
use std::sync::Arc;
use std::time::Duration;

/// How long a stop waits for the last entries.
const LAST_ENTRIES_MAX: Duration = Duration::from_secs(2);

/// Opens the trail of this process.
///
/// # Errors
/// [`Exit::Internal`] when the system gives no thread. A disk that refuses is no failure: all else goes on.
pub(super) fn open(settings: &ServeSettings, running: &RunningNode) -> Result<Arc<FileTrail>, Failure> {
    let options = TrailOptions {
        directory: Layout::new(&settings.storage.data_dir).audit(),
        chain: running.sharing.as_ref().map_or(0, |sharing| sharing.number()),
        keep_days: settings.audit.keep_days,
        file_bytes: FILE_BYTES,
    };
    let ledger = Arc::clone(&running.ledger);
    // The time of the log: an entry stands beside the changes of its moment, and no clock that jumps makes entries old.
    let clock = Arc::new(move || ledger.now());
    let opened = FileTrail::start(Arc::new(RealDisk), options, clock);
    opened.map(Arc::new).or_exit(Exit::Internal, || "cannot start the thread of the audit trail")
}

/// Writes the last entries.
pub(super) fn close(trail: &FileTrail) {
    if !trail.close(LAST_ENTRIES_MAX) {
        tracing::warn!("the last entries of the audit trail were not written in time");
    }
}
