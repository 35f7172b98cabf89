//! What people who run a node want to know about it: where it runs, and which settings it has.

use onhand_domain::Timestamp;
use serde::Serialize;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Where a node runs and how it is set.
pub struct About {
    /// The data directory, absolute where that is known.
    pub data_dir: PathBuf,
    /// When the process began, in its own time.
    pub started_at: Timestamp,
    /// Every setting, in the order of `onhand serve --help`.
    pub settings: Vec<Setting>,
    /// Asks the file system of the data directory.
    pub space: Arc<dyn Fn() -> std::io::Result<Space> + Send + Sync>,
    /// Held while the file system is asked.
    pub asking: Arc<Mutex<()>>,
}

/// One setting of the process.
#[derive(Debug, Clone, Serialize)]
pub struct Setting {
    /// The name of its environment variable.
    pub name: String,
    /// What it is; none when it is not set.
    pub value: Option<String>,
    /// Where it comes from: `flag`, `environment` or `default`; `unset` without a value.
    pub source: &'static str,
    /// What it does.
    pub about: String,
}

/// The file system of the data directory, in bytes.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Space {
    /// Its size.
    pub total_bytes: u64,
    /// What a process like this one may still write.
    pub free_bytes: u64,
}

impl fmt::Debug for About {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("About").field("data_dir", &self.data_dir).finish_non_exhaustive()
    }
}
