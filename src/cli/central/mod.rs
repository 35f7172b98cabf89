//! The worker put together: its sources, its files, and the lock that lets there be only one.

mod shown;

pub(super) use shown::Central;

use super::directory;
use super::exit::{Exit, Failure, OrExit};
use crate::adapters::file::disk::RealDisk;
use crate::adapters::file::disk::clock::SystemClock;
use crate::adapters::file::disk::layout::Layout;
use crate::adapters::file::format::identity::DirectoryLock;
use crate::adapters::file::recovery::OpenError;
use crate::adapters::file::sources::directory_source::DirectorySource;
use crate::adapters::file::sources::members::{Arrangement, Members, arrangement};
use crate::adapters::file::stores::central::FileCentral;
use crate::adapters::file::stores::dead_letters::FileDeadLetters;
use crate::adapters::remote::RemoteSource;
use crate::app::central;
use crate::app::central::{CentralModel, Worker, WorkerParts};
use crate::app::ports::{CentralStore, EventSource, Joining};
use crate::config::{SourceAddress, SyncSettings};
use crate::resilience::BreakerSettings;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Events asked for at once.
const READ_EVENTS: usize = 5_000;
/// How long the last pass of a worker may take.
/// It needs no longer, unless a source that was well hangs.
pub(super) const LAST_PASS_MAX: Duration = Duration::from_secs(5);

/// A worker, and the right to be it.
pub(super) struct Held {
    /// The worker.
    pub(super) worker: Arc<Worker>,
    _lock: DirectoryLock,
}

impl Held {
    /// The worker of a data directory: its logs and those of the settings, merged into `central/`.
    ///
    /// # Errors
    /// [`Exit::Locked`] when there is one already, or what the disk says.
    pub(super) fn open(
        layout: &Layout,
        logs: Logs,
        settings: &SyncSettings,
        save_every: u64,
    ) -> Result<Self, Failure> {
        Self::over(lock(layout)?, Arc::default(), layout, logs, settings, save_every)
    }

    /// The worker of a data directory whose central model is held already, over a model of the caller's.
    ///
    /// # Errors
    /// What the disk says.
    pub(super) fn over(
        lock: DirectoryLock,
        model: Arc<CentralModel>,
        layout: &Layout,
        logs: Logs,
        settings: &SyncSettings,
        save_every: u64,
    ) -> Result<Self, Failure> {
        let doing = || format!("cannot open {}", layout.central().display());
        let central = FileCentral::open(Arc::new(RealDisk), layout.clone()).or_exit(Exit::Io, doing)?;
        let worker = worker(model, layout, logs, Arc::new(central), settings, save_every)?;
        Ok(Self { worker, _lock: lock })
    }

    /// One more pass, so that what was acknowledged until now is in central, and a last save.
    ///
    /// What does not come in time is not lost: it stands in the logs, behind the checkpoint.
    pub(super) async fn finish(&self, pass_max: Duration) {
        if timeout(pass_max, self.worker.sync_at_stop(UNWELL_MAX)).await.is_err() {
            tracing::warn!("the last pass took too long; the next start reads the rest");
        }
        if let Err(error) = self.worker.save().await {
            tracing::warn!(%error, "the central model was not saved; the next start reads the logs again");
        }
    }
}

/// How long a stop waits for sources that did not answer before.
const UNWELL_MAX: Duration = Duration::from_millis(250);

/// The right to write the central model of a data directory.
///
/// # Errors
/// [`Exit::Locked`] with the holder.
pub(super) fn lock(layout: &Layout) -> Result<DirectoryLock, Failure> {
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

/// A worker over a central store of the caller's choice; the caller holds the lock.
///
/// # Errors
/// What the disk says; [`Exit::Settings`] for a source that is none.
pub(super) fn worker(
    model: Arc<CentralModel>,
    layout: &Layout,
    mut logs: Logs,
    central: Arc<dyn CentralStore>,
    settings: &SyncSettings,
    save_every: u64,
) -> Result<Arc<Worker>, Failure> {
    for address in &settings.sources {
        logs.add(address)?;
    }
    let Logs { sources, joining } = logs;
    let letters = FileDeadLetters::open(Arc::new(RealDisk), layout.clone())
        .or_exit(Exit::Io, || format!("cannot open {}", layout.dead_letter_file().display()))?;
    let parts = WorkerParts { sources, central, letters: Arc::new(letters), clock: Arc::new(SystemClock) };
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
    let worker = Worker::over(model, parts, joining, settings)
        .or_exit(Exit::Io, || format!("cannot read {}", layout.central().display()))?;
    Ok(Arc::new(worker))
}

/// Which logs a worker follows.
#[derive(Clone, Default)]
pub(super) struct Logs {
    sources: Vec<Arc<dyn EventSource>>,
    joining: Vec<Arc<dyn Joining>>,
}

impl Logs {
    /// The log of the worker's own process, which has the data directory for itself.
    pub(super) fn own(source: impl EventSource + 'static) -> Self {
        Self { sources: vec![Arc::new(source)], joining: Vec::new() }
    }

    /// The log of the worker's own process, the `number`th of several on the data directory, and those of the others.
    pub(super) fn own_of_several(layout: &Layout, number: u16, source: impl EventSource + 'static) -> Self {
        let others = Members::new(Arc::new(RealDisk), layout.clone(), Some(number));
        Self { joining: vec![Arc::new(others)], ..Self::own(source) }
    }

    /// The log of a data directory of other processes, or all of them when several share it.
    ///
    /// # Errors
    /// What the disk says.
    pub(super) fn of_directory(layout: &Layout) -> Result<Self, Failure> {
        let mut logs = Self::default();
        logs.add_directory(layout.clone())?;
        Ok(logs)
    }

    fn add_directory(&mut self, layout: Layout) -> Result<(), Failure> {
        let found = arrangement(&RealDisk, &layout)
            .or_exit(Exit::Io, || format!("cannot read {}", layout.nodes().display()))?;
        match found {
            Arrangement::Alone => {
                self.sources.push(Arc::new(DirectorySource::new(Arc::new(RealDisk), layout)));
            }
            Arrangement::Shared => {
                self.joining.push(Arc::new(Members::new(Arc::new(RealDisk), layout, None)));
            }
            Arrangement::HalfShared => return Err(directory::half_shared(&layout)),
        }
        Ok(())
    }

    fn add(&mut self, address: &SourceAddress) -> Result<(), Failure> {
        match address {
            SourceAddress::Directory(path) => self.add_directory(Layout::new(path)),
            SourceAddress::Url(url) => {
                let source =
                    RemoteSource::new(url).or_exit(Exit::Settings, || format!("cannot follow {url}"))?;
                self.sources.push(Arc::new(source));
                Ok(())
            }
        }
    }
}
