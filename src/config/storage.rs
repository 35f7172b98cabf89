//! The data directory, how often a snapshot is made, and how long an idempotency key is kept.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::fault::Faults;
use crate::value_parser::{path, text};

const SNAPSHOT_EVERY_EVENTS_MAX: u64 = 1_000_000_000;
/// Thirty days, in milliseconds.
pub const IDEMPOTENCY_TTL_MS_MAX: i64 = 2_592_000_000;

/// Settings of the data directory, unread.
#[derive(Args, Clone, Debug)]
pub struct RawStorage {
    /// Directory of the log and the snapshots; made if it is not there
    #[arg(long, env = "DATA_DIR", value_name = "DIRECTORY", default_value = "data", value_parser = path())]
    pub data_dir: PathBuf,

    /// Events between two snapshots, at least
    #[arg(long, env = "SNAPSHOT_EVERY_N_EVENTS", value_name = "EVENTS", default_value = "100")]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub snapshot_every_n_events: String,
}

/// Settings of the data directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageSettings {
    /// `DATA_DIR`: created if it does not exist.
    pub data_dir: PathBuf,
    /// `SNAPSHOT_EVERY_N_EVENTS`: events between two snapshots, at least.
    pub snapshot_every_events: u64,
}

impl StorageSettings {
    pub(super) fn read(raw: &RawStorage, faults: &mut Faults) -> Self {
        if raw.data_dir.as_os_str().is_empty() {
            faults.add("DATA_DIR", "", "the path of a directory");
        }
        let snapshot_every_events = faults.whole(
            "SNAPSHOT_EVERY_N_EVENTS",
            &raw.snapshot_every_n_events,
            1,
            SNAPSHOT_EVERY_EVENTS_MAX,
            "a whole number of events",
        );
        Self { data_dir: raw.data_dir.clone(), snapshot_every_events }
    }
}

/// Settings of the idempotency records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencySettings {
    /// `IDEMP_TTL_MS`: how long a key is kept, in log time.
    pub ttl: Duration,
}

impl IdempotencySettings {
    pub(super) fn read(ttl_ms: &str, faults: &mut Faults) -> Self {
        let ttl_ms = faults.whole(
            "IDEMP_TTL_MS",
            ttl_ms,
            1,
            IDEMPOTENCY_TTL_MS_MAX.unsigned_abs(),
            "a whole number of milliseconds",
        );
        Self { ttl: Duration::from_millis(ttl_ms) }
    }
}
