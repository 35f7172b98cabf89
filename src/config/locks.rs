//! Leases: whether several processes share the data directory, and how they divide its levels.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::fault::Faults;
use crate::value_parser::{path, text};

const TTL_MS_MIN: u64 = 100;
/// Five minutes: a store's stock stands still for so long when its process is paused.
const TTL_MS_MAX: u64 = 300_000;
const RETRY_AFTER_MS_MAX: u64 = 60_000;

/// Settings of leases, unread.
#[derive(Args, Clone, Debug)]
pub struct RawLocks {
    /// Share the data directory with other `onhand serve` processes, each with a log of its own
    #[arg(long, env = "LOCKS_ENABLED", value_name = "BOOLEAN", default_value = "false")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = text())]
    pub locks_enabled: String,

    /// A process that does not renew its leases for so long loses them to whoever needs one
    #[arg(long, env = "LOCK_TTL_MS", value_name = "MILLISECONDS", default_value = "2000")]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub lock_ttl_ms: String,

    /// How often leases are renewed; at most half of --lock-ttl-ms
    #[arg(long, env = "LOCK_RENEW_MS", value_name = "MILLISECONDS", default_value = "1000")]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub lock_renew_ms: String,

    /// Directory of the leases, the same for all processes; `locks` in the data directory when it is not given
    #[arg(long, env = "LOCK_DIR", value_name = "DIRECTORY", value_parser = path())]
    pub lock_dir: Option<PathBuf>,

    /// Status when another process does not give a lease up: 503, 423 or 429
    #[arg(long, env = "LOCK_REJECT_STATUS", value_name = "STATUS", default_value = "503")]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub lock_reject_status: String,

    /// How long a change waits for a lease, and after how long the caller is asked to come back
    #[arg(long, env = "LOCK_RETRY_AFTER_MS", value_name = "MILLISECONDS", default_value = "300")]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub lock_retry_after_ms: String,
}

/// Settings of leases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockSettings {
    /// `LOCK_TTL_MS`: age at which a lease that is not renewed expires.
    pub ttl: Duration,
    /// `LOCK_RENEW_MS`: interval of renewals, at most half of the TTL.
    pub renew: Duration,
    /// `LOCK_DIR`: the directory of the leases.
    pub directory: PathBuf,
    /// `LOCK_REJECT_STATUS`: HTTP status of a request that gets no lease.
    pub reject_status: u16,
    /// `LOCK_RETRY_AFTER_MS`: how long a change waits for a lease, and the `Retry-After` of its rejection.
    pub retry_after: Duration,
}

impl LockSettings {
    /// None unless `LOCKS_ENABLED`; a bad value is always a fault.
    pub(super) fn read(raw: &RawLocks, data_dir: &std::path::Path, faults: &mut Faults) -> Option<Self> {
        let milliseconds = "a whole number of milliseconds";
        let ttl = faults.whole("LOCK_TTL_MS", &raw.lock_ttl_ms, TTL_MS_MIN, TTL_MS_MAX, milliseconds);
        let renew = faults.whole("LOCK_RENEW_MS", &raw.lock_renew_ms, 1, ttl / 2, milliseconds);
        let retry_after = faults.whole(
            "LOCK_RETRY_AFTER_MS",
            &raw.lock_retry_after_ms,
            1,
            RETRY_AFTER_MS_MAX,
            milliseconds,
        );
        let reject_status = match raw.lock_reject_status.trim() {
            "423" => 423,
            "429" => 429,
            "503" => 503,
            given => {
                faults.add("LOCK_REJECT_STATUS", given, "503, 423 or 429");
                503
            }
        };
        let enabled = faults.truth("LOCKS_ENABLED", &raw.locks_enabled);
        if raw.lock_dir.as_ref().is_some_and(|directory| directory.as_os_str().is_empty()) {
            faults.add("LOCK_DIR", "", "the path of a directory");
        }
        let settings = Self {
            ttl: Duration::from_millis(ttl),
            renew: Duration::from_millis(renew),
            directory: raw.lock_dir.clone().unwrap_or_else(|| data_dir.join("locks")),
            reject_status,
            retry_after: Duration::from_millis(retry_after),
        };
        enabled.then_some(settings)
    }
}
