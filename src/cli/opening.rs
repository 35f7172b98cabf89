//! A data directory opened for `serve`: alone, or as one of several processes.

use super::alerting;
use super::central::{self, Central, Held, Logs};
use super::directory;
use super::exit::{Exit, Failure, OrExit};
use super::stopping::LAST_SNAPSHOT_SHARE;
use super::storage;
use crate::adapters::file::disk::RealDisk;
use crate::adapters::file::disk::clock::{SystemClock, TimeOrderedIds};
use crate::adapters::file::disk::layout::Layout;
use crate::adapters::file::format::identity::DirectoryLock;
use crate::adapters::file::log::FileLog;
use crate::adapters::file::recovery::{
    BALLAST_BYTES, OpenNode, OpenOptions, OpenReport, SEGMENT_BYTES, hold, open_held,
};
use crate::adapters::file::sharing::{FileSharing, Joined, LeaseOptions, join};
use crate::adapters::file::sources::local_source::LocalSource;
use crate::adapters::file::upkeep::maintenance::{MaintenanceThread, Upkeep};
use crate::adapters::file::upkeep::snapshotter::TakeError;
use crate::app::central::CentralModel;
use crate::app::low_stock::sender::AlertSender;
use crate::app::ports::{Clock, EventIds, EventLog, Sharing};
use crate::app::{Ledger, Parts};
use crate::config::ServeSettings;
use crate::telemetry::{LOG_TORN_TAIL_BYTES, SNAPSHOTS};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;
use uuid::Uuid;

/// An open node: what the server works with, and what must outlive it.
pub(super) struct Running {
    pub(super) node: Uuid,
    /// Of which ledger its log is.
    pub(super) ledger_id: Uuid,
    pub(super) log: Arc<FileLog>,
    pub(super) ledger: Arc<Ledger>,
    /// Who tells somebody outside of low stock.
    pub(super) alerts: Option<Arc<AlertSender>>,
    /// How far this node's log is in central: older segments may go to the archive.
    pub(super) merged: Arc<AtomicU64>,
    /// Declared in the order of dropping: side work stops before others may have the directory.
    pub(super) central: Central,
    _maintenance: MaintenanceThread,
    /// The other processes on the data directory.
    pub(super) sharing: Option<Arc<FileSharing>>,
    _lock: DirectoryLock,
}

/// Opens what the settings name, and starts the threads that work on it.
///
/// # Errors
/// The failure and its exit code: settings, data directory, or a log that is damaged.
pub(super) fn open_node(settings: &ServeSettings) -> Result<Running, Failure> {
    let milliseconds = settings.idempotency.ttl.as_millis();
    let idempotency_ttl_ms = i64::try_from(milliseconds).expect("the bound on the setting fits");
    let options = OpenOptions {
        disk: Arc::new(RealDisk),
        layout: Layout::new(&settings.storage.data_dir),
        segment_bytes: SEGMENT_BYTES,
        ballast_bytes: BALLAST_BYTES,
        idempotency_ttl_ms,
    };
    let Own { node, layout, sharing, central: central_lock } = open_own(settings, &options)?;
    report(&node.report);
    let maintenance = node.maintenance(settings.storage.snapshot_every_events);
    let merged = maintenance.passed();
    merged.store(0, Ordering::Release);
    let OpenNode { node, log, restored, end, lock, .. } = node;
    tracing::info!(
        data = %settings.storage.data_dir.display(),
        node = %node.node,
        sequence = end.0,
        states = restored.states.len(),
        "data directory open"
    );
    let log = Arc::new(log);
    log.start(settings.worker.breaker_cooldown, storage::told)
        .or_exit(Exit::Internal, || "cannot start the writer thread")?;
    let patience = settings.listen.shutdown_timeout.mul_f64(LAST_SNAPSHOT_SHARE);
    let maintenance = maintenance
        .start(patience, noted())
        .or_exit(Exit::Internal, || "cannot start the maintenance thread")?;
    let number = sharing.as_ref().map(|sharing| sharing.number());
    let own = LocalSource::new(&log, node.node).with_ledger(node.ledger());
    let parts = Parts {
        log: Arc::clone(&log) as Arc<dyn EventLog>,
        history: log.history(),
        clock: Arc::new(SystemClock),
        ids: Arc::new(TimeOrderedIds),
        idempotency_ttl_ms,
    };
    // Each takes about as long as the other where there are many levels.
    let (mut ledger, central) = thread::scope(|scope| {
        let ledger = scope.spawn(|| Ledger::new(parts, restored, end));
        let central = central(settings, &options.layout, number, central_lock, own);
        (ledger.join().expect("making a ledger does not panic"), central)
    });
    let central = central?;
    if let Some((sharing, locks)) = sharing.as_ref().zip(settings.locks.as_ref()) {
        ledger = ledger.shared(Arc::clone(sharing) as Arc<dyn Sharing>, locks.retry_after);
    }
    if settings.catalog_strict {
        ledger = ledger.with_strict_catalog();
    }
    let ledger = Arc::new(ledger);
    let (node, ledger_id) = (node.node, node.ledger());
    let alerts = alerting::open(settings, &ledger, node, &layout)?;
    Ok(Running {
        node,
        ledger_id,
        log,
        ledger,
        alerts,
        central,
        merged,
        _maintenance: maintenance,
        sharing,
        _lock: lock,
    })
}

