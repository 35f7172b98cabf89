//! `onhand serve`: one node, from its data directory to its socket and back.

use super::central::{Central, Held, LAST_PASS_MAX};
use super::directory;
use super::exit::{Exit, Failure, OrExit};
use super::logging;
use super::open_files::connections_that_fit;
use super::stopping::{DRAIN_SHARE, LAST_PASS_SHARE, on_signals};
use super::storage;
use super::timekeeping;
use crate::adapters::file::clock::{SystemClock, TimeOrderedIds};
use crate::adapters::file::disk::RealDisk;
use crate::adapters::file::identity::DirectoryLock;
use crate::adapters::file::layout::Layout;
use crate::adapters::file::local_source::LocalSource;
use crate::adapters::file::log::FileLog;
use crate::adapters::file::maintenance::{Maintenance, MaintenanceThread, Upkeep};
use crate::adapters::file::recovery::{
    BALLAST_BYTES, OpenNode, OpenOptions, OpenReport, SEGMENT_BYTES, open,
};
use crate::adapters::file::snapshotter::TakeError;
use crate::adapters::http::server::{Drained, ServerLimits, serve};
use crate::adapters::http::{Gates, Node, edge, install_metrics, metrics_upkeep};
use crate::app::ports::EventLog;
use crate::app::sync::{self, CentralModel};
use crate::app::{Due, Ledger, Parts};
use crate::config::{ListenSettings, ServeSettings};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How long work that is abandoned at the end gets to notice.
const FAREWELL: Duration = Duration::from_millis(500);

/// An open node: what the server works with, and what must outlive it.
struct Running {
    node: Uuid,
    log: Arc<FileLog>,
    ledger: Arc<Ledger>,
    /// How far this node's log is in central: older segments may go to the archive.
    merged: Arc<AtomicU64>,
    /// Declared in the order of dropping: side work stops before others may have the directory.
    central: Central,
    _maintenance: MaintenanceThread,
    _lock: DirectoryLock,
}

/// Runs one node until it is told to stop.
///
/// # Errors
/// The failure and its exit code: settings, data directory, address, or a log that could not be written at the end.
pub(crate) fn run(settings: &ServeSettings) -> Result<Exit, Failure> {
    logging::start(&settings.logging);
    install_metrics();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .or_exit(Exit::Internal, || "cannot start the runtime")?;
    survive_file_size_limit(&runtime)?;
    let running = open_node(settings)?;
    let outcome = runtime.block_on(serve_node(settings, &running));
    runtime.shutdown_timeout(FAREWELL);
    let closed = running.log.close().or_exit(Exit::Io, || {
        format!(
            "stopped while the log in {} could not be written; what was acknowledged is safe",
            settings.storage.data_dir.display()
        )
    });
    let exit = outcome?;
    closed?;
    tracing::info!(sequence = running.log.durable().sequence().0, "stopped");
    Ok(exit)
}

/// A write beyond the limit of a file's size (`ulimit -f`) is an error like any other, and no signal that kills.
fn survive_file_size_limit(runtime: &Runtime) -> Result<(), Failure> {
    let _context = runtime.enter();
    // Once listened to, the signal does nothing else for the life of the process.
    let listened = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()));
    listened.map(drop).or_exit(Exit::Internal, || "cannot listen for SIGXFSZ")
}

fn open_node(settings: &ServeSettings) -> Result<Running, Failure> {
    let milliseconds = settings.idempotency.ttl.as_millis();
    let idempotency_ttl_ms = i64::try_from(milliseconds).expect("the bound on the setting fits");
    let options = OpenOptions {
        disk: Arc::new(RealDisk),
        layout: Layout::new(&settings.storage.data_dir),
        segment_bytes: SEGMENT_BYTES,
        ballast_bytes: BALLAST_BYTES,
        idempotency_ttl_ms,
    };
    let node = open(&options, &SystemClock, &TimeOrderedIds).map_err(directory::failure)?;
    report(&node.report);
    let maintenance = Maintenance::new(&node, settings.storage.snapshot_every_events);
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
    let maintenance =
        maintenance.start(noted).or_exit(Exit::Internal, || "cannot start the maintenance thread")?;
    let central = central(settings, &options.layout, LocalSource::new(&log, node.node))?;
    let parts = Parts {
        log: Arc::clone(&log) as Arc<dyn EventLog>,
        history: log.history(),
        clock: Arc::new(SystemClock),
        ids: Arc::new(TimeOrderedIds),
        idempotency_ttl_ms,
    };
    let ledger = Arc::new(Ledger::new(parts, restored, end));
    Ok(Running { node: node.node, log, ledger, central, merged, _maintenance: maintenance, _lock: lock })
}

fn central(settings: &ServeSettings, layout: &Layout, own: LocalSource) -> Result<Central, Failure> {
    if !settings.sync {
        return Ok(Central::Elsewhere(Arc::new(CentralModel::new(sync::Central::default())), layout.clone()));
    }
    let save_every = settings.storage.snapshot_every_events;
    Held::open(layout, Arc::new(own), &settings.worker, save_every).map(Central::Here)
}

