//! A worker with its stores and its sources, the lock that allows one worker per data directory, and its last pass.

use crate::central::sources::LogSources;
use crate::directory;
use crate::exit::{Exit, Failure};
use onhand_app::central::{self, CentralModel, Worker};
use onhand_config::SyncWorkerSettings;
use onhand_disk::RealDisk;
use onhand_disk::clock::SystemClock;
use onhand_disk::layout::Layout;
use onhand_file::format::identity::DirectoryLock;
use onhand_file::recovery::OpenError;
use onhand_node::{WorkerError, WorkerOptions};
use onhand_resilience::BreakerSettings;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Events read from a source at once.
const READ_EVENTS: usize = 5_000;
/// Time limit of a worker's last pass. It needs less, unless a source that was healthy hangs.
pub const LAST_PASS_MAX: Duration = Duration::from_secs(5);
/// How long a stop waits for sources that did not answer before.
const UNWELL_MAX: Duration = Duration::from_millis(250);

impl From<WorkerError> for Failure {
    fn from(error: WorkerError) -> Self {
        Self { exit: Exit::Io, error: anyhow::Error::new(error) }
    }
}

/// The worker options of this machine. `model` is the caller's; the sources in the settings are added to `logs`.
///
/// # Errors
/// The error of the disk; [`Exit::Settings`] for a source that cannot be followed.
pub fn worker_options(
    model: Arc<CentralModel>,
    layout: &Layout,
    mut logs: LogSources,
    settings: &SyncWorkerSettings,
    save_every: u64,
) -> Result<WorkerOptions, Failure> {
    logs.add(&settings.sources)?;
    let LogSources { sources, joining } = logs;
    let settings = central::SyncSettings {
        interval: settings.interval,
        concurrency: settings.concurrency,
        read_events: READ_EVENTS,
        save_every,
        retry_base: settings.retry_base,
        retry_times: settings.retry_times,
        breaker: BreakerSettings {
            threshold: settings.breaker_threshold,
            cooldown: settings.breaker_cooldown,
        },
    };
    Ok(WorkerOptions {
        disk: Arc::new(RealDisk),
        clock: Arc::new(SystemClock),
        layout: layout.clone(),
        model,
        sources,
        joining,
        settings,
    })
}

/// A worker, and the lock that makes it the only one.
pub struct HeldWorker {
    /// The worker, which may write only while this struct holds the lock.
    pub worker: Arc<Worker>,
    _lock: DirectoryLock,
}

impl HeldWorker {
    /// The worker of a data directory: its logs and those of the settings, merged into `central/`.
    ///
    /// # Errors
    /// [`Exit::Locked`] when there is one already, or the error of the disk.
    pub fn open(
        layout: &Layout,
        logs: LogSources,
        settings: &SyncWorkerSettings,
        save_every: u64,
    ) -> Result<Self, Failure> {
        Self::over(lock(layout)?, Arc::default(), layout, logs, settings, save_every)
    }

    /// The worker of a data directory whose lock the caller has taken, over the caller's model.
    ///
    /// # Errors
    /// The error of the disk.
    pub(crate) fn over(
        lock: DirectoryLock,
        model: Arc<CentralModel>,
        layout: &Layout,
        logs: LogSources,
        settings: &SyncWorkerSettings,
        save_every: u64,
    ) -> Result<Self, Failure> {
        let worker = worker_options(model, layout, logs, settings, save_every)?.open()?;
        Ok(Self { worker: Arc::new(worker), _lock: lock })
    }

    /// One more pass, so that everything acknowledged until now is in central, and a last save.
    ///
    /// Events that do not arrive in time are not lost: they are in the logs, behind the checkpoint.
    pub async fn finish(&self, pass_max: Duration) {
        if timeout(pass_max, self.worker.sync_at_stop(UNWELL_MAX)).await.is_err() {
            tracing::warn!("the last pass took too long; the next start reads the rest");
        }
        if let Err(error) = self.worker.save().await {
            tracing::warn!(%error, "the central model was not saved; the next start reads the logs again");
        }
    }
}

/// Locks the central model of a data directory for writing.
///
/// # Errors
/// [`Exit::Locked`] with the process that holds the lock.
pub fn lock(layout: &Layout) -> Result<DirectoryLock, Failure> {
    DirectoryLock::take_central(&RealDisk, layout).map_err(|error| match error {
        OpenError::Locked { holder, .. } => {
            let message = format!(
                "the central model is kept by {holder} already; stop that first, or run the node with --sync off"
            );
            Failure::new(Exit::Locked, message)
        }
        other => directory::failure(other),
    })
}
