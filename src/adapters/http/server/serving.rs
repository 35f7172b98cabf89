//! A connection from its arrival to its end, and what it can hold meanwhile.
//!
//! `axum::serve` has no timeout for the head of a request, no limit of connections and no deadline for the drain,
//! so hyper is driven directly. The first bytes tell HTTP/1.1 from HTTP/2 (prior knowledge, or the choice of a TLS
//! handshake).
//!
//! When all places are taken a new connection takes the place of an idle one (`connections`). When none is idle it
//! goes to a small reserve, which answers health and metrics and refuses everything else; so a probe always gets
//! through. A client that sends its next request right after it was rejected for load, on the same connection,
//! waits a little: otherwise the refusals would take processor time from the clients being served.
//!
//! A TLS handshake has the time of a head, and its connection a place from the beginning: who connects and says nothing costs
//! as little as without TLS, and goes first when there is no room.

use crate::edge::forwarding::Client;
use crate::edge::layer::Edge;
use crate::edge::local_peer::LocalPeer;
use crate::limits::{
    HEADER_READ_MS_MAX, LOCAL_CONNECTIONS_MAX, REFUSAL_MS_MAX, REFUSALS_MAX, REJECTED_PAUSE_MS,
    STREAMS_PER_CONNECTION_MAX,
};
use crate::response::code::Code;
use crate::response::hints::{Endless, Rejected};
use crate::response::problem::Problem;
use crate::server::connections::{ConnectionPlace, Connections, OpenConnection};
use crate::server::server_limits::ServerLimits;
use crate::server::socket::Socket;
use crate::server::timed_socket::{TimedReads, TimedWrites};
use crate::server::tls::Tls;
use crate::server::tracked_body::{arriving, until_sent};
use axum::body::Body;
use http::{Request, Version};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::Watcher;
use onhand_telemetry::{HTTP_CONNECTIONS, HTTP_CONNECTIONS_REFUSED, TLS_HANDSHAKES_FAILED};
use std::convert::Infallible;
use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// State that all connections share.
pub(crate) struct Server {
    edge: Arc<Edge>,
    limits: ServerLimits,
    builder: auto::Builder<TokioExecutor>,
    tls: Option<Arc<Tls>>,
    served: Arc<Connections>,
    /// Those over the local socket, with places of their own.
    local: Arc<Connections>,
    /// Connections beyond the places of either.
    reserve: Arc<Connections>,
    /// Cancelled when nothing new is taken any more.
    shutdown: CancellationToken,
}

/// A connection as its listener hands it on.
pub(crate) enum Arrival {
    Tcp(TcpStream, IpAddr),
    Local(UnixStream, LocalPeer),
}

/// Who sends the requests of one connection.
#[derive(Debug, Clone, Copy)]
struct Caller {
    peer: Client,
    local: Option<LocalPeer>,
}

impl Arrival {
    fn caller(&self, tls: bool) -> Caller {
        match self {
            Self::Tcp(_, address) => Caller { peer: Client::at(*address, tls), local: None },
            Self::Local(_, peer) => Caller { peer: Client::LOCAL_SOCKET, local: Some(*peer) },
        }
    }
}

impl Caller {
    /// Notes on a request how it came.
    fn mark<B>(self, request: &mut Request<B>) {
        if let Some(peer) = self.local {
            request.extensions_mut().insert(peer);
        }
    }
}

