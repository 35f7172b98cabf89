//! `onhand serve`: opens a data directory, binds the socket, runs all tasks of the node, and stops them again.

pub(crate) mod about;
mod audit_trail;
mod http;
mod identity_file;
mod local_socket;
pub(crate) mod on_files;
mod open_files;
mod tls;

use crate::serve::http::{HttpServer, Kept};
use crate::serve::identity_file::{Identity, IdentityFile};
use crate::serve::tls::TlsFiles;
use onhand_app::identity::CentralLogins;
use onhand_app::orders::Planning;
use onhand_app::ports::{AuditTrail, EventLog, Vault, is_taken_over};
use onhand_app::{Due, Ledger, blocking};
use onhand_config::ServeSettings;
use onhand_http::server::Drained;
use onhand_http::{Setting, install_metrics, metrics_upkeep};
use onhand_runtime::central::worker::LAST_PASS_MAX;
use onhand_runtime::exit::{Exit, Failure, OrExit};
use onhand_runtime::open::{RunningNode, open_node};
use onhand_runtime::stop::{Stop, StopSignals, StopTimes};
use onhand_runtime::task::{Task, supervise};
use onhand_runtime::{central_keys, log_time, logging};
use std::convert::Infallible;
use std::future::pending;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

/// How often the vault is kept up.
const VAULT_UPKEEP: Duration = Duration::from_secs(3_600);
/// How long abandoned work gets to notice the end of the process.
const FAREWELL: Duration = Duration::from_millis(500);

/// Runs one node until its stop; starts logging first.
///
/// # Errors
/// The failure and its exit code: settings, data directory, address, or a log that could not be written at the end.
pub(crate) fn run(settings: &ServeSettings, listed: Vec<Setting>) -> Result<Exit, Failure> {
    logging::start(&settings.logging);
    install_metrics();
    let tls = settings.listen.tls.as_ref().map(TlsFiles::open).transpose()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .or_exit(Exit::Internal, || "cannot start the runtime")?;
    survive_file_size_limit(&runtime)?;
    let running = open_node(settings)?;
    let outcome = runtime.block_on(serve_node(settings, listed, tls.as_ref(), &running));
    runtime.shutdown_timeout(FAREWELL);
    let closed = close(&running);
    let exit = outcome?;
    closed?;
    tracing::info!(sequence = running.log.durable().sequence().0, "stopped");
    // The system frees the memory at once; dropping it piece by piece would take seconds.
    mem::forget(Arc::clone(&running.ledger));
    Ok(exit)
}

/// Closes the log and gives the leases back.
///
/// # Errors
/// [`Exit::Io`] when the log could not be written at the end.
fn close(running: &RunningNode) -> Result<(), Failure> {
    let closed = running.log.close().or_exit(Exit::Io, || {
        format!(
            "stopped while the log in {} could not be written; what was acknowledged is safe",
            running.layout.root().display()
        )
    });
    if let Some(sharing) = &running.sharing {
        // Otherwise the other processes notice only through expired leases that this process is gone.
        match sharing.leave() {
            Err(error) if !is_taken_over(&error) => tracing::warn!(%error, "the leases were not given back"),
            _ => {}
        }
    }
    closed
}

/// Turns a write beyond the file size limit (`ulimit -f`) into an ordinary error instead of a fatal signal.
fn survive_file_size_limit(runtime: &Runtime) -> Result<(), Failure> {
    let _context = runtime.enter();
    // Once a handler is installed, the signal has no other effect for the life of the process.
    let listened = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()));
    listened.map(drop).or_exit(Exit::Internal, || "cannot listen for SIGXFSZ")
}

async fn serve_node(
    settings: &ServeSettings,
    listed: Vec<Setting>,
    tls: Option<&TlsFiles>,
    running: &RunningNode,
) -> Result<Exit, Failure> {
    let listener = http::bind(&settings.listen).await?;
    let signals = StopSignals::listen()?;
    let declared = settings.identity_file.clone().map(IdentityFile::open).transpose()?;
    let reload = tls.map(|files| tls::hangups().map(|hangups| files.follow(hangups))).transpose()?;
    begin_time(running).await?;
    let vault = http::open_vault(&settings.storage.data_dir)?;
    http::sweep_vault(&running.ledger, &vault).await;
    let personal = http::open_personal_keys(&settings.storage.data_dir)?;
    let trail = audit_trail::open(settings, running)?;
    let stop = Stop::new(StopTimes::new(settings.listen.shutdown_timeout));
    let central = Arc::new(CentralLogins::new(Arc::clone(&vault)));
    let identity = Identity { ledger: Arc::clone(&running.ledger), vault: Arc::clone(&vault), central };
    // Other processes that start now want the same leases.
    tokio::select! {
        begun = identity_file::begin(declared.as_ref(), &identity) => begun?,
        never = keep_leases(&running.ledger, &stop) => match never {},
    }
    let central = Arc::clone(&identity.central);
    let sources = &settings.worker.sources;
    let keys = central_keys::follow(Arc::clone(&central), Arc::clone(&running.ledger), sources)?;
    let declared = declared.map(|file| file.follow(identity));
    let url = http::url(&settings.listen, &listener)?;
    let shown = tls.map(|files| Arc::clone(&files.tls));
    let keeper = Arc::clone(&vault);
    let kept = Kept { vault, personal, central, trail: Arc::clone(&trail) as Arc<dyn AuditTrail> };
    let server = HttpServer::new(listener, shown, (settings, listed), running, kept, &stop);
    let nobody_can_log_in = running.ledger.has_no_principals();
    let socket = server.socket();
    http::announce(&settings.listen, &url, &settings.storage.data_dir, nobody_can_log_in, socket)?;
    let mut tasks = tasks(settings, running, keeper, &stop);
    tasks.extend(reload.map(|reload| Task::for_ever("certificate", reload)));
    tasks.push(Task::for_ever("keys of central", keys));
    tasks.extend(declared.map(|declared| Task::for_ever("identity file", declared)));
    tasks.push(Task::for_ever("signals", signals.obey(&stop, server.announce_stop())));
    let drained = supervise(tasks, server.run(), async |drained| {
        if matches!(drained, Drained::All) {
            running.central.finish(stop.times.last_pass().min(LAST_PASS_MAX)).await;
        }
    })
    .await;
    audit_trail::close(&trail);
    stop.outcome(match drained {
        Drained::All => Exit::Ok,
        Drained::Abandoned(connections) => {
            tracing::warn!(connections, "the time to drain is over; what is acknowledged is safe");
            Exit::Failed
        }
    })
}

