//! Opens a node from its settings: alone on its data directory, or as one of several processes.

use crate::central::election::CentralRole;
use crate::central::sources::LogSources;
use crate::central::worker::{HeldWorker, lock};
use crate::exit::{Exit, Failure, OrExit};
use crate::stop::StopTimes;
use crate::{directory, storage_news, webhook};
use onhand_app::Ledger;
use onhand_app::central::{Central, CentralModel};
use onhand_app::low_stock::sender::AlertSender;
use onhand_config::ServeSettings;
use onhand_disk::RealDisk;
use onhand_disk::clock::{SystemClock, TimeOrderedIds};
use onhand_disk::layout::Layout;
use onhand_file::format::identity::DirectoryLock;
use onhand_file::log::FileLog;
use onhand_file::recovery::{BALLAST_BYTES, OpenOptions, OpenReport, SEGMENT_BYTES};
use onhand_file::sharing::{FileSharing, LeaseOptions};
use onhand_file::sources::local_source::LocalSource;
use onhand_file::upkeep::maintenance::{MaintenanceThread, Upkeep};
use onhand_file::upkeep::snapshotter::TakeError;
use onhand_node::{NodeOptions, OpenedLog};
use onhand_telemetry::{LOG_TORN_TAIL_BYTES, SNAPSHOTS};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;
use uuid::Uuid;

/// An open node: the parts that the server uses, and those that must outlive it.
pub struct RunningNode {
    /// The id of the node.
    pub node: Uuid,
    /// The id of the ledger that the log belongs to.
    pub ledger_id: Uuid,
    /// The directory of its log: the data directory, or its own one below that.
    pub layout: Layout,
    /// The log that the node appends to.
    pub log: Arc<FileLog>,
    /// The ledger over that log.
    pub ledger: Arc<Ledger>,
    /// The sender of alerts, where a webhook is set.
    pub alerts: Option<Arc<AlertSender>>,
    /// The last sequence of this node's log that is in central: older segments can be archived.
    pub merged: Arc<AtomicU64>,
    // From here on in the order of dropping: side work stops before the directory is unlocked.
    /// The role of this process towards the central model.
    pub central: CentralRole,
    _maintenance: MaintenanceThread,
    /// The membership among other processes on the data directory; none for a process alone.
    pub sharing: Option<Arc<FileSharing>>,
    _lock: DirectoryLock,
}

/// Opens a node as its settings define, and starts the threads that work on it.
///
/// # Errors
/// The failure and its exit code: settings, data directory, or a log that is damaged.
pub fn open_node(settings: &ServeSettings) -> Result<RunningNode, Failure> {
    let data = Layout::new(&settings.storage.data_dir);
    let (opened, central_lock) = open_log(settings, &node_options(settings, &data))?;
    let own = opened.source().with_ledger(opened.ledger_id);
    let OpenedLog { node, ledger_id, layout, report, end, log, maintenance, sharing, ledger, lock } = opened;
    log_report(&report);
    let merged = maintenance.passed();
    merged.store(0, Ordering::Release);
    tracing::info!(
        data = %settings.storage.data_dir.display(),
        %node,
        sequence = end.0,
        states = ledger.states(),
        "data directory open"
    );
    log.start(settings.worker.breaker_cooldown, storage_news::log_change)
        .or_exit(Exit::Internal, || "cannot start the writer thread")?;
    let last_snapshot = StopTimes::new(settings.listen.shutdown_timeout).last_snapshot();
    let maintenance = maintenance
        .start(last_snapshot, upkeep_news())
        .or_exit(Exit::Internal, || "cannot start the maintenance thread")?;
    let number = sharing.as_ref().map(|sharing| sharing.number());
    let lease_wait = settings.locks.as_ref().map_or(Duration::ZERO, |locks| locks.retry_after);
    // Both take about equally long where there are many levels.
    let (ledger, central) = thread::scope(|scope| {
        let ledger = scope.spawn(|| ledger.build(lease_wait));
        let central = central_role(settings, &data, number, central_lock, own);
        (ledger.join().expect("making a ledger does not panic"), central)
    });
    let central = central?;
    let ledger = Arc::new(if settings.catalog_strict { ledger.with_strict_catalog() } else { ledger });
    let alerts = webhook::open(settings, &ledger, node, &layout)?;
    Ok(RunningNode {
        node,
        ledger_id,
        layout,
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

fn node_options(settings: &ServeSettings, data: &Layout) -> NodeOptions {
    let milliseconds = settings.idempotency.ttl.as_millis();
    NodeOptions {
        directory: OpenOptions {
            disk: Arc::new(RealDisk),
            layout: data.clone(),
            segment_bytes: SEGMENT_BYTES,
            ballast_bytes: BALLAST_BYTES,
            idempotency_ttl_ms: i64::try_from(milliseconds).expect("the bound on the setting fits"),
        },
        snapshot_every: settings.storage.snapshot_every_events,
        clock: Arc::new(SystemClock),
        ids: Arc::new(TimeOrderedIds),
    }
}

/// Opens this process's own log. Where the process is alone and keeps central, also takes the lock of the worker: all
/// locks are taken before anything is changed.
fn open_log(
    settings: &ServeSettings,
    options: &NodeOptions,
) -> Result<(OpenedLog, Option<DirectoryLock>), Failure> {
    let Some(locks) = &settings.locks else {
        let held = options.hold().map_err(directory::failure)?;
        let central = settings.sync.then(|| lock(&options.directory.layout)).transpose()?;
        return Ok((options.open_held(held).map_err(directory::failure)?, central));
    };
    let lease = LeaseOptions { directory: locks.directory.clone(), ttl: locks.ttl, renew: locks.renew };
    let opened = options.join(lease).map_err(directory::failure)?;
    tracing::info!(own = %opened.layout.root().display(), "one of several processes on the data directory");
    Ok((opened, None))
}

/// `number` is the process's number where several share the directory, `lock` the worker's lock where one process has
/// it alone.
fn central_role(
    settings: &ServeSettings,
    layout: &Layout,
    number: Option<u16>,
    lock: Option<DirectoryLock>,
    own: LocalSource,
) -> Result<CentralRole, Failure> {
    let save_every = settings.storage.snapshot_every_events;
    match (number, lock) {
        (Some(number), _) if settings.sync => {
            let logs = LogSources::own_of_several(layout, number, own);
            CentralRole::candidate(layout, logs, &settings.worker, save_every)
        }
        (None, Some(lock)) => {
            let logs = LogSources::own(own);
            let held = HeldWorker::over(lock, Arc::default(), layout, logs, &settings.worker, save_every)?;
            Ok(CentralRole::Worker(held))
        }
        _ => {
            let model = CentralModel::new(Central::default());
            Ok(CentralRole::Mirror(Arc::new(model), layout.clone()))
        }
    }
}

fn log_report(report: &OpenReport) {
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

/// Logs the results of maintenance; of consecutive failures only the first one.
fn upkeep_news() -> impl Fn(Result<Upkeep, TakeError>, Duration) {
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
