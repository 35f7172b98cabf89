//! Maintenance of a running node, on one thread: indexes of sealed segments, snapshots, the archive.

use crate::reading::segments::Segments;
use crate::upkeep::archive::{archive, candidates};
use crate::upkeep::snapshot::list_snapshots;
use crate::upkeep::snapshotter::{LastSnapshot, Snapshotter, TakeError};
use onhand_app::ports::DurableWatch;
use onhand_domain::Sequence;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Interval between two checks for due work.
const CHECK_EVERY: Duration = Duration::from_millis(100);
/// Seconds without a snapshot for each second that the last one took, at least.
const REST: u32 = 49;

/// Maintenance of one log, step by step.
pub struct Maintenance {
    segments: Arc<Segments>,
    durable: Arc<DurableWatch>,
    snapshotter: Snapshotter,
    passed: Arc<AtomicU64>,
}

/// The result of one step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// Number of indexes written.
    pub indexes: usize,
    /// The sequence of the snapshot that was taken.
    pub snapshot: Option<Sequence>,
    /// The first sequence of the segment that was archived.
    pub archived: Option<Sequence>,
}

impl Maintenance {
    /// The maintenance of a log that is durable as far as `durable` says, starting behind its `last` snapshot;
    /// another one after every `snapshot_every` events.
    pub(crate) fn new(
        segments: &Arc<Segments>,
        durable: Arc<DurableWatch>,
        node: Uuid,
        last: LastSnapshot,
        snapshot_every: u64,
    ) -> Self {
        let snapshotter = Snapshotter {
            segments: Arc::clone(segments),
            node,
            every: snapshot_every,
            last,
            given_up: Arc::default(),
        };
        let passed = Arc::new(AtomicU64::new(u64::MAX));
        Self { segments: Arc::clone(segments), durable, snapshotter, passed }
    }

    /// Does the due work.
    ///
    /// # Errors
    /// [`TakeError`]; nothing is lost, the next step tries again.
    pub fn step(&mut self) -> Result<Upkeep, TakeError> {
        let (indexes, snapshot) = (self.write_indexes()?, self.snapshot_if_due()?);
        Ok(Upkeep { indexes, snapshot, archived: self.archive_one()? })
    }

    /// Up to which sequence all followers have read; segments beyond it are not archived. Without followers everything
    /// counts as read.
    pub fn passed(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.passed)
    }

    /// Archives the oldest segment that followers and the older snapshot have passed: one a step, so that snapshots and
    /// indexes do not wait for a backlog.
    fn archive_one(&self) -> Result<Option<Sequence>, TakeError> {
        let Segments { disk, layout, .. } = &*self.segments;
        let Some(older) = list_snapshots(&**disk, layout)?.get(1).copied() else { return Ok(None) };
        let passed = older.min(Sequence(self.passed.load(Ordering::Acquire)));
        let Some(first) = candidates(&**disk, layout, passed)?.first().copied() else { return Ok(None) };
        archive(&**disk, layout, first)?;
        Ok(Some(first))
    }

    fn write_indexes(&self) -> Result<usize, TakeError> {
        let unindexed = self.segments.unindexed();
        for segment in &unindexed {
            self.segments.write_index(segment)?;
        }
        Ok(unindexed.len())
    }

    fn snapshot_if_due(&mut self) -> Result<Option<Sequence>, TakeError> {
        let durable = self.durable.sequence();
        if !self.snapshotter.is_due(durable) {
            return Ok(None);
        }
        self.snapshot(durable)?;
        Ok(Some(durable))
    }

    /// Takes a snapshot of everything, unless there is one.
    fn last_snapshot(&mut self) -> Result<Option<Upkeep>, TakeError> {
        let durable = self.durable.sequence();
        if durable <= self.snapshotter.last.sequence {
            return Ok(None);
        }
        self.snapshot(durable)?;
        Ok(Some(Upkeep { snapshot: Some(durable), ..Upkeep::default() }))
    }

    fn snapshot(&mut self, upto: Sequence) -> Result<(), TakeError> {
        let taken = self.snapshotter.take(upto);
        if matches!(taken, Err(TakeError::Snapshot(_) | TakeError::Fold(_))) {
            // The older snapshot is unusable: the next one is made from the log alone.
            self.snapshotter.last.sequence = Sequence::START;
        }
        taken
    }

    /// Runs on a thread of its own until the handle is dropped; `done` is called after every step with a result. At
    /// the end, the snapshot under way and a last one of everything have the time `patience` to finish, or are
    /// abandoned: the next start reads the log behind the last snapshot.
    ///
    /// # Errors
    /// When the operating system cannot create a thread.
    pub fn start(
        mut self,
        patience: Duration,
        done: impl Fn(Result<Upkeep, TakeError>, Duration) + Send + 'static,
    ) -> io::Result<MaintenanceThread> {
        let (stop, stopped) = channel();
        let (ending, ended) = channel();
        let given_up = Arc::clone(&self.snapshotter.given_up);
        let run = move || {
            // Dropping this notifies the thread that waits for the end.
            let _ending: Sender<Infallible> = ending;
            let done = |outcome, took| {
                if !matches!(outcome, Err(TakeError::GivenUp)) {
                    done(outcome, took);
                }
            };
            let mut rested = Instant::now();
            while !stop_within(&stopped, CHECK_EVERY) {
                let begun = Instant::now();
                let may_snapshot = begun >= rested;
                let outcome = if may_snapshot {
                    self.step()
                } else {
                    self.write_indexes().map(|indexes| Upkeep { indexes, ..Upkeep::default() })
                };
                let took = begun.elapsed();
                if may_snapshot {
                    rested = Instant::now() + took.saturating_mul(REST);
                }
                if outcome.as_ref().map_or(true, |upkeep| *upkeep != Upkeep::default()) {
                    done(outcome, took);
                }
            }
            let begun = Instant::now();
            if let Some(outcome) = self.last_snapshot().transpose() {
                done(outcome, begun.elapsed());
            }
        };
        let thread = thread::Builder::new().name("maintenance".to_owned()).spawn(run)?;
        Ok(MaintenanceThread { stop: Some(stop), ended, patience, given_up, thread: Some(thread) })
    }
}

