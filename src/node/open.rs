//! A node over a disk, clocks and ids that the caller passes in: `serve` passes those of the machine, the simulator its own.
//!
//! Opening has two steps. [`NodeOptions::open`] reads the log; [`UnbuiltLedger::build`] builds the ledger from it.
//! Between them a running node starts the threads of its log, and it opens its central model while the ledger is built.

use onhand_app::ports::{Clock, EventIds, EventLog, Sharing};
use onhand_app::{Ledger, Parts, Restored};
use onhand_disk::layout::Layout;
use onhand_domain::Sequence;
use onhand_file::format::identity::DirectoryLock;
use onhand_file::log::FileLog;
use onhand_file::recovery::{self, OpenError, OpenNode, OpenOptions, OpenReport};
use onhand_file::sharing::{self, FileSharing, Joined, LeaseOptions};
use onhand_file::sources::local_source::LocalSource;
use onhand_file::upkeep::maintenance::Maintenance;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// The directory, clocks and ids that a node is opened over.
pub struct NodeOptions {
    /// The disk, the data directory, and the sizes of what the log keeps there.
    pub directory: OpenOptions,
    /// Events between two snapshots, at least.
    pub snapshot_every: u64,
    /// The clocks of the log and of the ledger.
    pub clock: Arc<dyn Clock>,
    /// The source of event ids.
    pub ids: Arc<dyn EventIds>,
}

/// A node whose log has been read and can be written. Its ledger is not built yet.
pub struct OpenedLog {
    /// The node's id.
    pub node: Uuid,
    /// The id of the ledger that the log belongs to.
    pub ledger_id: Uuid,
    /// The node's own directory: the data directory, or one of several below it.
    pub layout: Layout,
    /// The report of recovery.
    pub report: OpenReport,
    /// The durable end of the log.
    pub end: Sequence,
    /// The log, without a writer thread.
    pub log: Arc<FileLog>,
    /// Snapshots, indexes and the archive of the log.
    pub maintenance: Maintenance,
    /// The membership among other processes on the data directory; none for a process alone.
    pub sharing: Option<Arc<FileSharing>>,
    /// The states that the ledger is built from.
    pub ledger: UnbuiltLedger,
    /// Keeps other processes out of the directory for as long as it is held.
    pub lock: DirectoryLock,
}

/// The input of [`UnbuiltLedger::build`].
pub struct UnbuiltLedger {
    parts: Parts,
    restored: Restored,
    end: Sequence,
    sharing: Option<Arc<FileSharing>>,
}

impl NodeOptions {
    /// Locks the data directory for one process, and creates it when it is new, before anything else in it is touched.
    ///
    /// # Errors
    /// [`OpenError::Locked`] or [`OpenError::Shared`], or the error of the disk.
    pub fn hold(&self) -> Result<DirectoryLock, OpenError> {
        recovery::hold(&self.directory)
    }

    /// Opens the data directory for this process alone.
    ///
    /// # Errors
    /// [`OpenError`]; nothing that was acknowledged has been changed then.
    pub fn open(&self) -> Result<OpenedLog, OpenError> {
        self.open_held(self.hold()?)
    }

    /// As [`NodeOptions::open`], for a directory that [`NodeOptions::hold`] has locked.
    ///
    /// # Errors
    /// As [`NodeOptions::open`].
    pub fn open_held(&self, lock: DirectoryLock) -> Result<OpenedLog, OpenError> {
        let node = recovery::open_held(&self.directory, lock, &*self.clock, &*self.ids)?;
        Ok(self.opened(node, self.directory.layout.clone(), None))
    }

    /// Joins the processes that share the data directory.
    ///
    /// # Errors
    /// [`OpenError`]; [`OpenError::Locked`] when one process has the directory for itself.
    pub fn join(&self, lease: LeaseOptions) -> Result<OpenedLog, OpenError> {
        let Joined { node, layout, sharing } = sharing::join(&self.directory, lease, &self.clock, &self.ids)?;
        Ok(self.opened(node, layout, Some(sharing)))
    }

    fn opened(&self, node: OpenNode, layout: Layout, sharing: Option<Arc<FileSharing>>) -> OpenedLog {
        let maintenance = node.maintenance(self.snapshot_every);
        let OpenNode { node, log, restored, end, report, lock, .. } = node;
        let log = Arc::new(log);
        let parts = Parts {
            log: Arc::clone(&log) as Arc<dyn EventLog>,
            history: log.history(),
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids),
            idempotency_ttl_ms: self.directory.idempotency_ttl_ms,
        };
        let ledger = UnbuiltLedger { parts, restored, end, sharing: sharing.clone() };
        let (node, ledger_id) = (node.node, node.ledger());
        OpenedLog { node, ledger_id, layout, report, end, log, maintenance, sharing, ledger, lock }
    }
}

impl OpenedLog {
    /// The log as a worker in this process reads it.
    pub fn source(&self) -> LocalSource {
        LocalSource::new(&self.log, self.node)
    }
}

impl UnbuiltLedger {
    /// The number of states that the ledger begins with.
    pub fn states(&self) -> usize {
        self.restored.states.len()
    }

    /// Builds the ledger, which takes seconds when there are many levels. `lease_wait` is how long a change waits for a
    /// lease, where several processes share the data directory.
    pub fn build(self, lease_wait: Duration) -> Ledger {
        let Self { parts, restored, end, sharing } = self;
        let ledger = Ledger::new(parts, restored, end);
        match sharing {
            Some(sharing) => ledger.shared(sharing as Arc<dyn Sharing>, lease_wait),
            None => ledger,
        }
    }
}
