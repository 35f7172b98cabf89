//! The settings of `sync-worker`: those of `serve` that concern a worker.

use clap::Args;

use crate::fault::{Faults, SettingFault};
use crate::logging::{LogSettings, RawLogging};
use crate::storage::{RawStorage, StorageSettings};
use crate::sync::{RawSync, SyncWorkerSettings};

/// Settings of `onhand sync-worker`, unread.
#[derive(Args, Clone, Debug)]
pub struct RawWorker {
    #[command(flatten)]
    storage: RawStorage,

    #[command(flatten)]
    sync: RawSync,

    #[command(flatten)]
    logging: RawLogging,
}

/// Everything that `onhand sync-worker` needs before it does any I/O.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerSettings {
    /// The data directory.
    pub storage: StorageSettings,
    /// The sources, the interval of passes, and the retries.
    pub sync: SyncWorkerSettings,
    /// The log lines.
    pub logging: LogSettings,
}

impl RawWorker {
    /// Reads every setting.
    ///
    /// # Errors
    /// All faults together, in the order of reading.
    pub fn parse(&self) -> Result<WorkerSettings, Vec<SettingFault>> {
        let mut faults = Faults::default();
        let settings = WorkerSettings {
            storage: StorageSettings::read(&self.storage, &mut faults),
            sync: SyncWorkerSettings::read(&self.sync, &mut faults),
            logging: LogSettings::read(&self.logging, &mut faults),
        };
        faults.finish(settings)
    }
}
