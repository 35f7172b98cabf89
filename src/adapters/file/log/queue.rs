//! The log of one node on disk: a queue in front of one writer thread.

use crate::adapters::file::format::line::{Body, encode};
use crate::adapters::file::log::breaker;
use crate::adapters::file::log::breaker::{Calls, StorageNews, Told};
use crate::adapters::file::log::term::Tenure;
use crate::adapters::file::log::writer::{Failed, Pending, Writer};
use crate::adapters::file::reading::history::FileHistory;
use crate::adapters::file::reading::segments::Segments;
use crate::app::ports::{AppendError, Appended, DurableWatch, EventLog, History, LogFailed, NewEntry};
use crate::domain::{Sequence, Timestamp};
use crate::planted::{Bug, planted};
use crate::resilience::Position;
use parking_lot::{Condvar, Mutex};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Entries that may wait for the disk at once.
const QUEUE_ENTRIES_MAX: usize = 65_536;
/// Bytes that may wait for the disk at once.
const QUEUE_BYTES_MAX: usize = 512 << 20;

struct Queue {
    pending: Vec<Pending>,
    bytes: usize,
    next: Sequence,
    last_time: Timestamp,
    breaker: Position,
    closed: bool,
}

/// What the log and its threads share.
pub(crate) struct Shared {
    queue: Mutex<Queue>,
    filled: Condvar,
    /// The queue's `last_time`, readable without the lock.
    last_time: AtomicI64,
    depth: AtomicUsize,
    pub(crate) durable: Arc<DurableWatch>,
    /// Those of the writer.
    pub(crate) calls: Calls,
}

/// The log of one node, open for appending.
pub struct FileLog {
    shared: Arc<Shared>,
    segments: Arc<Segments>,
    writer: Mutex<Option<Writer>>,
    thread: Mutex<Option<thread::JoinHandle<io::Result<()>>>>,
}

impl FileLog {
    /// A log that goes on after `end`, whose last entry has the time `last_time`.
    pub(crate) fn new(writer: Writer, end: Sequence, last_time: Timestamp) -> Self {
        let queue = Queue {
            pending: Vec::new(),
            bytes: 0,
            next: if planted(Bug::ReuseSequence) { end.max(Sequence(1)) } else { end.plus(1) },
            last_time,
            breaker: Position::Closed,
            closed: false,
        };
        let shared = Shared {
            queue: Mutex::new(queue),
            filled: Condvar::new(),
            last_time: AtomicI64::new(last_time.milliseconds()),
            depth: AtomicUsize::new(0),
            durable: Arc::clone(&writer.durable),
            calls: Calls::default(),
        };
        let segments = Arc::clone(&writer.segments);
        Self {
            shared: Arc::new(shared),
            segments,
            writer: Mutex::new(Some(writer)),
            thread: Mutex::new(None),
        }
    }

    /// From now on the log grows only while that term lasts; before the writer thread is started.
    pub(crate) fn bind_to(&self, tenure: Tenure) {
        if let Some(writer) = self.writer.lock().as_mut() {
            writer.tenure = Some(tenure);
        }
    }

    /// Starts the writer thread. Without it, [`FileLog::write_waiting`] does its work, step by step.
    ///
    /// When the disk refuses, it is probed after `cool_down`, again and again; `told` hears of it.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(
        &self,
        cool_down: Duration,
        told: impl Fn(StorageNews<'_>) + Send + Sync + 'static,
    ) -> io::Result<()> {
        let Some(mut writer) = self.writer.lock().take() else { return Ok(()) };
        let told: Told = Arc::new(told);
        breaker::watch(Arc::downgrade(&self.shared), Arc::clone(&told))?;
        let shared = Arc::clone(&self.shared);
        let run = move || {
            let _abort = AbortOnPanic;
            breaker::run(&shared, &mut writer, cool_down, &told)
        };
        let thread = thread::Builder::new().name("log-writer".to_owned()).spawn(run)?;
        *self.thread.lock() = Some(thread);
        Ok(())
    }

    /// Makes everything that waits durable, on the calling thread; only while the writer thread is not started.
    ///
    /// # Errors
    /// What the disk said; the breaker is open then.
    pub fn write_waiting(&self) -> io::Result<()> {
        let mut writer = self.writer.lock();
        let Some(writer) = writer.as_mut() else { return Ok(()) };
        writer.write_group(self.shared.take()).map_err(|failed| self.shared.open_breaker(failed))
    }

    /// Probes the disk on the calling thread if the breaker is open; only while the writer thread is not started.
    ///
    /// # Errors
    /// What the disk said; the breaker is open still.
    pub fn probe(&self) -> io::Result<()> {
        let mut writer = self.writer.lock();
        match writer.as_mut().filter(|_| self.breaker() == Position::Open) {
            Some(writer) => self.shared.probe(writer),
            None => Ok(()),
        }
    }

