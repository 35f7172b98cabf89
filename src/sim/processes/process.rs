//! One process, with its own view of the disk: one of several, with leases, or alone on the directory.

use crate::block_on::block_on;
use crate::log_rules;
use onhand_app::Ledger;
use onhand_app::ports::{Clock, EventIds, EventLog as _, Sharing as _, is_taken_over};
use onhand_disk::Disk;
use onhand_file::format::identity::DirectoryLock;
use onhand_file::log::FileLog;
use onhand_file::recovery::OpenOptions;
use onhand_file::sharing::{FileSharing, LeaseOptions};
use onhand_file::upkeep::maintenance::Maintenance;
use onhand_node::{NodeOptions, OpenedLog};
use onhand_resilience::BreakerState;
use onhand_sim_machine::SimIds;
use onhand_sim_machine::disk::SimDisk;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Milliseconds after which a process that does not renew its leases is taken over from.
pub(super) const TTL_MS: usize = 200;

/// The time that a key is kept: longer than any run.
const KEY_TTL_MS: i64 = 3_600_000;

/// How often a process expires holds and compares its clocks.
const SWEEP_EVERY: Duration = Duration::from_millis(50);

/// The time after which a failed disk is probed.
const COOL_DOWN: Duration = Duration::from_millis(150);

/// The side tasks of a process: leases, clocks, expired holds.
type Keeper = Pin<Box<dyn Future<Output = io::Error>>>;

/// The parts that a process is started with.
pub(super) struct ProcessStart {
    /// The disk as this process sees it.
    pub(super) disk: SimDisk,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<SimIds>,
    pub(super) segment_bytes: u64,
    pub(super) snapshot_every: u64,
}

pub(super) struct Process {
    // In the order of dropping: holders of open files come first.
    keeper: Option<Keeper>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) log: Arc<FileLog>,
    sharing: Option<Arc<FileSharing>>,
    pub(super) maintenance: Maintenance,
    clock: Arc<dyn Clock>,
    /// The time since when the disk is known to fail.
    refused: Option<Duration>,
    pub(super) frozen: bool,
    /// True when its disk may have failed.
    pub(super) sick: bool,
    _lock: DirectoryLock,
}

impl ProcessStart {
    /// Joins the other processes.
    ///
    /// # Errors
    /// When the disk fails or the process is killed meanwhile; there is no other reason.
    pub(super) fn join(self) -> Result<Process, Box<dyn std::error::Error>> {
        let ttl = Duration::from_millis(TTL_MS as u64);
        let lease = LeaseOptions { directory: log_rules::layout().root().join("locks"), ttl, renew: ttl / 5 };
        let opened = self.options().join(lease)?;
        self.run(opened, 5 * ttl)
    }

    /// Opens the directory for this process alone.
    ///
    /// # Errors
    /// As [`ProcessStart::join`].
    pub(super) fn alone(self) -> Result<Process, Box<dyn std::error::Error>> {
        let opened = self.options().open()?;
        self.run(opened, Duration::ZERO)
    }

    fn options(&self) -> NodeOptions {
        NodeOptions {
            directory: OpenOptions {
                disk: Arc::new(self.disk.clone()) as Arc<dyn Disk>,
                layout: log_rules::layout(),
                segment_bytes: self.segment_bytes,
                ballast_bytes: 0,
                idempotency_ttl_ms: KEY_TTL_MS,
            },
            snapshot_every: self.snapshot_every,
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids) as Arc<dyn EventIds>,
        }
    }

    fn run(self, opened: OpenedLog, lease_wait: Duration) -> Result<Process, Box<dyn std::error::Error>> {
        let OpenedLog { log, maintenance, sharing, ledger, lock, .. } = opened;
        let ledger = Arc::new(ledger.build(lease_wait));
        block_on(ledger.join())?;
        drive(&log, ledger.keep_time())?;
        ledger.let_others_join()?;
        let (kept, clock) = (Arc::clone(&ledger), Arc::clone(&self.clock));
        let keeper: Keeper = Box::pin(async move {
            tokio::select! {
                biased;
                error = kept.keep_leases() => error,
                never = sweep(&kept, &*clock) => match never {},
            }
        });
        Ok(Process {
            keeper: Some(keeper),
            ledger,
            log,
            sharing,
            maintenance,
            clock: self.clock,
            refused: None,
            frozen: false,
            sick: false,
            _lock: lock,
        })
    }
}

impl Process {
    /// Does the due work, unless the process is frozen.
    pub(super) fn step(&mut self) {
        if self.frozen {
            return;
        }
        // A failure reaches the caller through its ticket.
        let _ = self.log.write_waiting();
        if self.log.breaker() == BreakerState::Closed {
            self.refused = None;
        } else {
            let now = self.clock.monotonic();
            if now.saturating_sub(*self.refused.get_or_insert(now)) >= COOL_DOWN {
                self.refused = Some(now);
                let _ = self.log.probe();
            }
        }
        let mut context = Context::from_waker(Waker::noop());
        if let Some(keeper) = &mut self.keeper
            && keeper.as_mut().poll(&mut context).is_ready()
        {
            self.keeper = None;
        }
    }

    /// True when its term is over: another process has taken over, or it has ended the term itself.
    pub(super) fn is_over(&self) -> bool {
        self.sharing.as_ref().is_some_and(|sharing| sharing.lasts().is_err())
    }

    /// True while its disk accepts changes.
    pub(super) fn is_well(&self) -> bool {
        self.log.breaker() == BreakerState::Closed
    }

    /// Ends the side tasks and closes the log, as `serve` does once no request is in progress.
    pub(super) fn close(&mut self) {
        self.keeper = None;
        let closed = self.log.close();
        assert!(closed.is_ok() || self.sick, "the disk is well: {closed:?}");
    }

    /// Ends the term.
    pub(super) fn leave(self) {
        if let Some(sharing) = &self.sharing
            && let Err(error) = sharing.leave()
        {
            // A process that was frozen has no leases left to release, and learns so here.
            assert!(is_taken_over(&error) || self.sick, "the disk is well: {error}");
        }
    }
}

/// Runs a future while the log is written.
pub(super) fn drive<T>(log: &FileLog, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    block_on(std::future::poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(done),
        Poll::Pending => {
            // A failure reaches the waiting task.
            let _ = log.write_waiting();
            Poll::Pending
        }
    }))
}

/// Compares the clocks, expires holds and re-evaluates alerts; never returns.
async fn sweep(ledger: &Ledger, clock: &dyn Clock) -> Infallible {
    loop {
        // Failed work is still due at the next turn.
        let _ = ledger.keep_time().await;
        let _ = ledger.expire_due().await;
        clock.sleep(SWEEP_EVERY).await;
    }
}
