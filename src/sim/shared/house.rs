//! The processes: each a ledger with its log and its leases, all on one disk, moved on in turns by whoever asks one of them.

use crate::adapters::file::disk::Disk;
use crate::adapters::file::identity::DirectoryLock;
use crate::adapters::file::log::FileLog;
use crate::adapters::file::maintenance::Maintenance;
use crate::adapters::file::recovery::{OpenNode, OpenOptions};
use crate::adapters::file::sharing::{FileSharing, Joined, LeaseOptions, join};
use crate::app::ports::{Clock, EventIds, EventLog, Sharing as _, is_taken_over};
use crate::app::query::ReadError;
use crate::app::{CommandError, Ledger, Outcome, Parts};
use crate::domain::Timestamp;
use crate::sim::disk::SimDisk;
use crate::sim::node::{SimClock, SimIds};
use crate::sim::oracle::{Act, Oracle, Shown};
use crate::sim::rules;
use crate::sim::run::block_on;
use crate::sim::stage::{Listed, command, listed, shown};
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Who does not renew for so long is taken over from.
pub(super) const TTL_MS: usize = 200;

/// A command that has no answer after so many turns never gets one.
const TURNS_MAX: usize = 20_000;

/// How often a process looks at what is due.
const SWEEP_EVERY: Duration = Duration::from_millis(50);

/// A command that a process was asked.
pub(super) type Asking = Pin<Box<dyn Future<Output = Result<Outcome, CommandError>>>>;

/// A process looks after its leases, and at what is due, for as long as it lives.
type Keeper = Pin<Box<dyn Future<Output = io::Error>>>;

struct Process {
    // In the order in which they are dropped: what holds files open comes first.
    keeper: Option<Keeper>,
    ledger: Arc<Ledger>,
    log: Arc<FileLog>,
    sharing: Arc<FileSharing>,
    maintenance: Maintenance,
    frozen: bool,
    _lock: DirectoryLock,
}

/// A disk with processes on it.
pub(super) struct House {
    pub(super) disk: SimDisk,
    clock: Arc<SimClock>,
    ids: Arc<SimIds>,
    segment_bytes: u64,
    snapshot_every: u64,
    places: Vec<Option<Process>>,
}

impl House {
    pub(super) fn new(disk: SimDisk, segment_bytes: u64, snapshot_every: u64) -> Self {
        let clock = Arc::new(SimClock::default());
        clock.set(Timestamp::parse("2026-11-20T16:00:00Z").expect("a time"));
        Self { disk, clock, ids: Arc::default(), segment_bytes, snapshot_every, places: Vec::new() }
    }

    /// Starts a process there.
    pub(super) fn begin(&mut self, place: usize) {
        let options = OpenOptions {
            disk: Arc::new(self.disk.clone()) as Arc<dyn Disk>,
            layout: rules::layout(),
            segment_bytes: self.segment_bytes,
            ballast_bytes: 0,
            idempotency_ttl_ms: 3_600_000,
        };
        let ttl = Duration::from_millis(TTL_MS as u64);
        let lease = LeaseOptions { directory: rules::layout().root().join("locks"), ttl, renew: ttl / 5 };
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as _;
        let ids: Arc<dyn EventIds> = Arc::clone(&self.ids) as _;
        let Joined { node, sharing, .. } =
            join(&options, lease, &clock, &ids).expect("a process starts after every crash");
        let maintenance = Maintenance::new(&node, self.snapshot_every);
        let OpenNode { log, restored, end, lock, .. } = node;
        let log = Arc::new(log);
        let sweeping = Arc::clone(&clock);
        let parts = Parts {
            log: Arc::clone(&log) as Arc<dyn EventLog>,
            history: log.history(),
            clock,
            ids,
            idempotency_ttl_ms: 3_600_000,
        };
        let ledger = Arc::new(Ledger::new(parts, restored, end).shared(Arc::clone(&sharing) as _, 5 * ttl));
        block_on(ledger.join()).expect("the logs of the others are read");
        let kept = Arc::clone(&ledger);
        let keeper: Keeper = Box::pin(async move {
            tokio::select! {
                biased;
                error = kept.keep_leases() => error,
                never = sweep(&kept, &*sweeping) => match never {},
            }
        });
        let process =
            Process { keeper: Some(keeper), ledger, log, sharing, maintenance, frozen: false, _lock: lock };
        while self.places.len() <= place {
            self.places.push(None);
        }
        *self.places.get_mut(place).expect("there is a place") = Some(process);
    }

    fn process(&self, place: usize) -> &Process {
        self.places.get(place).and_then(Option::as_ref).expect("somebody is there")
    }

    pub(super) fn lives(&self, place: usize) -> bool {
        self.places.get(place).is_some_and(Option::is_some)
    }

