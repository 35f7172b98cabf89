//! A whole node on the simulated disk, opened by the runtime and stepped on one thread: no writer thread, no clock but the
//! simulated one.

use onhand_app::ports::{Clock, EventIds};
use onhand_app::{CommandError, Ledger, Meta, Outcome, TimeSeen};
use onhand_disk::Disk;
use onhand_disk::layout::Layout;
use onhand_domain::{Command, Sequence};
use onhand_file::format::identity::DirectoryLock;
use onhand_file::log::FileLog;
use onhand_file::recovery::{OpenError, OpenOptions, OpenReport};
use onhand_file::sources::local_source::LocalSource;
use onhand_file::upkeep::maintenance::{Maintenance, Upkeep};
use onhand_file::upkeep::snapshotter::TakeError;
use onhand_node::{NodeOptions, OpenedLog};
use onhand_sim_machine::disk::SimDisk;
use onhand_sim_machine::{SimClock, SimIds};
use std::io;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;
use uuid::Uuid;

/// More than two sectors, and little enough that a copy of it costs no time.
const BALLAST_BYTES: usize = 1_500;

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
    /// The ledger over the node's own log.
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

    /// Executes a command, writing the log on this thread while waiting for it.
    ///
    /// # Errors
    /// [`CommandError`], as the real ledger.
    pub async fn execute(&self, command: Command, meta: &Meta) -> Result<Outcome, CommandError> {
        self.drive(self.ledger.execute(command, meta)).await
    }

    /// Waits for any work of the ledger, writing the log on this thread meanwhile.
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
    /// [`CommandError`], when the log cannot write the entry of a leap.
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

    /// Writes the queued entries.
    ///
    /// # Errors
    /// The error of the disk.
    pub fn write_waiting(&self) -> io::Result<()> {
        self.log.write_waiting()
    }

    /// Probes the disk if the storage breaker is open, as after its cool-down.
    ///
    /// # Errors
    /// The error of the disk.
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

#[cfg(test)]
mod tests {
    use super::*;
    use onhand_app::fingerprint;
    use onhand_domain::stock::{Batch, Operation, StockCommand, Verb};
    use onhand_domain::{Expected, Idempotency, Key, Quantity, Sku, StoreId};
    use onhand_sim_machine::disk::{self, Fault, Injection};
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    fn adjust(sku: &str, key: Option<&str>) -> Operation {
        let verb = Verb::Adjust { delta: Quantity::new(1).unwrap(), reason: None, reference: None };
        let store_id = StoreId::new("S").unwrap();
        let command = StockCommand { store_id, sku: Sku::new(sku).unwrap(), expected: Expected::Any, verb };
        let idempotency = key.map(|key| Idempotency {
            key: key.into(),
            scope: "test".into(),
            fingerprint: fingerprint(b"one"),
        });
        Operation { command, idempotency, known: None }
    }

    fn alone(operation: Operation) -> (Command, Meta) {
        let meta = Meta { idempotency: operation.idempotency, ..Meta::default() };
        (Command::Stock(operation.command), meta)
    }

    fn key(sku: &str) -> Key {
        Key::Level(StoreId::new("S").unwrap(), Sku::new(sku).unwrap())
    }

    /// A node with the levels A and B, each of version 1, and a disk whose next sync fails.
    async fn about_to_fail() -> (SimNode, SimDisk) {
        let disk = SimDisk::new(1);
        let node = SimNode::open(&disk, &Arc::default(), &Arc::default(), SimSettings::default()).unwrap();
        for sku in ["A", "B"] {
            let (command, meta) = alone(adjust(sku, None));
            node.execute(command, &meta).await.unwrap();
        }
        disk.inject(Injection::at(1, Fault::Eio).only(disk::DiskOperation::SyncData));
        (node, disk)
    }

    fn is_open(outcome: &Poll<Result<Outcome, CommandError>>) -> bool {
        outcome.is_pending()
    }

