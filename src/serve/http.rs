//! The HTTP server of a running node: its sockets, the state of its handlers, and the output of its address for people
//! and parent processes.

use crate::serve::about::about;
use crate::serve::local_socket::{self, SocketFile};
use crate::serve::open_files::Room;
use onhand_app::identity::CentralLogins;
use onhand_app::ports::{AuditTrail, PersonalKeys, Vault};
use onhand_app::{Ledger, blocking};
use onhand_config::{ListenSettings, ServeSettings};
use onhand_console::Console;
use onhand_disk::RealDisk;
use onhand_disk::layout::temporary;
use onhand_http::server::{Drained, Listeners, ServerLimits, Tls, serve};
use onhand_http::{Gates, Node, OpenRules, Setting, TrustedProxies, WebGate, edge};
use onhand_runtime::exit::{Exit, Failure, OrExit};
use onhand_runtime::open::RunningNode;
use onhand_runtime::stop::Stop;
use onhand_vault::{FileVault, PersonalKeyFile, VaultError};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The HTTP server of one node.
pub(super) struct HttpServer {
    listeners: Listeners,
    /// Removed once the server has ended.
    local: Option<SocketFile>,
    node: Arc<Node>,
    limits: ServerLimits,
    stop: CancellationToken,
}

/// What a server keeps outside the log.
pub(super) struct Kept {
    pub(super) vault: Arc<dyn Vault>,
    pub(super) personal: Arc<dyn PersonalKeys>,
    pub(super) central: Arc<CentralLogins>,
    pub(super) trail: Arc<dyn AuditTrail>,
}

impl HttpServer {
    /// A server that accepts requests once it runs: on `listener`, with TLS where `tls` is given, and on the local socket in
    /// the directory of the log. The settings come with their list for people.
    pub(super) fn new(
        listener: TcpListener,
        tls: Option<Arc<Tls>>,
        (settings, listed): (&ServeSettings, Vec<Setting>),
        running: &RunningNode,
        kept: Kept,
        stop: &Stop,
    ) -> Self {
        let (local, file) = local_socket::open(&running.layout).unzip();
        let listeners = Listeners::from(listener).with_tls(tls).with_local(local);
        let room = Room::that_fits(settings.listen.connections_max);
        let Kept { vault, personal, central, trail } = kept;
        let node = node(settings, running, vault, stop.token.clone()).with_central_logins(central);
        let about = about(&settings.storage.data_dir, running, listed);
        let node = node.with_about(about, Console::new(settings.console_dir.clone()));
        let node = node.with_trail(trail).with_followers(room.followers).with_personal_keys(personal);
        let limits = ServerLimits {
            connections_max: room.connections,
            ..ServerLimits::with_drain(stop.times.drain())
        };
        Self { listeners, local: file, node: Arc::new(node), limits, stop: stop.token.clone() }
    }

    /// The local socket, where there is one.
    pub(super) fn socket(&self) -> Option<&Path> {
        self.local.as_ref().map(SocketFile::path)
    }

    /// Makes readiness fail, and waits until probes have noticed or `wait_max` is over.
    pub(super) fn announce_stop(&self) -> impl AsyncFnOnce(Duration) + use<> {
        let node = Arc::clone(&self.node);
        async move |wait_max| node.draining.announce(wait_max).await
    }

    /// Serves until the stop, and then drains.
    pub(super) async fn run(self) -> Drained {
        let drained = serve(self.listeners, Arc::new(edge(self.node)), self.limits, self.stop).await;
        drop(self.local);
        drained
    }
}

/// Binds the address of the settings.
///
/// # Errors
/// [`Exit::Unavailable`] when it cannot be bound.
pub(super) async fn bind(listen: &ListenSettings) -> Result<TcpListener, Failure> {
    TcpListener::bind(listen.address).await.or_exit(Exit::Unavailable, || {
        format!("cannot listen on {}; is another server there? choose a port with --port", listen.address)
    })
}

/// The state that the handlers share.
pub(super) fn node(
    settings: &ServeSettings,
    running: &RunningNode,
    vault: Arc<dyn Vault>,
    shutdown: CancellationToken,
) -> Node {
    let gates = Gates::new(&settings.gates, settings.worker.concurrency);
    let node = Node::new(running.node, Arc::clone(&running.ledger), shutdown).with_gates(gates);
    let node = node.with_web_gate(web_gate(&settings.listen));
    let node = node.with_proxies(TrustedProxies::new(settings.listen.trusted_proxies.clone()));
    let node = node.with_identity(vault, open_rules(&settings.listen));
    let node = node.with_ledger_id(running.ledger_id).with_alerts(running.alerts.clone());
    let node = match &settings.locks {
        Some(locks) => node.with_contention(locks.reject_status, locks.retry_after),
        None => node,
    };
    node.with_central(Arc::clone(running.central.model()), running.central.worker())
}

/// What is open without a login: everything, for as long as there is no principal and only this machine can ask; elsewhere only with
/// `--insecure`. Metrics with `--metrics-open`.
fn open_rules(listen: &ListenSettings) -> OpenRules {
    let loopback = listen.address.ip().is_loopback();
    OpenRules {
        without_principals: loopback || listen.insecure,
        metrics: listen.metrics_open,
        plain_passwords: loopback || listen.plain_http,
        signup: listen.signup,
    }
}