fn stop_within(stopped: &Receiver<()>, wait: Duration) -> bool {
    !matches!(stopped.recv_timeout(wait), Err(RecvTimeoutError::Timeout))
}

/// Handle of the thread; dropping it ends the thread.
pub struct MaintenanceThread {
    stop: Option<Sender<()>>,
    ended: Receiver<Infallible>,
    patience: Duration,
    given_up: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Drop for MaintenanceThread {
    fn drop(&mut self) {
        self.stop.take();
        // Nothing is ever sent: returns when the thread ends or the time is up.
        let _ = self.ended.recv_timeout(self.patience);
        self.given_up.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported by the panic hook already.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recovery::{OpenOptions, open};
    use onhand_app::ports::{EventLog, NewEntry};
    use onhand_disk::Disk;
    use onhand_disk::layout::Layout;
    use onhand_domain::{Event, Timestamp};
    use onhand_sim_machine::disk::SimDisk;
    use onhand_sim_machine::{SimClock, SimIds};
    use std::path::Path;

    const EVENT: &str = r#"{"eventId":"00000000-0000-0000-0000-000000000001","type":"ADJUST","payload":{"sku":"TEA","storeId":"LONDON","delta":1},"after":{"onHand":1,"reserved":0,"version":1}}"#;

    #[test]
    fn an_abandoned_snapshot_is_made_later() {
        let disk = SimDisk::new(1);
        let layout = Layout::new(Path::new("/data"));
        let options = OpenOptions {
            disk: Arc::new(disk.clone()) as Arc<dyn Disk>,
            layout: layout.clone(),
            segment_bytes: 1 << 20,
            ballast_bytes: 0,
            idempotency_ttl_ms: 1000,
        };
        let node = open(&options, &SimClock::default(), &SimIds::default()).unwrap();
        let mut maintenance = node.maintenance(1);
        let entry = NewEntry {
            generation: node.log.durable().generation(),
            decided_at: Timestamp::EPOCH,
            valid_before: None,
            actor: None,
            request_id: None,
            idempotency: None,
            events: &[Event::decode(EVENT).unwrap()],
            unapplied: &[],
        };
        node.log.append(&entry).unwrap();
        node.log.write_waiting().unwrap();
        maintenance.snapshotter.given_up.store(true, Ordering::Release);
        assert!(matches!(maintenance.step(), Err(TakeError::GivenUp)));
        assert_eq!(disk.list(&layout.snapshots()).unwrap(), [""; 0], "and nothing of it stays");
        maintenance.snapshotter.given_up.store(false, Ordering::Release);
        assert_eq!(maintenance.step().unwrap().snapshot, Some(Sequence(1)));
    }
}