/// This process's own log, and where it lies: in the data directory, or as one of several in it.
struct Own {
    node: OpenNode,
    layout: Layout,
    sharing: Option<Arc<FileSharing>>,
    /// The right to be the worker, where there must be no other.
    central: Option<DirectoryLock>,
}

fn open_own(settings: &ServeSettings, options: &OpenOptions) -> Result<Own, Failure> {
    let Some(locks) = &settings.locks else {
        // All that is needed is taken before anything is changed.
        let lock = hold(options).map_err(directory::failure)?;
        let central = settings.sync.then(|| central::lock(&options.layout)).transpose()?;
        let node = open_held(options, lock, &SystemClock, &TimeOrderedIds).map_err(directory::failure)?;
        return Ok(Own { node, layout: options.layout.clone(), sharing: None, central });
    };
    let lease = LeaseOptions { directory: locks.directory.clone(), ttl: locks.ttl, renew: locks.renew };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids: Arc<dyn EventIds> = Arc::new(TimeOrderedIds);
    let Joined { node, sharing, layout } = join(options, lease, &clock, &ids).map_err(directory::failure)?;
    tracing::info!(own = %layout.root().display(), "one of several processes on the data directory");
    Ok(Own { node, layout, sharing: Some(sharing), central: None })
}

/// `number` is that of one of several processes on the directory, `lock` held by one that has it for itself.
fn central(
    settings: &ServeSettings,
    layout: &Layout,
    number: Option<u16>,
    lock: Option<DirectoryLock>,
    own: LocalSource,
) -> Result<Central, Failure> {
    let save_every = settings.storage.snapshot_every_events;
    match (number, lock) {
        (Some(number), _) if settings.sync => {
            let logs = Logs::own_of_several(layout, number, own);
            Central::shared(layout, logs, &settings.worker, save_every)
        }
        (None, Some(lock)) => {
            let logs = Logs::own(own);
            Held::over(lock, Arc::default(), layout, logs, &settings.worker, save_every).map(Central::Here)
        }
        _ => {
            let model = CentralModel::new(crate::app::central::Central::default());
            Ok(Central::Elsewhere(Arc::new(model), layout.clone()))
        }
    }
}

fn report(report: &OpenReport) {
    for bad in &report.bad_snapshots {
        tracing::warn!(snapshot = %bad, "a snapshot was set aside; the start took the older way");
    }
    if let Some((bytes, aside)) = &report.torn {
        metrics::counter!(LOG_TORN_TAIL_BYTES).increment(*bytes);
        tracing::warn!(
            bytes,
            copy = %aside.display(),
            "the last change before a crash was cut off: it was never acknowledged, its bytes were copied aside"
        );
    }
    tracing::info!(snapshot = report.snapshot.0, replayed = report.replayed, "log read");
}

/// Says what side work did; of failures in a row the first one.
fn noted() -> impl Fn(Result<Upkeep, TakeError>, Duration) {
    let failing = AtomicBool::new(false);
    move |step, took| {
        let told = failing.swap(step.is_err(), Ordering::Relaxed);
        match step {
            Ok(upkeep) => done(upkeep, took),
            Err(error) if !told => {
                tracing::warn!(%error, "a snapshot or index was not written; it is tried again until it is");
            }
            Err(_) => {}
        }
    }
}

fn done(upkeep: Upkeep, took: Duration) {
    let took_ms = took.as_millis();
    match upkeep {
        Upkeep { snapshot: Some(sequence), .. } => {
            metrics::counter!(SNAPSHOTS).increment(1);
            tracing::debug!(sequence = sequence.0, took_ms, "snapshot written");
        }
        Upkeep { archived: Some(first), .. } => {
            tracing::debug!(segment = first.0, took_ms, "segment archived");
        }
        upkeep => tracing::debug!(indexes = upkeep.indexes, took_ms, "segment indexed"),
    }
}
