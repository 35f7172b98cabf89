//! Several processes over one stock, on the simulated disk: each is a ledger with its log, writer thread and leases.

mod clocks;
mod ended_terms;
mod lost_file;
mod low_stock;
mod migrating;
mod mismatch;
mod movements;
mod stories;
mod stress;

use crate::node::qty;
use onhand_app::ports::{Clock, EventIds, EventLog, Sleep};
use onhand_app::{CommandError, Due, Ledger, Meta, Outcome, Parts};
use onhand_disk::Disk;
use onhand_disk::layout::Layout;
use onhand_domain::stock::{StockCommand, Verb};
use onhand_domain::{Command, Expected, Sku, StoreId, Timestamp};
use onhand_file::log::FileLog;
use onhand_file::recovery::{OpenNode, OpenOptions};
use onhand_file::sharing::{FileSharing, Joined, LeaseOptions, join};
use onhand_sim_machine::disk::{DiskOperation, Fault, Injection, SimDisk};
use onhand_sim_machine::{SimClock, SimIds};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// The lifetime of a lease that is not renewed.
const TTL: Duration = Duration::from_millis(120);

/// The clocks of a machine on which time passes by itself, and additionally on demand.
pub(crate) struct Flowing {
    told: SimClock,
    begun: Instant,
}

impl Flowing {
    fn new() -> Self {
        let told = SimClock::default();
        told.set(Timestamp::parse("2026-11-20T16:00:00Z").unwrap());
        Self { told, begun: Instant::now() }
    }

    pub(crate) fn pass(&self, milliseconds: i64) {
        self.told.pass(milliseconds);
    }
}

impl Clock for Flowing {
    fn now(&self) -> Timestamp {
        self.told.now().plus_milliseconds(i64::try_from(self.begun.elapsed().as_millis()).unwrap())
    }

    fn monotonic(&self) -> Duration {
        self.told.monotonic() + self.begun.elapsed()
    }

    fn sleep(&self, time: Duration) -> Sleep<'_> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// The clocks of a process whose wall clock is ahead of the machine's.
struct Ahead {
    machine: Arc<Flowing>,
    milliseconds: i64,
}

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        self.machine.now().plus_milliseconds(self.milliseconds)
    }

    fn monotonic(&self) -> Duration {
        self.machine.monotonic()
    }

    fn sleep(&self, time: Duration) -> Sleep<'_> {
        self.machine.sleep(time)
    }
}

/// The machine that the processes share.
pub(crate) struct Machine {
    pub(crate) disk: SimDisk,
    pub(crate) clock: Arc<Flowing>,
    pub(crate) ids: Arc<SimIds>,
    begun: AtomicU32,
}

/// One process.
pub(crate) struct Process {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) log: Arc<FileLog>,
    sharing: Arc<FileSharing>,
    /// The process number for faults of its disk alone.
    number: u32,
    keeper: Option<JoinHandle<()>>,
    _lock: onhand_file::format::identity::DirectoryLock,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let (disk, clock) = (SimDisk::new(7), Arc::new(Flowing::new()));
        Self { disk, clock, ids: Arc::default(), begun: AtomicU32::new(0) }
    }

    pub(crate) fn layout() -> Layout {
        Layout::new(Path::new("/data"))
    }

    /// A process that renews its leases, but writes its log only on demand.
    pub(crate) async fn begin_by_hand(&self) -> Process {
        self.begin_ahead(0).await
    }

    /// As [`Self::begin_by_hand`], with a wall clock that is ahead of the machine's.
    async fn begin_ahead(&self, milliseconds: i64) -> Process {
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let options = OpenOptions {
            disk: Arc::new(self.disk.of(number)) as Arc<dyn Disk>,
            layout: Self::layout(),
            segment_bytes: 4096,
            ballast_bytes: 0,
            idempotency_ttl_ms: 300_000,
        };
        let lease = LeaseOptions {
            directory: PathBuf::from("/data/locks"),
            ttl: TTL,
            renew: Duration::from_millis(20),
        };
        let clock: Arc<dyn Clock> = Arc::new(Ahead { machine: Arc::clone(&self.clock), milliseconds });
        let ids: Arc<dyn EventIds> = Arc::clone(&self.ids) as _;
        let Joined { node, sharing, .. } = join(&options, lease, &clock, &ids).unwrap();
        let OpenNode { log, restored, end, lock, .. } = node;
        let log = Arc::new(log);
        let parts = Parts {
            log: Arc::clone(&log) as Arc<dyn EventLog>,
            history: log.history(),
            clock,
            ids,
            idempotency_ttl_ms: 300_000,
        };
        let ledger = Arc::new(Ledger::new(parts, restored, end).shared(Arc::clone(&sharing) as _, 5 * TTL));
        ledger.join().await.unwrap();
        ledger.let_others_join().unwrap();
        let mut process = Process { ledger, log, sharing, number, keeper: None, _lock: lock };
        process.go_on();
        process
    }

    pub(crate) async fn begin(&self) -> Process {
        let process = self.begin_by_hand().await;
        process.log.start(Duration::from_millis(5), |_| {}).unwrap();
        process
    }
}

