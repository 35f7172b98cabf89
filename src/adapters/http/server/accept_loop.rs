//! The accept loop: takes a listener and a shutdown signal, and bounds what a connection can hold.
//!
//! `axum::serve` has no timeout for the head of a request, no limit of connections and no deadline for the drain,
//! so hyper is driven directly. The first bytes tell HTTP/1.1 from HTTP/2 (prior knowledge).
//!
//! When all places are taken a new connection takes the place of an idle one (`connections`). When none is idle it
//! goes to a small reserve, which answers health and metrics and refuses everything else; so a probe always gets
//! through. A client that sends its next request right after it was rejected for load, on the same connection,
//! waits a little: otherwise the refusals would take processor time from the clients being served.

use crate::edge::gates::ClientAddress;
use crate::edge::layer::Edge;
use crate::limits::{
    CONNECTIONS_MAX, HEADER_READ_MS_MAX, IDLE_MS_MAX, REFUSAL_MS_MAX, REFUSALS_MAX, REJECTED_PAUSE_MS,
    STREAMS_PER_CONNECTION_MAX, SWEEP_MS, WRITE_STALL_MS_MAX,
};
use crate::response::code::Code;
use crate::response::hints::{Endless, Rejected};
use crate::response::problem::Problem;
use crate::server::connections::{ConnectionPlace, Connections};
use crate::server::timed_socket::{SocketTimeouts, TimedSocket};
use crate::server::tracked_body::{arriving, until_sent};
use axum::body::Body;
use http::{Request, Version};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use onhand_telemetry::{HTTP_CONNECTIONS, HTTP_CONNECTIONS_REFUSED};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The limits of one server; the defaults are those of the contract.
#[derive(Debug, Clone)]
pub struct ServerLimits {
    /// Connections served at once.
    pub connections_max: usize,
    /// How long the head of a request may take.
    pub header_read: Duration,
    /// Timeout of an idle connection.
    pub idle: Duration,
    /// How long a peer may read nothing of what is written to it before its connection is closed.
    pub write_stall: Duration,
    /// How long active requests may take to end after the shutdown signal.
    pub drain: Duration,
}

impl ServerLimits {
    /// The limits of the contract, with this much time for the drain.
    pub fn with_drain(drain: Duration) -> Self {
        Self {
            connections_max: CONNECTIONS_MAX,
            header_read: Duration::from_millis(HEADER_READ_MS_MAX),
            idle: Duration::from_millis(IDLE_MS_MAX),
            write_stall: Duration::from_millis(WRITE_STALL_MS_MAX),
            drain,
        }
    }
}

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Every active request was answered.
    All,
    /// The deadline passed with this many connections still open.
    Abandoned(usize),
}

/// State that all connections share.
struct Server {
    edge: Arc<Edge>,
    limits: ServerLimits,
    builder: auto::Builder<TokioExecutor>,
    served: Arc<Connections>,
    /// The connections beyond `connections_max`.
    reserve: Arc<Connections>,
}

/// Serves `edge` on `listener` until `shutdown` is cancelled, then lets active requests end.
///
/// An accept that fails (too many open files) does not stop the server: it is logged and tried again.
pub async fn serve(
    listener: TcpListener,
    edge: Arc<Edge>,
    limits: ServerLimits,
    shutdown: CancellationToken,
) -> Drained {
    let graceful = GracefulShutdown::new();
    let server = Arc::new(Server {
        edge,
        builder: builder(&limits),
        served: Arc::new(Connections::new(limits.connections_max)),
        reserve: Arc::new(Connections::new(REFUSALS_MAX)),
        limits,
    });
    let accepting = async {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => server.receive(stream, peer, &graceful),
                Err(error) => pause_after(&error).await,
            }
        }
    };
    let sweeping = async {
        loop {
            tokio::time::sleep(Duration::from_millis(SWEEP_MS)).await;
            server.edge.sweep();
        }
    };
    tokio::select! {
        () = shutdown.cancelled() => {}
        never = accepting => never,
        never = sweeping => never,
    }
    drop(listener);
    tracing::info!(connections = server.served.len(), "draining");
    let parting = async {
        loop {
            tokio::time::sleep(Duration::from_millis(SWEEP_MS)).await;
            server.served.evict_stalled_followers();
        }
    };
    tokio::select! {
        () = graceful.shutdown() => Drained::All,
        () = tokio::time::sleep(server.limits.drain) => Drained::Abandoned(server.served.len()),
        never = parting => never,
    }
}