/// Opens the vault of the data directory.
///
/// # Errors
/// [`Exit::Permission`] when others can read it, [`Exit::Data`] when it is damaged or from a later version, or what the disk says.
pub(super) fn open_vault(data_dir: &Path) -> Result<Arc<dyn Vault>, Failure> {
    let opened = FileVault::open(Arc::new(RealDisk), data_dir.join("identity"));
    Ok(Arc::new(opened.map_err(of_vault)?))
}

/// Opens the keys of personal data, which lie in the vault.
///
/// # Errors
/// As [`open_vault`].
pub(super) fn open_personal_keys(data_dir: &Path) -> Result<Arc<dyn PersonalKeys>, Failure> {
    let opened = PersonalKeyFile::open(Arc::new(RealDisk), data_dir.join("identity"));
    Ok(Arc::new(opened.map_err(of_vault)?))
}

fn of_vault(error: VaultError) -> Failure {
    let exit = match &error {
        VaultError::OpenToOthers { .. } => Exit::Permission,
        VaultError::Io { source, .. } if source.kind() == ErrorKind::PermissionDenied => Exit::Permission,
        VaultError::Damaged { .. } | VaultError::Newer { .. } | VaultError::KeyLost { .. } => Exit::Data,
        VaultError::Io { .. } | VaultError::NoRandomness(_) => Exit::Io,
        VaultError::Busy { .. } => Exit::Locked,
    };
    Failure { exit, error: anyhow::Error::new(error) }
}

/// Removes what crashes have left over in the vault. What it cannot remove harms nobody, and goes at a later start.
pub(super) async fn sweep_vault(ledger: &Arc<Ledger>, vault: &Arc<dyn Vault>) {
    let (ledger, vault) = (Arc::clone(ledger), Arc::clone(vault));
    match blocking(move || ledger.sweep_vault(&*vault)).await {
        Ok(0) => {}
        Ok(files) => tracing::info!(files, "removed what crashes had left over in the vault"),
        Err(error) => tracing::warn!(%error, "the vault was not swept"),
    }
}

/// The callers that a node answers while there is no login: with `--insecure` every one, else those on this machine.
fn web_gate(listen: &ListenSettings) -> WebGate {
    let gate = if listen.insecure || !listen.address.ip().is_loopback() {
        WebGate::any_host()
    } else {
        WebGate::local(listen.address.ip())
    };
    gate.with_origins(&listen.cors_origins)
}

/// The base URL of the node.
///
/// # Errors
/// [`Exit::Internal`] when the socket has no address.
pub(super) fn url(listen: &ListenSettings, listener: &TcpListener) -> Result<String, Failure> {
    let address = listener.local_addr().or_exit(Exit::Internal, || "the socket has no address")?;
    let scheme = if listen.tls.is_some() { "https" } else { "http" };
    Ok(format!("{scheme}://{address}"))
}

/// Prints the address of the node, and writes the ready file for the parent process.
///
/// `socket` is the local socket, over which the first administrator is made, if there is one.
///
/// # Errors
/// [`Exit::CannotCreate`] when the ready file cannot be written.
pub(super) fn announce(
    listen: &ListenSettings,
    url: &str,
    data_dir: &Path,
    nobody_can_log_in: bool,
    socket: Option<&Path>,
) -> Result<(), Failure> {
    let data = data_dir.canonicalize().unwrap_or_else(|_| data_dir.to_path_buf());
    let data = data.display();
    eprintln!(
        "onhand {version} is ready\n\
         \x20 address  {url}\n\
         \x20 console  {url}/console\n\
         \x20 docs     {url}/docs\n\
         \x20 data     {data}\n\
         \x20 try      curl -X POST {url}/stores/BERLIN/inventory/TEA/adjust \\\n\
         \x20               -H 'content-type: application/json' -d '{{\"delta\": 10}}'",
        version = env!("CARGO_PKG_VERSION"),
    );
    if nobody_can_log_in && open_rules(listen).without_principals {
        eprintln!(
            "\x20 access   nobody has to log in; the first administrator changes that:\n\
             \x20          onhand user add ada --admin --data-dir {data}"
        );
    } else if nobody_can_log_in {
        eprintln!("\x20 setup    nobody can log in yet, so nothing else is answered; make an administrator:");
        match socket {
            Some(_) => eprintln!(
                "\x20          onhand user add ada --admin --data-dir {data}\n\
                 \x20          docker exec CONTAINER onhand user add ada --admin       where it runs in a container"
            ),
            None => eprintln!(
                "\x20          it has no local socket (see its warning above), so stop it first\n\
                 \x20          onhand user add ada --admin --data-dir {data}"
            ),
        }
    }
    let Some(path) = &listen.ready_file else { return Ok(()) };
    let doing = || format!("cannot write the ready file {}", path.display());
    let unfinished = temporary(path);
    std::fs::write(&unfinished, url).or_exit(Exit::CannotCreate, doing)?;
    std::fs::rename(&unfinished, path).or_exit(Exit::CannotCreate, doing)
}
