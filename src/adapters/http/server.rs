//! The accept loop: takes a listener and a shutdown signal, and bounds what a connection can hold.
//!
//! `axum::serve` has no timeout for the head of a request, no cap on connections and no deadline for the drain, so
//! hyper is driven directly. HTTP/1.1 and HTTP/2 (prior knowledge) are told apart by the first bytes.

use super::code::Code;
use super::layers::Edge;
use super::limits::{
    CONNECTIONS_MAX, HEADER_READ_MS_MAX, REFUSAL_MS_MAX, REFUSALS_MAX, STREAMS_PER_CONNECTION_MAX,
    WRITE_STALL_MS_MAX,
};
use super::metrics::{CONNECTIONS, CONNECTIONS_REFUSED};
use super::problem::Problem;
use super::stall::Stall;
use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What one server allows; the defaults are the limits of the contract.
#[derive(Debug, Clone)]
pub struct ServerLimits {
    /// Connections served at once.
    pub connections_max: usize,
    /// How long the head of a request may take.
    pub header_read: Duration,
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
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let refusals = Arc::new(Semaphore::new(REFUSALS_MAX));
    let builder = Arc::new(builder(&limits));
    while let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await {
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                pause_after(&error).await;
                continue;
            }
        };
        // Small answers must not wait for more to come; a socket that cannot be told so still works.
        let _ = stream.set_nodelay(true);
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            let (edge, builder, watcher) = (Arc::clone(&edge), Arc::clone(&builder), graceful.watcher());
            let header_read = limits.header_read;
            let stream = Stall::new(stream, limits.write_stall);
            tokio::spawn(async move {
                connection(stream, edge, &builder, watcher, header_read).await;
                drop(place);
            });
        } else {
            metrics::counter!(CONNECTIONS_REFUSED).increment(1);
            // Waits when very many are being refused; the kernel's queue holds the rest.
            if let Ok(permit) = Arc::clone(&refusals).acquire_owned().await {
                tokio::spawn(refuse(stream, Arc::clone(&edge), permit));
            }
        }
    }
    drop(listener);
    let open = || limits.connections_max - places.available_permits();
    tracing::info!(connections = open(), "draining");
    match tokio::time::timeout(limits.drain, graceful.shutdown()).await {
        Ok(()) => Drained::All,
        Err(_) => Drained::Abandoned(open()),
    }
}

fn builder(limits: &ServerLimits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.header_read);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .keep_alive_interval(Some(Duration::from_millis(HEADER_READ_MS_MAX)));
    builder
}

async fn connection(
    stream: Stall<TcpStream>,
    edge: Arc<Edge>,
    builder: &auto::Builder<TokioExecutor>,
    watcher: Watcher,
    header_read: Duration,
) {
    let gauge = metrics::gauge!(CONNECTIONS);
    gauge.increment(1.0);
    let spoken = Arc::new(AtomicBool::new(false));
    let service = service_fn(|request: Request<Incoming>| {
        spoken.store(true, Ordering::Relaxed);
        let edge = Arc::clone(&edge);
        async move { Ok::<_, Infallible>(edge.handle(request.map(Body::new)).await) }
    });
    let mut serving = pin!(watcher.watch(builder.serve_connection(TokioIo::new(stream), service)));
    // hyper's own timer starts when the protocol is known, so a peer that sends less than that needs another.
    let ended = match tokio::time::timeout(header_read, &mut serving).await {
        Ok(ended) => ended,
        Err(_) if !spoken.load(Ordering::Relaxed) => Ok(()),
        Err(_) => serving.await,
    };
    if let Err(error) = ended {
        // The peer went away or broke the protocol: its business, not a fault of the server.
        tracing::debug!(%error, "connection ended");
    }
    gauge.decrement(1.0);
}

/// Answers the first request of a connection that is one too many with a 503, and closes.
async fn refuse(stream: TcpStream, edge: Arc<Edge>, _permit: OwnedSemaphorePermit) {
    let service = service_fn(|request: Request<Incoming>| {
        let problem =
            Problem::new(Code::Overloaded, "Too many connections are open; close some, or try again later.");
        let response = edge.refuse(&request.map(Body::new), problem);
        async move { Ok::<_, Infallible>(response) }
    });
    let serving = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service);
    let _ = tokio::time::timeout(Duration::from_millis(REFUSAL_MS_MAX), serving).await;
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
