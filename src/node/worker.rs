//! A worker over the disk and the clock that the caller passes in: its central store, its dead letters, its sources.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use onhand_app::central::{self, CentralModel, Worker, WorkerParts};
use onhand_app::ports::{CentralStore, Clock, EventSource, Joining};
use onhand_disk::Disk;
use onhand_disk::layout::Layout;
use onhand_file::stores::central::FileCentral;
use onhand_file::stores::dead_letters::FileDeadLetters;

/// The parts that a worker is opened over. `serve` passes the disk and the clock of the machine, the simulator its own.
pub struct WorkerOptions {
    /// The disk of the dead letters.
    pub disk: Arc<dyn Disk>,
    /// The clock that dates dead letters.
    pub clock: Arc<dyn Clock>,
    /// The data directory.
    pub layout: Layout,
    /// The model that the worker keeps.
    pub model: Arc<CentralModel>,
    /// Logs that are followed from the start.
    pub sources: Vec<Arc<dyn EventSource>>,
    /// Directories whose logs may join later.
    pub joining: Vec<Arc<dyn Joining>>,
    /// Pace, retries and breaker of the worker.
    pub settings: central::SyncSettings,
}

/// The reason why a worker does not open.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// A store cannot be opened.
    #[error("cannot open {}", path.display())]
    Open {
        /// The path of the store.
        path: PathBuf,
        /// The error of the disk.
        source: io::Error,
    },
    /// The saved model or the letters cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The path of the store.
        path: PathBuf,
        /// The error of the disk.
        source: io::Error,
    },
}

impl WorkerOptions {
    /// Opens the central store of the data directory and a worker over it; the caller holds the lock.
    ///
    /// # Errors
    /// [`WorkerError`]; the model is unchanged then.
    pub fn open(self) -> Result<Worker, WorkerError> {
        let path = self.layout.central();
        let central = FileCentral::open(Arc::clone(&self.disk), self.layout.clone())
            .map_err(|source| WorkerError::Open { path, source })?;
        self.open_over(Arc::new(central))
    }

    /// Opens a worker over a given central store; the caller holds the lock.
    ///
    /// # Errors
    /// As [`WorkerOptions::open`].
    pub fn open_over(self, central: Arc<dyn CentralStore>) -> Result<Worker, WorkerError> {
        let Self { disk, clock, layout, model, sources, joining, settings } = self;
        let (path, read) = (layout.dead_letter_file(), layout.central());
        let letters =
            FileDeadLetters::open(disk, layout).map_err(|source| WorkerError::Open { path, source })?;
        let parts = WorkerParts { sources, central, letters: Arc::new(letters), clock };
        Worker::over(model, parts, joining, settings)
            .map_err(|source| WorkerError::Read { path: read, source })
    }
}
