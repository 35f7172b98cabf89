//! The log of one node on disk: a queue in front of one writer thread.

use crate::format::line::encode;
use crate::log::breaker;
use crate::log::news::{StorageListener, StorageNews};
use crate::log::shared::Shared;
use crate::log::term::Tenure;
use crate::log::writer::Writer;
use crate::reading::history::FileHistory;
use crate::reading::segments::Segments;
use onhand_app::ports::{AppendError, Appended, DurableWatch, EventLog, History, NewEntry};
use onhand_domain::{Sequence, Timestamp};
use onhand_resilience::BreakerState;
use parking_lot::Mutex;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// The log of one node, open for appending.
pub struct FileLog {
    shared: Arc<Shared>,
    segments: Arc<Segments>,
    writer: Mutex<Option<Writer>>,
    thread: Mutex<Option<thread::JoinHandle<io::Result<()>>>>,
}

impl FileLog {
    /// A log that continues after `end`, whose last entry has the time `last_time`.
    pub(crate) fn new(writer: Writer, end: Sequence, last_time: Timestamp) -> Self {
        let shared = Shared::new(end, last_time, Arc::clone(&writer.durable));
        let segments = Arc::clone(&writer.segments);
        Self {
            shared: Arc::new(shared),
            segments,
            writer: Mutex::new(Some(writer)),
            thread: Mutex::new(None),
        }
    }

    /// Binds the log to a term: it grows only while that term lasts. To be called before the writer thread starts.
    pub(crate) fn bind_to(&self, tenure: Tenure) {
        if let Some(writer) = self.writer.lock().as_mut() {
            writer.tenure = Some(tenure);
        }
    }

    /// Starts the writer thread. Without it, [`FileLog::write_waiting`] does its work, step by step.
    ///
    /// After a disk failure, the disk is probed every `cool_down`; `listener` is notified.
    ///
    /// # Errors
    /// When the operating system cannot create a thread.
    pub fn start(
        &self,
        cool_down: Duration,
        listener: impl Fn(StorageNews<'_>) + Send + Sync + 'static,
    ) -> io::Result<()> {
        let Some(mut writer) = self.writer.lock().take() else { return Ok(()) };
        let listener: StorageListener = Arc::new(listener);
        breaker::watch(Arc::downgrade(&self.shared), Arc::clone(&listener))?;
        let shared = Arc::clone(&self.shared);
        let run = move || {
            let _abort = AbortOnPanic;
            breaker::run(&shared, &mut writer, cool_down, &listener)
        };
        let thread = thread::Builder::new().name("log-writer".to_owned()).spawn(run)?;
        *self.thread.lock() = Some(thread);
        Ok(())
    }

    /// Makes all waiting entries durable, on the calling thread; only while the writer thread is not started.
    ///
    /// # Errors
    /// The error of the disk; the breaker is open then.
    pub fn write_waiting(&self) -> io::Result<()> {
        let mut writer = self.writer.lock();
        let Some(writer) = writer.as_mut() else { return Ok(()) };
        writer.write_group(self.shared.take()).map_err(|failed| self.shared.open_breaker(failed))
    }

    /// Probes the disk on the calling thread if the breaker is open; only while the writer thread is not started.
    ///
    /// # Errors
    /// The error of the disk; the breaker is still open.
    pub fn probe(&self) -> io::Result<()> {
        let mut writer = self.writer.lock();
        match writer.as_mut().filter(|_| self.breaker() == BreakerState::Open) {
            Some(writer) => self.shared.probe(writer),
            None => Ok(()),
        }
    }

    /// Rejects new entries, and waits until the queued ones are durable.
    ///
    /// # Errors
    /// The last error of the disk, when the breaker is open.
    pub fn close(&self) -> io::Result<()> {
        self.shared.close();
        let Some(thread) = self.thread.lock().take() else { return self.write_waiting() };
        match thread.join() {
            Ok(ended) => ended,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    /// The history of the durable part of this log.
    pub fn history(&self) -> Arc<dyn History> {
        Arc::new(FileHistory { segments: Arc::clone(&self.segments) })
    }

    /// The watch on the durable end of the log.
    pub fn durable_watch(&self) -> Arc<DurableWatch> {
        Arc::clone(&self.shared.durable)
    }

    /// The segments of this log.
    pub(crate) fn segments(&self) -> &Arc<Segments> {
        &self.segments
    }
}

impl EventLog for FileLog {
    fn append(&self, entry: &NewEntry<'_>) -> Result<Appended, AppendError> {
        let body = encode(entry).ok_or(AppendError::Full)?;
        self.shared.enqueue(entry, body)
    }

    fn last_time(&self) -> Timestamp {
        self.shared.last_time()
    }

    fn durable(&self) -> &DurableWatch {
        &self.shared.durable
    }

    fn queue_depth(&self) -> usize {
        self.shared.depth()
    }

    fn breaker(&self) -> BreakerState {
        self.shared.breaker()
    }
}

/// A panic of the writer thread ends the process, because the outcome of its entries is unknown.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            std::process::abort();
        }
    }
}
