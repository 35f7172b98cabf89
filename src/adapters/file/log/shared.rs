//! What the log and its threads share: the entries that wait, and the state of the breaker.

use crate::format::line::Body;
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

/// Entries that may wait for the disk at once.
const QUEUE_ENTRIES_MAX: usize = 65_536;
/// Bytes that may wait for the disk at once.
const QUEUE_BYTES_MAX: usize = 512 << 20;

/// The entries that have their place and wait for the disk.
struct Queue {
    pending: Vec<Pending>,
    bytes: usize,
    /// The sequence that the next event gets.
    next: Sequence,
    last_time: Timestamp,
    breaker: BreakerState,
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
    /// The writer's calls to the disk.
    pub(crate) calls: Calls,
}

impl Shared {
    /// The state of a log that goes on after `end`, whose last entry has the time `last_time`.
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

    /// Takes no more entries; whoever waits for some goes on.
    pub(crate) fn close(&self) {
        self.queue.lock().closed = true;
        self.filled.notify_all();
    }

    /// The time of the last entry.
    pub(crate) fn last_time(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.last_time.load(Ordering::Acquire))
    }

    /// How many entries wait.
    pub(crate) fn depth(&self) -> usize {
        self.depth.load(Ordering::Relaxed)
    }

    /// Open also while a call to the disk does not return.
    pub(crate) fn breaker(&self) -> BreakerState {
        if self.calls.are_stuck() { BreakerState::Open } else { self.queue.lock().breaker }
    }

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

    /// Everything that waits, which may be nothing.
    pub(crate) fn take(&self) -> Vec<Pending> {
        let mut queue = self.queue.lock();
        queue.bytes = 0;
        let capacity = queue.pending.len();
        let group = std::mem::replace(&mut queue.pending, Vec::with_capacity(capacity));
        self.depth.store(0, Ordering::Relaxed);
        group
    }

    /// After a failure: the queue takes nothing more before anybody hears of the failure; then the group and what waits fail.
    pub(crate) fn open_breaker(&self, failed: Failed) -> io::Error {
        let waiting = {
            let mut queue = self.queue.lock();
            queue.breaker = BreakerState::Open;
            queue.bytes = 0;
            self.depth.store(0, Ordering::Relaxed);
            std::mem::take(&mut queue.pending)
        };
        self.durable.fail();
        let Failed { error, group, told } = failed;
        for pending in group {
            // The caller may have gone away.
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
        self.queue.lock().breaker == BreakerState::HalfOpen
    }

    /// Half-open, and closed when the probe succeeds: the sequences after the durable one are handed out again.
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

    /// Gives an entry its place and queues it.
    pub(crate) fn enqueue(&self, entry: &NewEntry<'_>, body: Body) -> Result<Appended, AppendError> {
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