/// The tasks of a node beside its server. A feature with work of its own adds one line.
fn tasks<'a>(
    settings: &'a ServeSettings,
    running: &'a RunningNode,
    vault: Arc<dyn Vault>,
    stop: &'a Stop,
) -> Vec<Task<'a>> {
    let interval = settings.worker.interval;
    vec![
        Task::until_stop("alerts", send_alerts(running, stop)),
        Task::for_ever("central model", keep_central(running, stop, interval)),
        Task::for_ever("due holds and alerts", Due::run(&running.ledger)),
        Task::for_ever("leases", keep_leases(&running.ledger, stop)),
        Task::for_ever("archive", let_archive_follow(running, interval)),
        Task::for_ever("log time", log_time::run(&running.ledger)),
        Task::for_ever("catalogue lists", keep_lists(&running.ledger)),
        Task::for_ever("index of orders", keep_order_index(&running.ledger)),
        Task::for_ever("orders that wait for stock", serve_waiting(&running.ledger)),
        Task::for_ever("metrics", metrics_upkeep()),
        Task::for_ever("vault", keep_vault(running, vault)),
    ]
}

/// Joins the other processes and sets the log's time before the first request: a new hold must not expire by an
/// outdated time. Only then can further processes join, which go on from that time.
async fn begin_time(running: &RunningNode) -> Result<(), Failure> {
    running.ledger.join().await.or_exit(Exit::Data, || "cannot read the log of another process")?;
    log_time::begin(&running.ledger).await;
    running.ledger.let_others_join().or_exit(Exit::Io, || "cannot note the time for other processes")
}

/// Sends alerts to the webhook, where there is one, until the node stops.
async fn send_alerts(running: &RunningNode, stop: &Stop) {
    if let Some(alerts) = &running.alerts {
        alerts.run(&stop.token, stop.times.last_alert()).await;
    }
}

/// Keeps the central model up to date. During the drain nothing more is merged: the last pass covers it.
async fn keep_central(running: &RunningNode, stop: &Stop, interval: Duration) -> Infallible {
    stop.token.run_until_cancelled(running.central.run(interval)).await;
    pending().await
}

/// Keeps the leases, and stops the process once another one has taken over from it.
async fn keep_leases(ledger: &Ledger, stop: &Stop) -> Infallible {
    let error = ledger.keep_leases().await;
    tracing::error!(%error, "taken over from: this process ends");
    stop.take_over(error);
    pending().await
}

/// Allows segments to be archived once central has their events.
async fn let_archive_follow(running: &RunningNode, interval: Duration) -> Infallible {
    loop {
        running.merged.store(running.central.merged(running.node).0, Ordering::Release);
        tokio::time::sleep(interval).await;
    }
}

/// Removes sessions that have ended, makes the next signing key in time, and sweeps the vault as the start has done.
async fn keep_vault(running: &RunningNode, vault: Arc<dyn Vault>) -> Infallible {
    loop {
        let (vault, now) = (Arc::clone(&vault), running.ledger.now());
        let kept = Arc::clone(&vault);
        if let Err(error) = blocking(move || kept.upkeep(now)).await {
            tracing::warn!(%error, "the vault is not kept up; it is tried again in an hour");
        }
        tokio::time::sleep(VAULT_UPKEEP).await;
        http::sweep_vault(&running.ledger, &vault).await;
    }
}

/// Keeps the lists of the catalogue on another thread of the runtime, not beside the leases: a change of the lists
/// blocks its thread while searches read them.
async fn keep_lists(ledger: &Arc<Ledger>) -> Infallible {
    let ledger = Arc::clone(ledger);
    elsewhere(async move { ledger.keep_lists().await }).await
}

/// Keeps the index of orders, as [`keep_lists`].
async fn keep_order_index(ledger: &Arc<Ledger>) -> Infallible {
    let ledger = Arc::clone(ledger);
    elsewhere(async move { ledger.keep_order_index().await }).await
}

/// Holds stock that has come in for the orders that wait for it.
async fn serve_waiting(ledger: &Arc<Ledger>) -> Infallible {
    let ledger = Arc::clone(ledger);
    elsewhere(async move { ledger.serve_waiting(&Planning::default()).await }).await
}

/// Runs a task on another thread of the runtime, until that ends.
async fn elsewhere(task: impl Future<Output = Infallible> + Send + 'static) -> Infallible {
    match tokio::spawn(task).await {
        Ok(never) => match never {},
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