impl Server {
    pub(crate) fn new(
        edge: Arc<Edge>,
        limits: ServerLimits,
        tls: Option<Arc<Tls>>,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            edge,
            builder: builder(&limits),
            tls,
            served: Arc::new(Connections::new(limits.connections_max)),
            local: Arc::new(Connections::new(LOCAL_CONNECTIONS_MAX)),
            reserve: Arc::new(Connections::new(REFUSALS_MAX)),
            limits,
            shutdown,
        }
    }

    /// The number of open connections that are served.
    pub(crate) fn connections(&self) -> usize {
        self.served.len() + self.local.len()
    }

    /// Forgets clients whose rate limit is unused again.
    pub(crate) fn sweep(&self) {
        self.edge.sweep();
    }

    /// Evicts followers that do not read.
    pub(crate) fn evict_stalled_followers(&self) {
        self.served.evict_stalled_followers();
        self.local.evict_stalled_followers();
    }

    /// Finds a place for a new connection.
    pub(crate) fn receive(self: &Arc<Self>, arrival: Arrival, watcher: Watcher) {
        let places = match &arrival {
            Arrival::Tcp(stream, _) => {
                // Small answers must not wait for more data; a socket without this option still works.
                let _ = stream.set_nodelay(true);
                &self.served
            }
            Arrival::Local(..) => &self.local,
        };
        let server = Arc::clone(self);
        if let Some(place) = places.admit() {
            tokio::spawn(async move { server.serve(arrival, &place, watcher).await });
            return;
        }
        metrics::counter!(HTTP_CONNECTIONS_REFUSED).increment(1);
        // Beyond the reserve a connection is closed without an answer: if none were accepted, probes would wait.
        if let Some(place) = self.reserve.admit() {
            tokio::spawn(async move { server.refuse(arrival, &place).await });
        }
    }

    async fn serve(&self, arrival: Arrival, place: &ConnectionPlace, watcher: Watcher) {
        let gauge = metrics::gauge!(HTTP_CONNECTIONS);
        gauge.increment(1.0);
        let connection = &place.connection;
        let ended = tokio::select! {
            ended = self.converse(arrival, connection, watcher) => ended,
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

    /// Answers the requests of a connection until it ends.
    async fn converse(
        &self,
        arrival: Arrival,
        connection: &Arc<OpenConnection>,
        watcher: Watcher,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let caller = arrival.caller(self.tls.is_some());
        let acceptor = self.tls.as_deref().map(Tls::acceptor);
        let Some(socket) = self.open(arrival, acceptor, connection).await else { return Ok(()) };
        let edge = Arc::clone(&self.edge);
        let service = service_fn(|request: Request<Incoming>| {
            let (edge, connection) = (Arc::clone(&edge), Arc::clone(connection));
            async move {
                let pause = connection.paused();
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
                let active = connection.begin(request.version() == Version::HTTP_2);
                let mut request = request.map(|body| arriving(body, &connection));
                caller.mark(&mut request);
                let response = edge.handle_of(Some(caller.peer), request).await;
                if response.extensions().get::<Rejected>().is_some() {
                    connection.pause(Duration::from_millis(REJECTED_PAUSE_MS));
                }
                let follows = response.extensions().get::<Endless>().is_some();
                Ok::<_, Infallible>(until_sent(response, if follows { active.following() } else { active }))
            }
        });
        let socket = TimedReads::new(socket, self.limits.header_read, Arc::clone(connection));
        watcher.watch(self.builder.serve_connection(TokioIo::new(socket), service)).await
    }

    /// Answers the first request of a connection in the reserve, and closes: health and metrics as always, anything else with 503.
    async fn refuse(&self, arrival: Arrival, place: &ConnectionPlace) {
        let (caller, connection) = (arrival.caller(self.tls.is_some()), &place.connection);
        let service = service_fn(|request: Request<Incoming>| {
            let (edge, active) = (Arc::clone(&self.edge), connection.begin(false));
            async move {
                let mut request = request.map(Body::new);
                caller.mark(&mut request);
                let response = if edge.is_free(&request) {
                    edge.handle_of(Some(caller.peer), request).await
                } else {
                    let detail = "Too many connections are open; close some, or try again later.";
                    edge.refuse(&request, Problem::new(Code::Overloaded, detail))
                };
                Ok::<_, Infallible>(until_sent(response, active))
            }
        });
        let acceptor = self.tls.as_deref().map(Tls::reserve_acceptor);
        let serving = async {
            if let Some(socket) = self.open(arrival, acceptor, connection).await {
                let builder = &mut http1::Builder::new();
                let serving = builder.keep_alive(false).serve_connection(TokioIo::new(socket), service);
                // A peer that is gone before it has its refusal is no fault of the server.
                let _ = serving.await;
            }
        };
        tokio::select! {
            _ = timeout(Duration::from_millis(REFUSAL_MS_MAX), serving) => {}
            () = connection.evicted() => {}
        }
    }

    /// The socket of a connection, after the handshake where there is TLS; `None` when no handshake comes about.
    async fn open(
        &self,
        arrival: Arrival,
        acceptor: Option<TlsAcceptor>,
        connection: &Arc<OpenConnection>,
    ) -> Option<Socket> {
        let (stall_max, connection) = (self.limits.write_stall, Arc::clone(connection));
        match (arrival, acceptor) {
            (Arrival::Local(stream, _), _) => {
                Some(Socket::Local(TimedWrites::new(stream, stall_max, connection)))
            }
            (Arrival::Tcp(stream, _), None) => {
                Some(Socket::Plain(TimedWrites::new(stream, stall_max, connection)))
            }
            (Arrival::Tcp(stream, _), Some(acceptor)) => {
                let stream = TimedWrites::new(stream, stall_max, connection);
                // Boxed, so that connections without TLS have no room for it.
                Box::pin(self.shake_hands(stream, acceptor)).await
            }
        }
    }

    async fn shake_hands(&self, stream: TimedWrites<TcpStream>, acceptor: TlsAcceptor) -> Option<Socket> {
        let handshake = timeout(self.limits.header_read, acceptor.accept(stream));
        let outcome = tokio::select! {
            outcome = handshake => outcome,
            // No request has been sent yet, so none is lost.
            () = self.shutdown.cancelled() => return None,
        };
        match outcome {
            Ok(Ok(stream)) => return Some(Socket::Tls(Box::new(stream))),
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        }
        metrics::counter!(TLS_HANDSHAKES_FAILED).increment(1);
        None
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