fn report(report: &OpenReport) {
    for bad in &report.bad_snapshots {
        tracing::warn!(snapshot = %bad, "a snapshot was set aside; the start took the older way");
    }
    if let Some((bytes, aside)) = &report.torn {
        metrics::counter!("onhand_log_torn_tail_bytes_total").increment(*bytes);
        tracing::warn!(
            bytes,
            copy = %aside.display(),
            "the last change before a crash was cut off: it was never acknowledged, its bytes were copied aside"
        );
    }
    tracing::info!(snapshot = report.snapshot.0, replayed = report.replayed, "log read");
}

fn noted(step: Result<Upkeep, TakeError>, took: Duration) {
    let took_ms = took.as_millis();
    match step {
        Ok(Upkeep { snapshot: Some(sequence), .. }) => {
            metrics::counter!("onhand_snapshots_total").increment(1);
            tracing::debug!(sequence = sequence.0, took_ms, "snapshot written");
        }
        Ok(Upkeep { archived: Some(first), .. }) => {
            tracing::debug!(segment = first.0, took_ms, "segment archived");
        }
        Ok(upkeep) => tracing::debug!(indexes = upkeep.indexes, took_ms, "segment indexed"),
        Err(error) => tracing::warn!(%error, "a snapshot or index was not written; it is tried again"),
    }
}

async fn serve_node(settings: &ServeSettings, running: &Running) -> Result<Exit, Failure> {
    let listen = &settings.listen;
    let listener = TcpListener::bind(listen.address).await.or_exit(Exit::Unavailable, || {
        format!("cannot listen on {}; is another server there? choose a port with --port", listen.address)
    })?;
    let terminate =
        signal(SignalKind::terminate()).or_exit(Exit::Internal, || "cannot listen for SIGTERM")?;
    let interrupt = signal(SignalKind::interrupt()).or_exit(Exit::Internal, || "cannot listen for SIGINT")?;
    // Before anybody can ask for anything: a hold that is made now must not be one of yesterday.
    timekeeping::look(&running.ledger).await;
    announce(listen, &listener, &settings.storage.data_dir)?;
    let shutdown = CancellationToken::new();
    let gates = Gates::new(&settings.gates, settings.worker.concurrency);
    let node = Node::new(running.node, Arc::clone(&running.ledger), shutdown.clone()).with_gates(gates);
    let node = Arc::new(running.central.attach(node));
    let limits = ServerLimits {
        connections_max: connections_that_fit(listen.connections_max),
        ..ServerLimits::with_drain(listen.shutdown_timeout.mul_f64(DRAIN_SHARE))
    };
    let signals = on_signals(terminate, interrupt, Arc::clone(&node), listen.shutdown_timeout);
    let server = async {
        let drained = serve(listener, Arc::new(edge(node)), limits, shutdown.clone()).await;
        if matches!(drained, Drained::All) {
            let pass_max = listen.shutdown_timeout.mul_f64(LAST_PASS_SHARE).min(LAST_PASS_MAX);
            running.central.finish(pass_max).await;
        }
        drained
    };
    let central = async {
        // While requests drain nothing more is merged: the last pass takes what they still change.
        shutdown.run_until_cancelled(running.central.run(settings.worker.interval)).await;
        std::future::pending::<()>().await;
    };
    let due = async {
        Due::run(&running.ledger).await;
    };
    let merged = async {
        loop {
            running.merged.store(running.central.merged(running.node).0, Ordering::Release);
            tokio::time::sleep(settings.worker.interval).await;
        }
    };
    tokio::select! {
        drained = server => Ok(match drained {
            Drained::All => Exit::Ok,
            Drained::Abandoned(connections) => {
                tracing::warn!(connections, "the time to drain is over; what is acknowledged is safe");
                Exit::Failed
            }
        }),
        never = signals => match never {},
        () = central => unreachable!("what keeps central waits until the end"),
        () = due => unreachable!("what falls due never ends"),
        () = merged => unreachable!("the archive is told for ever"),
        never = timekeeping::run(&running.ledger) => match never {},
        never = metrics_upkeep() => match never {},
    }
}

/// Tells people and parents where the node is.
fn announce(listen: &ListenSettings, listener: &TcpListener, data_dir: &Path) -> Result<(), Failure> {
    let address = listener.local_addr().or_exit(Exit::Internal, || "the socket has no address")?;
    let url = format!("http://{address}");
    eprintln!(
        "onhand {version} is ready\n\
         \x20 address  {url}\n\
         \x20 docs     {url}/docs\n\
         \x20 data     {data}\n\
         \x20 try      curl -X POST {url}/stores/BERLIN/inventory/TEA/adjust \\\n\
         \x20               -H 'content-type: application/json' -d '{{\"delta\": 10}}'",
        version = env!("CARGO_PKG_VERSION"),
        data = data_dir.canonicalize().unwrap_or_else(|_| data_dir.to_path_buf()).display(),
    );
    let Some(path) = &listen.ready_file else { return Ok(()) };
    let doing = || format!("cannot write the ready file {}", path.display());
    let unfinished = crate::adapters::file::layout::temporary(path);
    std::fs::write(&unfinished, &url).or_exit(Exit::CannotCreate, doing)?;
    std::fs::rename(&unfinished, path).or_exit(Exit::CannotCreate, doing)
}
