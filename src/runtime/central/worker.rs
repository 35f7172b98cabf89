//! A worker with its stores and its sources, the lock that lets there be only one to a data directory, and its last pass.

use crate::adapters::file::disk::clock::SystemClock;
use crate::adapters::file::disk::layout::Layout;
use crate::adapters::file::disk::{Disk, RealDisk};
use crate::adapters::file::format::identity::DirectoryLock;
use crate::adapters::file::recovery::OpenError;
use crate::adapters::file::stores::central::FileCentral;
use crate::adapters::file::stores::dead_letters::FileDeadLetters;
use crate::app::central::{self, CentralModel, Worker, WorkerParts};
use crate::app::ports::{CentralStore, Clock, EventSource, Joining};
use crate::config::SyncWorkerSettings;
use crate::resilience::BreakerSettings;
use crate::runtime::central::sources::LogSources;
use crate::runtime::directory;
use crate::runtime::exit::{Exit, Failure};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Events asked for at once.
const READ_EVENTS: usize = 5_000;
/// How long the last pass of a worker may take. It needs no longer, unless a source that was well hangs.
pub(crate) const LAST_PASS_MAX: Duration = Duration::from_secs(5);
/// How long a stop waits for sources that did not answer before.
const UNWELL_MAX: Duration = Duration::from_millis(250);

/// What a worker is opened over. `serve` passes the disk and the clock of the machine, the simulator its own.
pub struct WorkerOptions {
    /// The disk of the dead letters.
    pub disk: Arc<dyn Disk>,
    /// The clock that dates dead letters.
    pub clock: Arc<dyn Clock>,
    /// The data directory.
    pub layout: Layout,
    /// The model that the worker keeps.
    pub model: Arc<CentralModel>,
    /// Logs to follow.
    pub sources: Vec<Arc<dyn EventSource>>,
    /// Logs that may join later.
    pub joining: Vec<Arc<dyn Joining>>,
    /// Pace, retries and breaker.
    pub settings: central::SyncSettings,
}

/// The reason why a worker does not open.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// A store does not open.
    #[error("cannot open {}", path.display())]
    Open {
        /// The store.
        path: PathBuf,
        /// What the disk said.
        source: io::Error,
    },
    /// What was saved cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The store.
        path: PathBuf,
        /// What the disk said.
        source: io::Error,
    },
}

impl WorkerOptions {
    /// Opens the central store of the data directory and a worker over it; the caller holds the lock.
    ///
    /// # Errors
    /// [`WorkerError`]; the model is as it was then.
    pub fn open(self) -> Result<Worker, WorkerError> {
        let path = self.layout.central();
        let central = FileCentral::open(Arc::clone(&self.disk), self.layout.clone())
            .map_err(|source| WorkerError::Open { path, source })?;
        self.open_over(Arc::new(central))
    }

    /// Opens a worker over a central store of the caller's choice; the caller holds the lock.
    ///
    /// # Errors
    /// As [`WorkerOptions::open`].
    pub(crate) fn open_over(self, central: Arc<dyn CentralStore>) -> Result<Worker, WorkerError> {
        let Self { disk, clock, layout, model, sources, joining, settings } = self;
        let (path, read) = (layout.dead_letter_file(), layout.central());
        let letters =
            FileDeadLetters::open(disk, layout).map_err(|source| WorkerError::Open { path, source })?;
        let parts = WorkerParts { sources, central, letters: Arc::new(letters), clock };
        Worker::over(model, parts, joining, settings)
            .map_err(|source| WorkerError::Read { path: read, source })
    }
}

impl From<WorkerError> for Failure {
    fn from(error: WorkerError) -> Self {
        Self { exit: Exit::Io, error: anyhow::Error::new(error) }
    }
}

/// The worker options of this machine. `model` is the caller's, `logs` get those that the settings name.
///
/// # Errors
/// What the disk says; [`Exit::Settings`] for a source that cannot be followed.
pub(crate) fn worker_options(
    model: Arc<CentralModel>,
    layout: &Layout,
    mut logs: LogSources,
    settings: &SyncWorkerSettings,
    save_every: u64,
) -> Result<WorkerOptions, Failure> {
    for address in &settings.sources {
        logs.add(address)?;
    }
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
pub(crate) struct HeldWorker {
    /// The worker.
    pub(crate) worker: Arc<Worker>,
    _lock: DirectoryLock,
}

impl HeldWorker {
    /// The worker of a data directory: its logs and those of the settings, merged into `central/`.
    ///
    /// # Errors
    /// [`Exit::Locked`] when there is one already, or what the disk says.
    pub(crate) fn open(
        layout: &Layout,
        logs: LogSources,
        settings: &SyncWorkerSettings,
        save_every: u64,
    ) -> Result<Self, Failure> {
        Self::over(lock(layout)?, Arc::default(), layout, logs, settings, save_every)
    }

    /// The worker of a data directory whose lock is held already, over a model of the caller's.
    ///
    /// # Errors
    /// What the disk says.
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

    /// One more pass, so that what was acknowledged until now is in central, and a last save.
    ///
    /// What does not come in time is not lost: it stands in the logs, behind the checkpoint.
    pub(crate) async fn finish(&self, pass_max: Duration) {
        if timeout(pass_max, self.worker.sync_at_stop(UNWELL_MAX)).await.is_err() {
            tracing::warn!("the last pass took too long; the next start reads the rest");
        }
        if let Err(error) = self.worker.save().await {
            tracing::warn!(%error, "the central model was not saved; the next start reads the logs again");
        }
    }
}

/// The right to write the central model of a data directory.
///
/// # Errors
/// [`Exit::Locked`] with the holder.
pub(crate) fn lock(layout: &Layout) -> Result<DirectoryLock, Failure> {
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
