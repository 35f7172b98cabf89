//! Options of opening a data directory, and the report of it.

use onhand_disk::Disk;
use onhand_disk::layout::Layout;
use onhand_domain::Sequence;
use std::path::PathBuf;
use std::sync::Arc;

/// Default size at which a segment is sealed, in bytes.
pub const SEGMENT_BYTES: u64 = 64 << 20;
/// Default size of the ballast, in bytes.
pub const BALLAST_BYTES: usize = 1 << 20;

/// Options of opening a data directory.
pub struct OpenOptions {
    /// The disk of all file operations.
    pub disk: Arc<dyn Disk>,
    /// The layout of the data directory.
    pub layout: Layout,
    /// Approximate size at which a segment is sealed, in bytes.
    pub segment_bytes: u64,
    /// Space reserved for the time when the disk is full, in bytes; none when 0.
    pub ballast_bytes: usize,
    /// How long idempotency records are kept, in milliseconds of log time.
    pub idempotency_ttl_ms: i64,
}

/// The report of opening a directory, for the log and for a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// The snapshot it started from; [`Sequence::START`] when from the log alone.
    pub snapshot: Sequence,
    /// Snapshots that could not be used, and why. They are kept under a name ending in `.bad`.
    pub bad_snapshots: Vec<String>,
    /// Number of events applied after the snapshot.
    pub replayed: u64,
    /// Number of torn bytes that were cut, and the file they were copied to.
    pub torn: Option<(u64, PathBuf)>,
}