fn builder(limits: &ServerLimits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // hyper starts this timeout at the end of the request before, so here it bounds the pause between two requests.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.idle);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .keep_alive_interval(Some(Duration::from_millis(HEADER_READ_MS_MAX)));
    builder
}

impl Server {
    /// Finds a place for a new connection.
    fn receive(self: &Arc<Self>, stream: TcpStream, peer: SocketAddr, graceful: &GracefulShutdown) {
        // Small answers must not wait for more data; a socket without this option still works.
        let _ = stream.set_nodelay(true);
        let server = Arc::clone(self);
        if let Some(place) = self.served.admit() {
            let watcher = graceful.watcher();
            tokio::spawn(
                async move { server.serve(stream, ClientAddress::at(peer.ip()), &place, watcher).await },
            );
            return;
        }
        metrics::counter!(HTTP_CONNECTIONS_REFUSED).increment(1);
        // Beyond the reserve a connection is closed without an answer: if none were accepted, probes would wait.
        if let Some(place) = self.reserve.admit() {
            let client = ClientAddress::at(peer.ip());
            tokio::spawn(async move { server.refuse(stream, client, &place).await });
        }
    }

    async fn serve(
        &self,
        stream: TcpStream,
        client: ClientAddress,
        place: &ConnectionPlace,
        watcher: Watcher,
    ) {
        let gauge = metrics::gauge!(HTTP_CONNECTIONS);
        gauge.increment(1.0);
        let (edge, connection) = (Arc::clone(&self.edge), &place.connection);
        let service = service_fn(|request: Request<Incoming>| {
            let (edge, connection) = (Arc::clone(&edge), Arc::clone(connection));
            async move {
                let pause = connection.paused();
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
                let active = connection.begin(request.version() == Version::HTTP_2);
                let request = request.map(|body| arriving(body, &connection));
                let response = edge.handle_of(Some(client), request).await;
                if response.extensions().get::<Rejected>().is_some() {
                    connection.pause(Duration::from_millis(REJECTED_PAUSE_MS));
                }
                let follows = response.extensions().get::<Endless>().is_some();
                Ok::<_, Infallible>(until_sent(response, if follows { active.following() } else { active }))
            }
        });
        let timeouts = SocketTimeouts { head: self.limits.header_read, write: self.limits.write_stall };
        let stream = TokioIo::new(TimedSocket::new(stream, timeouts, Arc::clone(connection)));
        let serving = pin!(watcher.watch(self.builder.serve_connection(stream, service)));
        let ended = tokio::select! {
            ended = serving => ended,
            () = connection.evicted() => {
                tracing::debug!("an idle connection made room for another one");
                Ok(())
            }
        };
        if let Err(error) = ended {
            // The peer disconnected or broke the protocol, which is no fault of the server.
            tracing::debug!(%error, "connection ended");
        }
        gauge.decrement(1.0);
    }

    /// Answers the first request of a connection in the reserve, and closes: health and metrics as always, anything else with 503.
    async fn refuse(&self, stream: TcpStream, client: ClientAddress, place: &ConnectionPlace) {
        let connection = &place.connection;
        let service = service_fn(|request: Request<Incoming>| {
            let (edge, active) = (Arc::clone(&self.edge), connection.begin(false));
            async move {
                let request = request.map(Body::new);
                let response = if edge.is_free(&request) {
                    edge.handle_of(Some(client), request).await
                } else {
                    let detail = "Too many connections are open; close some, or try again later.";
                    edge.refuse(&request, Problem::new(Code::Overloaded, detail))
                };
                Ok::<_, Infallible>(until_sent(response, active))
            }
        });
        let serving = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service);
        let serving = tokio::time::timeout(Duration::from_millis(REFUSAL_MS_MAX), serving);
        tokio::select! {
            _ = serving => {}
            () = connection.evicted() => {}
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
