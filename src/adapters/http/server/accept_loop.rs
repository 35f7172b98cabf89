//! The accept loop: takes listeners and a shutdown signal, and lets active requests end before it does.
//!
//! An accept that fails does not stop the server. What a connection may hold is bounded by `serving`.

use crate::edge::layer::Edge;
use crate::limits::SWEEP_MS;
use crate::server::local_listener::LocalListener;
use crate::server::server_limits::ServerLimits;
use crate::server::serving::{Arrival, Server};
use crate::server::tls::Tls;
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Every active request was answered.
    All,
    /// The deadline passed with this many connections still open.
    Abandoned(usize),
}

/// The sockets that a server takes connections on.
#[derive(Debug)]
pub struct Listeners {
    tcp: TcpListener,
    tls: Option<Arc<Tls>>,
    local: Option<LocalListener>,
}

impl From<TcpListener> for Listeners {
    /// Plain HTTP on this socket alone.
    fn from(tcp: TcpListener) -> Self {
        Self { tcp, tls: None, local: None }
    }
}

impl Listeners {
    /// The same, with TLS for all that come over TCP.
    #[must_use]
    pub fn with_tls(mut self, tls: Option<Arc<Tls>>) -> Self {
        self.tls = tls;
        self
    }

    /// The same, with a socket for processes on this machine.
    #[must_use]
    pub fn with_local(mut self, local: Option<LocalListener>) -> Self {
        self.local = local;
        self
    }
}

/// Serves `edge` on `listeners` until `shutdown` is cancelled, then lets active requests end.
///
/// An accept that fails (too many open files) does not stop the server: it is logged and tried again.
pub async fn serve(
    listeners: impl Into<Listeners>,
    edge: Arc<Edge>,
    limits: ServerLimits,
    shutdown: CancellationToken,
) -> Drained {
    let Listeners { tcp, tls, local } = listeners.into();
    let graceful = GracefulShutdown::new();
    let drain = limits.drain;
    let server = Arc::new(Server::new(edge, limits, tls, shutdown.clone()));
    let sweeping = async {
        loop {
            tokio::time::sleep(Duration::from_millis(SWEEP_MS)).await;
            server.sweep();
        }
    };
    tokio::select! {
        () = shutdown.cancelled() => {}
        never = accept(&tcp, &server, &graceful) => match never {},
        never = accept_local(local.as_ref(), &server, &graceful) => match never {},
        never = sweeping => never,
    }
    drop((tcp, local));
    tracing::info!(connections = server.connections(), "draining");
    let parting = async {
        loop {
            tokio::time::sleep(Duration::from_millis(SWEEP_MS)).await;
            server.evict_stalled_followers();
        }
    };
    tokio::select! {
        () = graceful.shutdown() => Drained::All,
        () = tokio::time::sleep(drain) => Drained::Abandoned(server.connections()),
        never = parting => never,
    }
}

async fn accept(listener: &TcpListener, server: &Arc<Server>, graceful: &GracefulShutdown) -> Infallible {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => server.receive(Arrival::Tcp(stream, peer.ip()), graceful.watcher()),
            Err(error) => pause_after(&error).await,
        }
    }
}

async fn accept_local(
    listener: Option<&LocalListener>,
    server: &Arc<Server>,
    graceful: &GracefulShutdown,
) -> Infallible {
    let Some(listener) = listener else { return pending().await };
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => server.receive(Arrival::Local(stream, peer), graceful.watcher()),
            Err(error) => pause_after(&error).await,
        }
    }
}

/// Pauses after an accept that failed for lack of files or memory: trying again at once would only spin.
async fn pause_after(error: &io::Error) {
    let of_one_peer = matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    );
    if !of_one_peer {
        tracing::warn!(%error, "a connection could not be accepted; trying again");
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}