impl Process {
    /// Renews its leases from now on.
    fn go_on(&mut self) {
        let ledger = Arc::clone(&self.ledger);
        self.keeper = Some(tokio::spawn(async move {
            tokio::select! {
                _ = ledger.keep_leases() => {}
                () = Due::run(&ledger) => {}
            }
        }));
    }

    /// The next sync of its log fails.
    fn refuse_a_sync(&self, disk: &SimDisk) {
        disk.inject(Injection::at(1, Fault::Eio).only(DiskOperation::SyncData).by(self.number));
    }

    /// Executes a command while its log is written by hand, once.
    async fn execute_by_hand(&self, command: Command, meta: &Meta) -> Result<Outcome, CommandError> {
        let executed = self.execute(command, meta);
        let written = async {
            while self.ledger.log().queue_depth() == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            // A failure reaches the caller.
            let _ = self.log.write_waiting();
        };
        tokio::join!(executed, written).0
    }

    /// Stops all renewals.
    pub(crate) async fn pause(&mut self) {
        if let Some(keeper) = self.keeper.take() {
            keeper.abort();
            // Whatever it was doing, it has stopped.
            let _ = keeper.await;
        }
    }

    /// As after SIGKILL: its memory is gone, its files are closed.
    pub(crate) async fn kill(mut self) {
        self.pause().await;
        // Its writer thread ends with the group it has, which gets no answer.
        let _ = self.log.close();
    }

    /// Stops as `serve` does at its end.
    pub(crate) async fn stop(mut self) {
        self.pause().await;
        self.log.close().unwrap();
        self.sharing.leave().unwrap();
    }

    /// Stops as `serve` does at its end; a process that was taken over from has no leases to release.
    pub(crate) async fn stop_if_it_may(mut self) {
        self.pause().await;
        let _ = self.log.close();
        let _ = self.sharing.leave();
    }

    pub(crate) async fn execute(&self, command: Command, meta: &Meta) -> Result<Outcome, CommandError> {
        self.ledger.execute(command, meta).await
    }

    pub(crate) async fn adjust(&self, sku: &str, delta: i64) -> Result<Outcome, CommandError> {
        self.execute(adjust(sku, delta, Expected::Any), &Meta::default()).await
    }

    /// On hand and version.
    pub(crate) async fn level(&self, sku: &str) -> Option<(i64, u64)> {
        let view = self.ledger.level(&store(), &Sku::new(sku).unwrap()).await.unwrap()?;
        Some((view.numbers.on_hand.get(), view.numbers.version))
    }
}

fn store() -> StoreId {
    StoreId::new("LONDON").unwrap()
}

pub(crate) fn adjust(sku: &str, delta: i64, expected: Expected) -> Command {
    let verb = Verb::Adjust { delta: qty(delta), reason: None, reference: None };
    Command::Stock(StockCommand { store_id: store(), sku: Sku::new(sku).unwrap(), expected, verb })
}
