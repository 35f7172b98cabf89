//! The worker put together: its sources, its files, and the lock that lets there be only one.

use super::directory;
use super::exit::{Exit, Failure, OrExit};
use crate::adapters::file::central::{FileCentral, list, look};
use crate::adapters::file::clock::SystemClock;
use crate::adapters::file::dead_letters::FileDeadLetters;
use crate::adapters::file::directory_source::DirectorySource;
use crate::adapters::file::disk::RealDisk;
use crate::adapters::file::identity::DirectoryLock;
use crate::adapters::file::layout::Layout;
use crate::adapters::file::recovery::OpenError;
use crate::adapters::http::Node;
use crate::adapters::remote::RemoteSource;
use crate::app::ports::{CentralStore, EventSource};
use crate::app::sync::{self, CentralModel, Worker, WorkerParts};
use crate::config::{SourceAddress, SyncSettings};
use crate::domain::Sequence;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

/// Events asked for at once.
const READ_EVENTS: usize = 5_000;
/// How long the last pass of a worker may take.
const LAST_PASS_MAX: Duration = Duration::from_secs(5);

/// A worker, and the right to be it.
pub(super) struct Held {
    /// The worker.
    pub(super) worker: Arc<Worker>,
    _lock: DirectoryLock,
}

impl Held {
    /// The worker of a data directory: the log of `own` and those of the settings, merged into `central/`.
    ///
    /// # Errors
    /// [`Exit::Locked`] when there is one already, or what the disk says.
    pub(super) fn open(
        layout: &Layout,
        own: Arc<dyn EventSource>,
        settings: &SyncSettings,
        save_every: u64,
    ) -> Result<Self, Failure> {
        let lock = lock(layout)?;
        let doing = || format!("cannot open {}", layout.central().display());
        let central = FileCentral::open(Arc::new(RealDisk), layout.clone()).or_exit(Exit::Io, doing)?;
        let worker = worker(layout, own, Arc::new(central), settings, save_every)?;
        Ok(Self { worker, _lock: lock })
    }

    /// One more pass, so that what was acknowledged until now is in central, and a last save.
    ///
    /// What does not come in time is not lost: it stands in the logs, behind the checkpoint.
    pub(super) async fn finish(&self) {
        if timeout(LAST_PASS_MAX, self.worker.sync()).await.is_err() {
            tracing::warn!("the last pass took too long; the next start reads the rest");
        }
        if let Err(error) = self.worker.save().await {
            tracing::warn!(%error, "the central model was not saved; the next start reads the logs again");
        }
    }
}

/// Where a node's central model comes from.
pub(super) enum Central {
    /// The worker of this process.
    Here(Held),
    /// Another process: what it saves is shown.
    Elsewhere(Arc<CentralModel>, Layout),
}

impl Central {
    /// Keeps the model up to date, for ever.
    pub(super) async fn run(&self, interval: Duration) {
        match self {
            Self::Here(held) => held.worker.run().await,
            Self::Elsewhere(model, layout) => mirror(model, layout, interval).await,
        }
    }

    /// How far a node's log is in the model.
    pub(super) fn merged(&self, node: Uuid) -> Sequence {
        let model = match self {
            Self::Here(held) => held.worker.central(),
            Self::Elsewhere(model, _) => model,
        };
        model.look(|central| central.as_of().get(&node).copied()).unwrap_or_default()
    }

    /// The last pass, if it is this process that passes.
    pub(super) async fn finish(&self) {
        if let Self::Here(held) = self {
            held.finish().await;
        }
    }

    /// The node with the model.
    pub(super) fn attach(&self, node: Node) -> Node {
        match self {
            Self::Here(held) => node.with_worker(Arc::clone(&held.worker)),
            Self::Elsewhere(model, _) => node.with_central(Arc::clone(model)),
        }
    }
}

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
    layout: &Layout,
    own: Arc<dyn EventSource>,
    central: Arc<dyn CentralStore>,
    settings: &SyncSettings,
    save_every: u64,
) -> Result<Arc<Worker>, Failure> {
    let mut sources = vec![own];
    for address in &settings.sources {
        sources.push(source(address)?);
    }
    let letters = FileDeadLetters::open(Arc::new(RealDisk), layout.clone())
        .or_exit(Exit::Io, || format!("cannot open {}", layout.dead_letter_file().display()))?;
    let parts = WorkerParts { sources, central, letters: Arc::new(letters), clock: Arc::new(SystemClock) };
    let settings = sync::SyncSettings {
        interval: settings.interval,
        concurrency: settings.concurrency,
        read_events: READ_EVENTS,
        save_every,
        retry_base: settings.retry_base,
        retry_times: settings.retry_times,
    };
    let worker = Worker::new(parts, settings)
        .or_exit(Exit::Io, || format!("cannot read {}", layout.central().display()))?;
    Ok(Arc::new(worker))
}

/// A data directory on this machine as a source.
pub(super) fn directory_source(layout: Layout) -> Arc<dyn EventSource> {
    Arc::new(DirectorySource::new(Arc::new(RealDisk), layout))
}

fn source(address: &SourceAddress) -> Result<Arc<dyn EventSource>, Failure> {
    match address {
        SourceAddress::Directory(path) => Ok(directory_source(Layout::new(path))),
        SourceAddress::Url(url) => {
            let source = RemoteSource::new(url).or_exit(Exit::Settings, || format!("cannot follow {url}"))?;
            Ok(Arc::new(source))
        }
    }
}

/// Shows what the worker of another process saves: takes each newer file of `central/` into the model, for ever.
async fn mirror(model: &Arc<CentralModel>, layout: &Layout, interval: Duration) {
    let mut shown = None;
    loop {
        let (model, layout) = (Arc::clone(model), layout.clone());
        let newer = tokio::task::spawn_blocking(move || show_newer(&model, &layout, shown)).await;
        match newer {
            Ok(Ok(version)) => shown = version,
            Ok(Err(error)) => tracing::warn!(%error, "the central file cannot be read; it is tried again"),
            // The process is ending.
            Err(_) => return,
        }
        sleep(interval).await;
    }
}

/// Shows the newest central file there is, unless it is shown already, and answers which is shown now. A redrive saves
/// under the same name again.
fn show_newer(model: &CentralModel, layout: &Layout, shown: Option<Version>) -> io::Result<Option<Version>> {
    let Some(newest) = list(&RealDisk, layout)?.first().copied() else { return Ok(shown) };
    let saved = match std::fs::metadata(layout.central_file(newest)) {
        Ok(metadata) => metadata.modified()?,
        // Removed meanwhile: there is a newer one.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(shown),
        Err(error) => return Err(error),
    };
    let version = (newest, saved);
    if Some(version) == shown {
        return Ok(shown);
    }
    let Some(file) = look(&RealDisk, layout)? else { return Ok(shown) };
    model.replace(file.central());
    Ok(Some(version))
}

/// Which central file it is, and when it was written.
type Version = (Sequence, SystemTime);