    #[tokio::test]
    async fn a_decision_on_rolled_back_state_does_not_enter_the_log() {
        let (node, _) = about_to_fail().await;
        let mut context = Context::from_waker(Waker::noop());
        let (command, meta) = alone(adjust("B", Some("k")));
        let mut first = pin!(node.ledger.execute(command, &meta));
        assert!(is_open(&first.as_mut().poll(&mut context)));
        // The batch has found the key, and waits for a level before it can decide.
        let operations = vec![adjust("A", None), adjust("B", Some("k"))];
        let (batch, meta) = (Command::Batch(Batch { atomic: false, operations }), Meta::default());
        let mut second = pin!(node.ledger.execute(batch, &meta));
        let interleaved = async {
            assert!(is_open(&second.as_mut().poll(&mut context)));
            node.write_waiting().unwrap_err();
            assert!(matches!(node.drive(first).await, Err(CommandError::OutcomeUnknown)));
            node.probe().unwrap();
        };
        node.ledger.holding(&key("A"), interleaved).await;
        assert!(matches!(node.drive(second).await, Err(CommandError::ReadOnly)));
        let version = node.ledger.read(&key("A"), onhand_domain::State::version).await;
        assert_eq!(version.unwrap(), Some(1));
    }

    /// A write or sync hangs. A client that only reads does not wait with those whose change is on its way.
    #[tokio::test]
    async fn a_reader_does_not_wait_for_a_disk_that_does_not_answer() {
        let disk = SimDisk::new(1);
        let node = SimNode::open(&disk, &Arc::default(), &Arc::default(), SimSettings::default()).unwrap();
        let (command, meta) = alone(adjust("A", None));
        node.execute(command, &meta).await.unwrap();
        let mut context = Context::from_waker(Waker::noop());
        let (command, _) = alone(adjust("A", None));
        let mut change = pin!(node.ledger.execute(command, &meta));
        assert!(is_open(&change.as_mut().poll(&mut context)));
        let delta = Quantity::new(-100).unwrap();
        let mut too_much = adjust("A", None);
        too_much.command.verb = Verb::Adjust { delta, reason: None, reference: None };
        let (command, _) = alone(too_much);
        let mut refused = pin!(node.ledger.execute(command, &meta));
        assert!(is_open(&refused.as_mut().poll(&mut context)));
        let (store_id, sku) = (StoreId::new("S").unwrap(), Sku::new("A").unwrap());
        let mut read = pin!(node.ledger.level(&store_id, &sku));
        assert!(read.as_mut().poll(&mut context).is_pending());
        node.ledger.log().durable().note_silence(true);
        let version = |read: Option<onhand_app::stock::LevelView>| read.map(|view| view.numbers.version);
        assert_eq!(version(read.await.unwrap()), Some(1), "what is durable");
        assert!(matches!(refused.await, Err(CommandError::Overloaded)));
        assert!(is_open(&change.as_mut().poll(&mut context)), "it may still happen");
        node.ledger.log().durable().note_silence(false);
        node.drive(change).await.unwrap();
        assert_eq!(version(node.ledger.level(&store_id, &sku).await.unwrap()), Some(2));
    }

    #[tokio::test]
    async fn a_read_that_was_caught_shows_what_is_durable() {
        let (node, _) = about_to_fail().await;
        let mut context = Context::from_waker(Waker::noop());
        let (command, meta) = alone(adjust("B", Some("k")));
        {
            let mut caller = pin!(node.ledger.execute(command, &meta));
            assert!(is_open(&caller.as_mut().poll(&mut context)));
            // The caller disconnects, so only the reader can roll memory back.
        }
        let key = key("B");
        let mut reader = pin!(node.ledger.read(&key, onhand_domain::State::version));
        assert!(reader.as_mut().poll(&mut context).is_pending(), "a crash could take it back");
        node.write_waiting().unwrap_err();
        assert_eq!(reader.await.unwrap(), Some(1));
        let (command, meta) = alone(adjust("C", None));
        assert!(matches!(node.execute(command, &meta).await, Err(CommandError::ReadOnly)));
        node.probe().unwrap();
        let (command, meta) = alone(adjust("B", Some("k")));
        let outcome = node.execute(command, &meta).await.unwrap();
        assert_eq!((outcome.sequence, outcome.replayed), (Sequence(3), false));
    }
}
