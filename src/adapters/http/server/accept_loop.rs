//! The accept loop: takes a listener and a shutdown signal, and bounds what a connection can hold.
//!
//! `axum::serve` has no timeout for the head of a request, no cap on connections and no deadline for the drain, so
//! hyper is driven directly. HTTP/1.1 and HTTP/2 (prior knowledge) are told apart by the first bytes.
//!
//! When all places are taken a newcomer gets that of an idle connection (`crowd`). When none is idle it comes into a small
//! reserve, where health and metrics are answered and everything else is refused; so a probe always gets through. Who was
//! turned away and asks again at once, on the same connection, waits a little: otherwise refusing would cost those who
//! are served their share of the machine.

use crate::adapters::http::edge::gates::Client;
use crate::adapters::http::edge::layer::Edge;
use crate::adapters::http::limits::{
    CONNECTIONS_MAX, HEADER_READ_MS_MAX, IDLE_MS_MAX, REFUSAL_MS_MAX, REFUSALS_MAX,
    STREAMS_PER_CONNECTION_MAX, SWEEP_MS, TURNED_AWAY_PAUSE_MS, WRITE_STALL_MS_MAX,
};
use crate::adapters::http::response::code::Code;
use crate::adapters::http::response::hints::{Endless, Rejected};
use crate::adapters::http::response::problem::Problem;
use crate::adapters::http::server::connections::{Crowd, Membership};
use crate::adapters::http::server::timed_socket::{Patience, Stall};
use crate::adapters::http::server::tracked_body::{arriving, until_sent};
use crate::telemetry::{HTTP_CONNECTIONS, HTTP_CONNECTIONS_REFUSED};
use axum::body::Body;
use http::{Request, Version};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What one server allows; the defaults are the limits of the contract.
#[derive(Debug, Clone)]
pub struct ServerLimits {
    /// Connections served at once.
    pub connections_max: usize,
    /// How long the head of a request may take.
    pub header_read: Duration,
    /// How long a connection may have nothing under way.
    pub idle: Duration,
    /// How long a peer may take nothing of what is written to it before it is cut.
    pub write_stall: Duration,
    /// How long requests under way may take to end once the signal has come.
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
    /// Every request under way was answered.
    All,
    /// The deadline passed with so many connections still open.
    Abandoned(usize),
}

/// What all connections have in common.
struct Hall {
    edge: Arc<Edge>,
    limits: ServerLimits,
    builder: auto::Builder<TokioExecutor>,
    served: Arc<Crowd>,
    /// Those that are one too many.
    reserve: Arc<Crowd>,
}

/// Serves `edge` on `listener` until `shutdown` is cancelled, then lets what is under way end.
///
/// An accept that fails (too many open files) is no reason to stop: it is logged and tried again.
pub async fn serve(
    listener: TcpListener,
    edge: Arc<Edge>,
    limits: ServerLimits,
    shutdown: CancellationToken,
) -> Drained {
    let graceful = GracefulShutdown::new();
    let hall = Arc::new(Hall {
        edge,
        builder: builder(&limits),
        served: Arc::new(Crowd::new(limits.connections_max)),
        reserve: Arc::new(Crowd::new(REFUSALS_MAX)),
        limits,
    });
    let accepting = async {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => hall.receive(stream, peer, &graceful),
                Err(error) => pause_after(&error).await,
            }
        }
    };
    let sweeping = async {
        loop {
            tokio::time::sleep(Duration::from_millis(SWEEP_MS)).await;
            hall.edge.sweep();
        }
    };
    tokio::select! {
        () = shutdown.cancelled() => {}
        never = accepting => never,
        never = sweeping => never,
    }
    drop(listener);
    tracing::info!(connections = hall.served.len(), "draining");
    let parting = async {
        loop {
            tokio::time::sleep(Duration::from_millis(SWEEP_MS)).await;
            hall.served.part_with_resting();
        }
    };
    tokio::select! {
        () = graceful.shutdown() => Drained::All,
        () = tokio::time::sleep(hall.limits.drain) => Drained::Abandoned(hall.served.len()),
        never = parting => never,
    }
}

