//! State that the log and its threads share: the queue of entries, and the breaker.

use crate::format::line::EncodedEntry;
use crate::log::calls::Calls;
use crate::log::writer::{Failed, Pending, Writer};
use onhand_app::ports::{AppendError, Appended, DurableWatch, LogFailed, NewEntry};
use onhand_domain::{Sequence, Timestamp};
use onhand_planted::{Bug, planted};
use onhand_resilience::BreakerState;
use parking_lot::{Condvar, Mutex};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Maximum number of entries that wait for the disk.
const QUEUE_ENTRIES_MAX: usize = 65_536;
/// Maximum number of bytes that wait for the disk.
const QUEUE_BYTES_MAX: usize = 512 << 20;

/// Entries with an assigned place that wait for the disk.
struct Queue {
    pending: Vec<Pending>,
    bytes: usize,
    /// The sequence that the next event gets.
    next: Sequence,
    last_time: Timestamp,
    breaker: BreakerState,
    closed: bool,
}

/// State that the log and its threads share.
pub(crate) struct Shared {
    queue: Mutex<Queue>,
    filled: Condvar,
    /// The queue's `last_time`, readable without the lock.
    last_time: AtomicI64,
    depth: AtomicUsize,
    pub(crate) durable: Arc<DurableWatch>,
    /// The calls of the writer to the disk.
    pub(crate) calls: Calls,
}

impl Shared {
    /// The state of a log that continues after `end`, whose last entry has the time `last_time`.
    pub(crate) fn new(end: Sequence, last_time: Timestamp, durable: Arc<DurableWatch>) -> Self {
        let queue = Queue {
            pending: Vec::new(),
            bytes: 0,
            next: if planted(Bug::ReuseSequence) { end.max(Sequence(1)) } else { end.plus(1) },
            last_time,
            breaker: BreakerState::Closed,
            closed: false,
        };
        Self {
            queue: Mutex::new(queue),
            filled: Condvar::new(),
            last_time: AtomicI64::new(last_time.milliseconds()),
            depth: AtomicUsize::new(0),
            durable,
            calls: Calls::default(),
        }
    }

    /// Rejects new entries, and wakes every thread that waits for some.
    pub(crate) fn close(&self) {
        self.queue.lock().closed = true;
        self.filled.notify_all();
    }

    /// The time of the last entry.
    pub(crate) fn last_time(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.last_time.load(Ordering::Acquire))
    }

    /// Number of waiting entries.
    pub(crate) fn depth(&self) -> usize {
        self.depth.load(Ordering::Relaxed)
    }

    /// The state of the breaker. Open also while a call to the disk is stuck.
    pub(crate) fn breaker(&self) -> BreakerState {
        if self.calls.are_stuck() { BreakerState::Open } else { self.queue.lock().breaker }
    }

    /// All waiting entries, as soon as there is one; none when the queue is closed and empty.
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

    /// All waiting entries, possibly none.
    pub(crate) fn take(&self) -> Vec<Pending> {
        let mut queue = self.queue.lock();
        queue.bytes = 0;
        let capacity = queue.pending.len();
        let group = std::mem::replace(&mut queue.pending, Vec::with_capacity(capacity));
        self.depth.store(0, Ordering::Relaxed);
        group
    }

    /// After a failure: first the queue rejects new entries, then the durable watch fails, then the group and all
    /// waiting entries do.
    pub(crate) fn open_breaker(&self, failed: Failed) -> io::Error {
        let waiting = {
            let mut queue = self.queue.lock();
            queue.breaker = BreakerState::Open;
            queue.bytes = 0;
            self.depth.store(0, Ordering::Relaxed);
            std::mem::take(&mut queue.pending)
        };
        self.durable.fail();
        let Failed { error, group, outcome } = failed;
        for pending in group {
            // The caller may have gone away.
            let _ = pending.ticket.send(Err(outcome));
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
        self.queue.lock().breaker == BreakerState::HalfOpen
    }

    /// Half-open, and closed when the probe succeeds: the sequences after the durable one are assigned again.
    pub(crate) fn probe(&self, writer: &mut Writer) -> io::Result<()> {
        self.queue.lock().breaker = BreakerState::HalfOpen;
        let (probed, _) = self.calls.during(|| writer.probe());
        let mut queue = self.queue.lock();
        if probed.is_ok() {
            queue.next = self.durable.sequence().plus(1);
            queue.breaker = BreakerState::Closed;
        } else {
            queue.breaker = BreakerState::Open;
        }
        probed
    }

    /// Assigns an entry its place and queues it.
    pub(crate) fn enqueue(&self, entry: &NewEntry<'_>, body: EncodedEntry) -> Result<Appended, AppendError> {
        let (ticket, resolved) = oneshot::channel();
        let mut queue = self.queue.lock();
        if queue.closed {
            return Err(AppendError::Closed);
        }
        if queue.breaker != BreakerState::Closed || !self.durable.is_current(entry.generation) {
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
            // The decision was made for an earlier time than that of the log's last entry.
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
