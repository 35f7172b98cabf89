//! A whole node on the simulated disk, opened by the runtime and stepped on one thread: no writer thread, no clock but the
//! simulated one.

use crate::adapters::file::disk::Disk;
use crate::adapters::file::disk::layout::Layout;
use crate::adapters::file::format::identity::DirectoryLock;
use crate::adapters::file::log::FileLog;
use crate::adapters::file::recovery::{OpenError, OpenOptions, OpenReport};
use crate::adapters::file::sources::local_source::LocalSource;
use crate::adapters::file::upkeep::maintenance::{Maintenance, Upkeep};
use crate::adapters::file::upkeep::snapshotter::TakeError;
use crate::app::ports::{Clock, EventIds, Sleep};
use crate::app::{CommandError, Ledger, Meta, Outcome, TimeSeen};
use crate::domain::{Command, Sequence, Timestamp};
use crate::runtime::node::{NodeOptions, OpenedLog};
use crate::sim::disk::SimDisk;
use std::io;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;
use uuid::Uuid;

/// More than two sectors, and little enough that a copy of it costs no time.
const BALLAST_BYTES: usize = 1_500;

/// Clocks that stand still until they are moved: the wall clock in any direction, the monotonic one ahead.
#[derive(Debug, Default)]
pub struct SimClock {
    wall: AtomicI64,
    passed: AtomicI64,
}

impl SimClock {
    /// Sets the wall clock.
    pub fn set(&self, at: Timestamp) {
        self.wall.store(at.milliseconds(), Ordering::SeqCst);
    }

    /// Lets `milliseconds` pass; when negative, turns the wall clock back.
    pub fn pass(&self, milliseconds: i64) {
        self.wall.fetch_add(milliseconds, Ordering::SeqCst);
        self.passed.fetch_add(milliseconds.max(0), Ordering::SeqCst);
    }

    /// Moves the wall clock by `milliseconds`, while no time passes.
    pub fn jump(&self, milliseconds: i64) {
        self.wall.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.wall.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.passed.load(Ordering::SeqCst).unsigned_abs())
    }

    /// Must be polled again after time has passed.
    fn sleep(&self, time: Duration) -> Sleep<'_> {
        let over = self.monotonic() + time;
        Box::pin(std::future::poll_fn(move |context| {
            if self.monotonic() >= over {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        }))
    }
}

/// Event ids that count up.
#[derive(Debug, Default)]
pub struct SimIds(AtomicU64);

impl EventIds for SimIds {
    fn event_id(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.0.fetch_add(1, Ordering::SeqCst)))
    }
}

/// The settings of a simulated node.
#[derive(Debug, Clone, Copy)]
pub struct SimSettings {
    /// See [`OpenOptions::segment_bytes`].
    pub segment_bytes: u64,
    /// See [`OpenOptions::idempotency_ttl_ms`].
    pub idempotency_ttl_ms: i64,
    /// Events between snapshots.
    pub snapshot_every: u64,
    /// Whether segments go to the archive; without followers they may, see [`SimNode::hold_archive_at`].
    pub archive: bool,
}

impl Default for SimSettings {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, idempotency_ttl_ms: 300_000, snapshot_every: 100, archive: false }
    }
}

/// A running node.
pub struct SimNode {
    /// The ledger.
    pub ledger: Arc<Ledger>,
    /// What recovery found.
    pub report: OpenReport,
    node: Uuid,
    log: Arc<FileLog>,
    maintenance: Maintenance,
    _lock: DirectoryLock,
}

impl SimNode {
    /// Opens the data directory `/data` of a disk.
    ///
    /// # Errors
    /// [`OpenError`], as the real node.
    pub fn open(
        disk: &SimDisk,
        clock: &Arc<SimClock>,
        ids: &Arc<SimIds>,
        settings: SimSettings,
    ) -> Result<Self, OpenError> {
        let options = NodeOptions {
            directory: OpenOptions {
                disk: Arc::new(disk.clone()) as Arc<dyn Disk>,
                layout: Layout::new(Path::new("/data")),
                segment_bytes: settings.segment_bytes,
                ballast_bytes: BALLAST_BYTES,
                idempotency_ttl_ms: settings.idempotency_ttl_ms,
            },
            snapshot_every: settings.snapshot_every,
            clock: Arc::clone(clock) as Arc<dyn Clock>,
            ids: Arc::clone(ids) as Arc<dyn EventIds>,
        };
        let OpenedLog { node, report, log, maintenance, ledger, lock, .. } = options.open()?;
        maintenance.passed().store(if settings.archive { u64::MAX } else { 0 }, Ordering::SeqCst);
        let ledger = Arc::new(ledger.build(Duration::ZERO));
        Ok(Self { ledger, report, node, log, maintenance, _lock: lock })
    }

    /// Does what a command asks, writing the log on this thread while it waits for it.
    ///
    /// # Errors
    /// [`CommandError`], as the real ledger.
    pub async fn execute(&self, command: Command, meta: &Meta) -> Result<Outcome, CommandError> {
        self.drive(self.ledger.execute(command, meta)).await
    }

    /// Waits for anything of the ledger, writing the log on this thread meanwhile.
    pub async fn drive<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        std::future::poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(done),
            Poll::Pending => {
                // A failure reaches the caller through the tickets.
                let _ = self.log.write_waiting();
                context.waker().wake_by_ref();
                Poll::Pending
            }
        })
        .await
    }

    /// Compares the log's time with the wall clock; a real node does so at its start and about every second.
    ///
    /// # Errors
    /// [`CommandError`], when the log does not take the entry of a leap.
    pub async fn keep_time(&self) -> Result<TimeSeen, CommandError> {
        self.drive(self.ledger.keep_time()).await
    }

    /// The node's id.
    pub fn id(&self) -> Uuid {
        self.node
    }

    /// The node's own log, as a worker in the same process reads it.
    pub fn source(&self) -> LocalSource {
        LocalSource::new(&self.log, self.node)
    }

    /// Writes the entries that wait.
    ///
    /// # Errors
    /// What the disk said.
    pub fn write_waiting(&self) -> io::Result<()> {
        self.log.write_waiting()
    }

    /// Probes the disk if the storage breaker is open: the cool-down is over.
    ///
    /// # Errors
    /// What the disk said.
    pub fn probe(&self) -> io::Result<()> {
        self.log.probe()
    }

    /// Followers have read up to `sequence`: segments beyond it are not archived.
    pub fn hold_archive_at(&self, sequence: Sequence) {
        self.maintenance.passed().store(sequence.0, Ordering::SeqCst);
    }

    /// Does the maintenance that is due.
    ///
    /// # Errors
    /// [`TakeError`].
    pub fn upkeep(&mut self) -> Result<Upkeep, TakeError> {
        self.maintenance.step()
    }
}
