//! How a data directory is opened, and what opening it found.

use onhand_disk::Disk;
use onhand_disk::layout::Layout;
use onhand_domain::Sequence;
use std::path::PathBuf;
use std::sync::Arc;

/// Default size at which a segment is sealed, in bytes.
pub const SEGMENT_BYTES: u64 = 64 << 20;
/// Default size of the ballast, in bytes.
pub const BALLAST_BYTES: usize = 1 << 20;

/// How a data directory is opened.
pub struct OpenOptions {
    /// The disk.
    pub disk: Arc<dyn Disk>,
    /// The data directory.
    pub layout: Layout,
    /// A segment is sealed at about this size, in bytes.
    pub segment_bytes: u64,
    /// Space that is kept for the time when the disk is full, in bytes; none when 0.
    pub ballast_bytes: usize,
    /// How far back idempotency records are kept, in milliseconds of log time.
    pub idempotency_ttl_ms: i64,
}

/// What opening a directory found, for the log and for a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// The snapshot it started from; [`Sequence::START`] when from the log alone.
    pub snapshot: Sequence,
    /// Snapshots that could not be used, and why. They keep their bytes under a name ending in `.bad`.
    pub bad_snapshots: Vec<String>,
    /// Events added up after the snapshot.
    pub replayed: u64,
    /// Bytes of a torn tail that were cut, and the file they were copied to.
    pub torn: Option<(u64, PathBuf)>,
}
