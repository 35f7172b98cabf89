//! One process: begun on its own view of the disk, with its leases, or with the whole directory for itself.

use crate::adapters::file::disk::Disk;
use crate::adapters::file::format::identity::DirectoryLock;
use crate::adapters::file::log::FileLog;
use crate::adapters::file::recovery::{OpenNode, OpenOptions, open};
use crate::adapters::file::sharing::{FileSharing, Joined, LeaseOptions, join};
use crate::adapters::file::upkeep::maintenance::Maintenance;
use crate::app::ports::{Clock, EventIds, EventLog, Sharing as _, is_taken_over};
use crate::app::{Ledger, Parts};
use crate::resilience::Position;
use crate::sim::disk::SimDisk;
use crate::sim::node::SimIds;
use crate::sim::rules;
use crate::sim::run::block_on;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Who does not renew for so long is taken over from.
pub(super) const TTL_MS: usize = 200;

/// How long a key is known: longer than any run.
const KEY_TTL_MS: i64 = 3_600_000;

/// How often a process looks at what is due, and at its clocks.
const SWEEP_EVERY: Duration = Duration::from_millis(50);

/// After so long a disk that refused is probed.
const COOL_DOWN: Duration = Duration::from_millis(150);

/// A process looks after its leases, its clocks, and at what is due, for as long as it lives.
type Keeper = Pin<Box<dyn Future<Output = io::Error>>>;

/// What a process is begun with.
pub(super) struct Beginning {
    /// The disk as this process sees it.
    pub(super) disk: SimDisk,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<SimIds>,
    pub(super) segment_bytes: u64,
    pub(super) snapshot_every: u64,
}

pub(super) struct Process {
    // In the order in which they are dropped: what holds files open comes first.
    keeper: Option<Keeper>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) log: Arc<FileLog>,
    sharing: Option<Arc<FileSharing>>,
    pub(super) maintenance: Maintenance,
    clock: Arc<dyn Clock>,
    /// Since when the disk is known to refuse.
    refused: Option<Duration>,
    pub(super) frozen: bool,
    /// Its disk may have refused something.
    pub(super) sick: bool,
    _lock: DirectoryLock,
}

impl Beginning {
    /// Joins the others.
    ///
    /// # Errors
    /// When the disk refuses or the process is killed meanwhile; nothing else is a reason.
    pub(super) fn join(self) -> Result<Process, Box<dyn std::error::Error>> {
        let ttl = Duration::from_millis(TTL_MS as u64);
        let lease = LeaseOptions { directory: rules::layout().root().join("locks"), ttl, renew: ttl / 5 };
        let ids = Arc::clone(&self.ids) as Arc<dyn EventIds>;
        let Joined { node, sharing, .. } = join(&self.options(), lease, &self.clock, &ids)?;
        self.run(node, Some((sharing, 5 * ttl)))
    }

    /// Takes the directory for itself.
    ///
    /// # Errors
    /// As [`Beginning::join`].
    pub(super) fn alone(self) -> Result<Process, Box<dyn std::error::Error>> {
        let node = open(&self.options(), &*self.clock, &*self.ids)?;
        self.run(node, None)
    }

    fn options(&self) -> OpenOptions {
        OpenOptions {
            disk: Arc::new(self.disk.clone()) as Arc<dyn Disk>,
            layout: rules::layout(),
            segment_bytes: self.segment_bytes,
            ballast_bytes: 0,
            idempotency_ttl_ms: KEY_TTL_MS,
        }
    }

    fn run(
        self,
        node: OpenNode,
        sharing: Option<(Arc<FileSharing>, Duration)>,
    ) -> Result<Process, Box<dyn std::error::Error>> {
        let maintenance = node.maintenance(self.snapshot_every);
        let OpenNode { log, restored, end, lock, .. } = node;
        let log = Arc::new(log);
        let parts = Parts {
            log: Arc::clone(&log) as Arc<dyn EventLog>,
            history: log.history(),
            clock: Arc::clone(&self.clock),
            ids: self.ids,
            idempotency_ttl_ms: KEY_TTL_MS,
        };
        let ledger = Ledger::new(parts, restored, end);
        let (ledger, sharing) = match sharing {
            Some((sharing, patience)) => (ledger.shared(Arc::clone(&sharing) as _, patience), Some(sharing)),
            None => (ledger, None),
        };
        let ledger = Arc::new(ledger);
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
    /// Does what is to be done by now, unless it is frozen.
    pub(super) fn step(&mut self) {
        if self.frozen {
            return;
        }
        // A failure reaches the caller through its ticket.
        let _ = self.log.write_waiting();
        if self.log.breaker() == Position::Closed {
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

    /// True when its term is over: another one has taken over, or it has ended it itself.
    pub(super) fn is_over(&self) -> bool {
        self.sharing.as_ref().is_some_and(|sharing| sharing.lasts().is_err())
    }

    /// True while its disk takes changes.
    pub(super) fn is_well(&self) -> bool {
        self.log.breaker() == Position::Closed
    }

    /// As at the end of `serve`, once no request is under way: nothing is renewed any more, the log is closed.
    pub(super) fn close(&mut self) {
        self.keeper = None;
        let closed = self.log.close();
        assert!(closed.is_ok() || self.sick, "the disk is well: {closed:?}");
    }

    /// And the term ended.
    pub(super) fn leave(self) {
        if let Some(sharing) = &self.sharing
            && let Err(error) = sharing.leave()
        {
            // One that was frozen has nothing to give back, and learns so here.
            assert!(is_taken_over(&error) || self.sick, "the disk is well: {error}");
        }
    }
}

/// Waits for something while the log is written.
pub(super) fn drive<T>(log: &FileLog, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    block_on(std::future::poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(done),
        Poll::Pending => {
            // A failure reaches whoever waits.
            let _ = log.write_waiting();
            Poll::Pending
        }
    }))
}

/// Holds that are due and thresholds that have changed are looked at, again and again, and the clocks.
async fn sweep(ledger: &Ledger, clock: &dyn Clock) -> Infallible {
    loop {
        // What is not done now is due still.
        let _ = ledger.keep_time().await;
        let _ = ledger.expire_due().await;
        clock.sleep(SWEEP_EVERY).await;
    }
}