fn builder(limits: &ServerLimits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // hyper's time for a head runs from the end of the request before: it is the pause that it bounds here.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.idle);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .keep_alive_interval(Some(Duration::from_millis(HEADER_READ_MS_MAX)));
    builder
}

impl Hall {
    /// Gives a connection its place.
    fn receive(self: &Arc<Self>, stream: TcpStream, peer: SocketAddr, graceful: &GracefulShutdown) {
        // Small answers must not wait for more to come; a socket that cannot be told so still works.
        let _ = stream.set_nodelay(true);
        let hall = Arc::clone(self);
        if let Some(membership) = self.served.admit() {
            let watcher = graceful.watcher();
            tokio::spawn(
                async move { hall.serve(stream, Client::at(peer.ip()), &membership, watcher).await },
            );
            return;
        }
        metrics::counter!(HTTP_CONNECTIONS_REFUSED).increment(1);
        // Beyond the reserve it is closed without a word: to accept nobody would keep the probes waiting.
        if let Some(membership) = self.reserve.admit() {
            let client = Client::at(peer.ip());
            tokio::spawn(async move { hall.refuse(stream, client, &membership).await });
        }
    }

    async fn serve(&self, stream: TcpStream, client: Client, membership: &Membership, watcher: Watcher) {
        let gauge = metrics::gauge!(HTTP_CONNECTIONS);
        gauge.increment(1.0);
        let (edge, member) = (Arc::clone(&self.edge), &membership.member);
        let service = service_fn(|request: Request<Incoming>| {
            let (edge, member) = (Arc::clone(&edge), Arc::clone(member));
            async move {
                let pause = member.paused();
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
                let busy = member.begin(request.version() == Version::HTTP_2);
                let request = request.map(|body| arriving(body, &member));
                let response = edge.handle_of(Some(client), request).await;
                if response.extensions().get::<Rejected>().is_some() {
                    member.pause(Duration::from_millis(TURNED_AWAY_PAUSE_MS));
                }
                let follows = response.extensions().get::<Endless>().is_some();
                Ok::<_, Infallible>(until_sent(response, if follows { busy.following() } else { busy }))
            }
        });
        let patience = Patience { head: self.limits.header_read, write: self.limits.write_stall };
        let stream = TokioIo::new(Stall::new(stream, patience, Arc::clone(member)));
        let serving = pin!(watcher.watch(self.builder.serve_connection(stream, service)));
        let ended = tokio::select! {
            ended = serving => ended,
            () = member.evicted() => {
                tracing::debug!("an idle connection made room for another one");
                Ok(())
            }
        };
        if let Err(error) = ended {
            // The peer went away or broke the protocol: its business, not a fault of the server.
            tracing::debug!(%error, "connection ended");
        }
        gauge.decrement(1.0);
    }

    /// Answers the first request of a connection that is one too many, and closes: health and metrics as always, anything
    /// else with a 503.
    async fn refuse(&self, stream: TcpStream, client: Client, membership: &Membership) {
        let member = &membership.member;
        let service = service_fn(|request: Request<Incoming>| {
            let (edge, busy) = (Arc::clone(&self.edge), member.begin(false));
            async move {
                let request = request.map(Body::new);
                let response = if edge.is_free(&request) {
                    edge.handle_of(Some(client), request).await
                } else {
                    let detail = "Too many connections are open; close some, or try again later.";
                    edge.refuse(&request, Problem::new(Code::Overloaded, detail))
                };
                Ok::<_, Infallible>(until_sent(response, busy))
            }
        });
        let serving = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service);
        let serving = tokio::time::timeout(Duration::from_millis(REFUSAL_MS_MAX), serving);
        tokio::select! {
            _ = serving => {}
            () = member.evicted() => {}
        }
    }
}

/// After an accept that failed for want of files or memory, trying again at once would only spin.
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
