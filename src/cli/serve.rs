//! `onhand serve`: one node, from its data directory to its socket and back.

use super::central::LAST_PASS_MAX;
use super::exit::{Exit, Failure, OrExit};
use super::logging;
use super::open_files::Room;
use super::opening::{Running, open_node};
use super::stopping::{DRAIN_SHARE, LAST_ALERT_SHARE, LAST_PASS_SHARE, on_signals};
use super::timekeeping;
use crate::adapters::http::server::{Drained, ServerLimits, serve};
use crate::adapters::http::{Gates, Node, WebGate, edge, install_metrics, metrics_upkeep};
use crate::app::Due;
use crate::app::ports::{EventLog, is_taken_over};
use crate::config::{ListenSettings, ServeSettings};
use std::convert::Infallible;
use std::mem;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How long work that is abandoned at the end gets to notice.
const FAREWELL: Duration = Duration::from_millis(500);

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
    if let Some(sharing) = &running.sharing {
        // Else the others find out by themselves that this process is gone.
        match sharing.leave() {
            Err(error) if !is_taken_over(&error) => tracing::warn!(%error, "the leases were not given back"),
            _ => {}
        }
    }
    let exit = outcome?;
    closed?;
    tracing::info!(sequence = running.log.durable().sequence().0, "stopped");
    // The system takes back at once what would take seconds to be given back piece by piece.
    mem::forget(Arc::clone(&running.ledger));
    Ok(exit)
}

/// A write beyond the limit of a file's size (`ulimit -f`) is an error like any other, and no signal that kills.
fn survive_file_size_limit(runtime: &Runtime) -> Result<(), Failure> {
    let _context = runtime.enter();
    // Once listened to, the signal does nothing else for the life of the process.
    let listened = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()));
    listened.map(drop).or_exit(Exit::Internal, || "cannot listen for SIGXFSZ")
}

async fn serve_node(settings: &ServeSettings, running: &Running) -> Result<Exit, Failure> {
    let listen = &settings.listen;
    let listener = TcpListener::bind(listen.address).await.or_exit(Exit::Unavailable, || {
        format!("cannot listen on {}; is another server there? choose a port with --port", listen.address)
    })?;
    let terminate =
        signal(SignalKind::terminate()).or_exit(Exit::Internal, || "cannot listen for SIGTERM")?;
    let interrupt = signal(SignalKind::interrupt()).or_exit(Exit::Internal, || "cannot listen for SIGINT")?;
    begin_time(running).await?;
    announce(listen, &listener, &settings.storage.data_dir)?;
    let shutdown = CancellationToken::new();
    let room = Room::that_fits(listen.connections_max);
    let node = Arc::new(node(settings, running, shutdown.clone()).with_followers(room.followers));
    let limits = ServerLimits {
        connections_max: room.connections,
        ..ServerLimits::with_drain(listen.shutdown_timeout.mul_f64(DRAIN_SHARE))
    };
    let signals = on_signals(terminate, interrupt, Arc::clone(&node), listen.shutdown_timeout);
    let alerts = tell_alerts(running, &shutdown, listen.shutdown_timeout.mul_f64(LAST_ALERT_SHARE));
    let server = async {
        let server = serve(listener, Arc::new(edge(node)), limits, shutdown.clone());
        let (drained, ()) = tokio::join!(server, alerts);
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
    let lost = OnceLock::new();
    let leases = lose_leases(running, &lost, &shutdown);
    let merged = async {
        loop {
            running.merged.store(running.central.merged(running.node).0, Ordering::Release);
            tokio::time::sleep(settings.worker.interval).await;
        }
    };
    let exit = tokio::select! {
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
        () = leases => unreachable!("who has lost its leases waits until the end"),
        () = merged => unreachable!("the archive is told for ever"),
        never = timekeeping::run(&running.ledger) => match never {},
        never = keep_lists(running) => match never {},
        never = metrics_upkeep() => match never {},
    };
    match lost.into_inner() {
        Some(error) => {
            let message =
                "another process goes on with what this one held; it ends, and may be started again";
            Err(Failure { exit: Exit::Locked, error: anyhow::Error::new(error).context(message) })
        }
        None => exit,
    }
}

/// Joins the other processes and sets the log's time, before anybody can ask for anything: a hold that is made now must not be
/// one of yesterday. Only then may others join, which go on from that time.
async fn begin_time(running: &Running) -> Result<(), Failure> {
    running.ledger.join().await.or_exit(Exit::Data, || "cannot read the log of another process")?;
    timekeeping::begin(&running.ledger).await;
    running.ledger.let_others_join().or_exit(Exit::Io, || "cannot note the time for other processes")
}

/// Tells somebody outside of low stock, where that is wanted, until the node stops.
async fn tell_alerts(running: &Running, shutdown: &CancellationToken, patience: Duration) {
    if let Some(alerts) = &running.alerts {
        alerts.run(shutdown, patience).await;
    }
}

/// Keeps the lists, in a task of its own, so not beside the leases: who brings something in waits for those who search.
async fn keep_lists(running: &Running) -> Infallible {
    let ledger = Arc::clone(&running.ledger);
    match tokio::spawn(async move { ledger.keep_lists().await }).await {
        Ok(never) => match never {},
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Keeps the leases, and has the process end once another one has taken over from it.
async fn lose_leases(running: &Running, lost: &OnceLock<std::io::Error>, shutdown: &CancellationToken) {
    let error = running.ledger.keep_leases().await;
    tracing::error!(%error, "taken over from: this process ends");
    // Requests under way hear that they have no outcome here.
    let _ = lost.set(error);
    shutdown.cancel();
    std::future::pending::<()>().await;
}

/// The node as its handlers see it.
fn node(settings: &ServeSettings, running: &Running, shutdown: CancellationToken) -> Node {
    let gates = Gates::new(&settings.gates, settings.worker.concurrency);
    let node = Node::new(running.node, Arc::clone(&running.ledger), shutdown).with_gates(gates);
    let node = node.with_web_gate(web_gate(&settings.listen));
    let node = node.with_ledger_id(running.ledger_id).with_alerts(running.alerts.clone());
    let node = match &settings.locks {
        Some(locks) => node.with_contention(locks.reject_status, locks.retry_after),
        None => node,
    };
    running.central.attach(node)
}

/// Whom a node answers that knows nobody by name: with `--insecure` whoever reaches it, else callers on this machine.
fn web_gate(listen: &ListenSettings) -> WebGate {
    let gate = if listen.insecure { WebGate::any_host() } else { WebGate::local(listen.address.ip()) };
    gate.with_origins(&listen.cors_origins)
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
    let unfinished = crate::adapters::file::disk::layout::temporary(path);
    std::fs::write(&unfinished, &url).or_exit(Exit::CannotCreate, doing)?;
    std::fs::rename(&unfinished, path).or_exit(Exit::CannotCreate, doing)
}