    pub(super) fn freeze(&mut self, place: usize) {
        if let Some(process) = self.places.get_mut(place).and_then(Option::as_mut) {
            process.frozen = true;
        }
    }

    pub(super) fn thaw(&mut self, place: usize) {
        if let Some(process) = self.places.get_mut(place).and_then(Option::as_mut) {
            process.frozen = false;
        }
    }

    /// Indexes, snapshots, archive.
    pub(super) fn upkeep(&mut self, place: usize) {
        if let Some(process) = self.places.get_mut(place).and_then(Option::as_mut) {
            process.maintenance.step().expect("the disk is well");
        }
    }

    /// As if it had been killed: what it has in memory is gone, what it holds open is closed.
    pub(super) fn kill(&mut self, place: usize) {
        if let Some(place) = self.places.get_mut(place) {
            *place = None;
        }
    }

    /// As at the end of `serve`.
    pub(super) fn stop(&mut self, place: usize) {
        let Some(mut process) = self.places.get_mut(place).and_then(Option::take) else { return };
        process.keeper = None;
        if process.log.close().is_ok()
            && let Err(error) = process.sharing.leave()
        {
            // One that was frozen has nothing to give back, and learns so here.
            assert!(is_taken_over(&error), "the disk is well: {error}");
        }
    }

    /// Somebody has taken over from it.
    pub(super) fn was_taken_over(&self, place: usize) -> bool {
        self.process(place).sharing.lasts().is_err()
    }

    /// Begins a command.
    pub(super) fn ask(&self, place: usize, oracle: &Oracle, act: &Act) -> Asking {
        let ledger = Arc::clone(&self.process(place).ledger);
        let (command, meta) = command(oracle, 0, act);
        Box::pin(async move { ledger.execute(command, &meta).await })
    }

    /// Moves a command on, at most so many turns; its outcome when it has come to one.
    pub(super) fn turns(
        &mut self,
        place: usize,
        asking: &mut Asking,
        turns: usize,
    ) -> Option<Result<Outcome, CommandError>> {
        (0..turns).find_map(|_| self.turn(place, asking))
    }

    /// Waits for a command.
    pub(super) fn answer(&mut self, place: usize, mut asking: Asking) -> Result<Outcome, CommandError> {
        self.turns(place, &mut asking, TURNS_MAX).expect("a command comes to an end")
    }

    fn turn(&mut self, place: usize, asking: &mut Asking) -> Option<Result<Outcome, CommandError>> {
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(outcome) = asking.as_mut().poll(&mut context) {
            return Some(outcome);
        }
        // A failure reaches the caller through its ticket.
        let _ = self.process(place).log.write_waiting();
        if let Poll::Ready(outcome) = asking.as_mut().poll(&mut context) {
            return Some(outcome);
        }
        self.pass(1);
        None
    }

    /// Time passes, and everybody who is not frozen looks after leases and log.
    pub(super) fn pass(&mut self, milliseconds: u64) {
        let mut context = Context::from_waker(Waker::noop());
        // Nobody who lives misses the time of a lease.
        let mut left = i64::try_from(milliseconds).unwrap_or(i64::MAX);
        while left > 0 {
            let step = left.min(20);
            self.clock.pass(step);
            left -= step;
            for process in self.places.iter_mut().flatten().filter(|process| !process.frozen) {
                let _ = process.log.write_waiting();
                if let Some(keeper) = &mut process.keeper
                    && keeper.as_mut().poll(&mut context).is_ready()
                {
                    process.keeper = None;
                }
            }
        }
    }

    /// What one process shows of a SKU.
    pub(super) fn shown(&self, at: usize, sku: &str) -> Result<Shown, ReadError> {
        let ledger = Arc::clone(&self.process(at).ledger);
        self.read(at, shown(&ledger, &Oracle::new(0), sku))
    }

    /// The lists that one process shows.
    pub(super) fn listed(&self, at: usize) -> Result<Listed, ReadError> {
        let ledger = Arc::clone(&self.process(at).ledger);
        self.read(at, listed(&ledger))
    }

    fn read<T>(&self, at: usize, read: impl Future<Output = Result<T, ReadError>>) -> Result<T, ReadError> {
        let (process, mut read) = (self.process(at), pin!(read));
        block_on(std::future::poll_fn(|context| match read.as_mut().poll(context) {
            Poll::Ready(seen) => Poll::Ready(seen),
            Poll::Pending => {
                let _ = process.log.write_waiting();
                Poll::Pending
            }
        }))
    }
}

/// Holds that are due and thresholds that have changed are looked at, again and again.
async fn sweep(ledger: &Ledger, clock: &dyn Clock) -> Infallible {
    loop {
        // What is not done now is due still.
        let _ = ledger.expire_due().await;
        clock.sleep(SWEEP_EVERY).await;
    }
}
