//! Where a trail is, and how much of it is kept.

use std::path::PathBuf;

/// Where a trail is, and how much of it is kept.
#[derive(Debug, Clone)]
pub struct TrailOptions {
    /// The directory of all chains.
    pub directory: PathBuf,
    /// The number of this process's chain.
    pub chain: u16,
    /// Days that entries are kept.
    pub keep_days: u32,
    /// The size at which the next file is begun, in bytes.
    pub file_bytes: u64,
}