    /// Takes no more entries, and waits until those that wait are durable.
    ///
    /// # Errors
    /// What the disk said last, when the breaker is open.
    pub fn close(&self) -> io::Result<()> {
        self.shared.queue.lock().closed = true;
        self.shared.filled.notify_all();
        let Some(thread) = self.thread.lock().take() else { return self.write_waiting() };
        match thread.join() {
            Ok(ended) => ended,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    /// Reads what is durable in this log.
    pub fn history(&self) -> Arc<dyn History> {
        Arc::new(FileHistory { segments: Arc::clone(&self.segments) })
    }

    /// Follows the durable end of the log.
    pub fn durable_watch(&self) -> Arc<DurableWatch> {
        Arc::clone(&self.shared.durable)
    }

    pub(crate) fn segments(&self) -> &Arc<Segments> {
        &self.segments
    }
}

impl Shared {
    /// Everything that waits, once something does; nothing when the queue is closed and empty.
    pub(crate) fn wait_for_group(&self) -> Option<Vec<Pending>> {
        let mut queue = self.queue.lock();
        while queue.pending.is_empty() {
            if queue.closed {
                return None;
            }
            self.filled.wait(&mut queue);
        }
        drop(queue);
        Some(self.take())
    }

    fn take(&self) -> Vec<Pending> {
        let mut queue = self.queue.lock();
        queue.bytes = 0;
        let capacity = queue.pending.len();
        let group = std::mem::replace(&mut queue.pending, Vec::with_capacity(capacity));
        self.depth.store(0, Ordering::Relaxed);
        group
    }

    /// After a failure: nothing more is taken from before anybody hears of it; then the group and what waits fail.
    pub(crate) fn open_breaker(&self, failed: Failed) -> io::Error {
        let waiting = {
            let mut queue = self.queue.lock();
            queue.breaker = Position::Open;
            queue.bytes = 0;
            self.depth.store(0, Ordering::Relaxed);
            std::mem::take(&mut queue.pending)
        };
        self.durable.fail();
        let Failed { error, group, told } = failed;
        for pending in group {
            // Whoever asked may have gone away.
            let _ = pending.ticket.send(Err(told));
        }
        for pending in waiting {
            let _ = pending.ticket.send(Err(LogFailed::NotWritten));
        }
        error
    }

    /// Waits for the cool-down; false when the log is closed meanwhile.
    pub(crate) fn rest(&self, cool_down: Duration) -> bool {
        let until = Instant::now() + cool_down;
        let mut queue = self.queue.lock();
        while !queue.closed && !self.filled.wait_until(&mut queue, until).timed_out() {}
        !queue.closed
    }

    /// True while a probe is under way.
    pub(crate) fn is_probing(&self) -> bool {
        self.queue.lock().breaker == Position::HalfOpen
    }

    /// Half-open, and closed when the probe succeeds: the sequences after the durable one are given out again.
    pub(crate) fn probe(&self, writer: &mut Writer) -> io::Result<()> {
        self.queue.lock().breaker = Position::HalfOpen;
        let (probed, _) = self.calls.during(|| writer.probe());
        let mut queue = self.queue.lock();
        if probed.is_ok() {
            queue.next = self.durable.sequence().plus(1);
            queue.breaker = Position::Closed;
        } else {
            queue.breaker = Position::Open;
        }
        probed
    }

    fn enqueue(&self, entry: &NewEntry<'_>, body: Body) -> Result<Appended, AppendError> {
        let (ticket, resolved) = oneshot::channel();
        let mut queue = self.queue.lock();
        if queue.closed {
            return Err(AppendError::Closed);
        }
        if queue.breaker != Position::Closed || !self.durable.is_current(entry.generation) {
            return Err(AppendError::ReadOnly);
        }
        if self.calls.are_stuck() {
            return Err(AppendError::Full);
        }
        if queue.pending.len() >= QUEUE_ENTRIES_MAX || queue.bytes >= QUEUE_BYTES_MAX {
            return Err(AppendError::Full);
        }
        let at = entry.decided_at.max(queue.last_time);
        if entry.valid_before.is_some_and(|until| at >= until) {
            // The decision was made for another time: the log is past it.
            return Err(AppendError::Stale);
        }
        let sequence = queue.next;
        queue.next = sequence.plus(entry.events.len() as u64);
        queue.last_time = at;
        queue.bytes += body.bytes.len();
        self.last_time.store(at.milliseconds(), Ordering::Release);
        queue.pending.push(Pending { sequence, at, body, ticket });
        let depth = queue.pending.len();
        self.depth.store(depth, Ordering::Relaxed);
        drop(queue);
        if depth == 1 {
            self.filled.notify_one();
        }
        Ok(Appended { sequence, at, ticket: resolved })
    }
}

impl EventLog for FileLog {
    fn append(&self, entry: &NewEntry<'_>) -> Result<Appended, AppendError> {
        let body = encode(entry).ok_or(AppendError::Full)?;
        self.shared.enqueue(entry, body)
    }

    fn last_time(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.shared.last_time.load(Ordering::Acquire))
    }

    fn durable(&self) -> &DurableWatch {
        &self.shared.durable
    }

    fn queue_depth(&self) -> usize {
        self.shared.depth.load(Ordering::Relaxed)
    }

    fn breaker(&self) -> Position {
        if self.shared.calls.are_stuck() { Position::Open } else { self.shared.queue.lock().breaker }
    }
}

/// A panic of the writer thread ends the process: nothing may be acknowledged on a guess.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            std::process::abort();
        }
    }
}
