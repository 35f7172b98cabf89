//! Connections that stay in progress for as long as a test needs them.

use axum::body::Body;
use bytes::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Sends, on a connection of its own, the head of a change and never the end of its body; over HTTP/2, where idle
/// requests are not closed. The server waits for it, for half a minute or until this is dropped.
pub(crate) async fn occupy(address: &str) -> JoinSet<()> {
    occupy_on(TcpStream::connect(address).await.unwrap()).await
}

/// The same on a connection that is open already.
pub(crate) async fn occupy_on(socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> JoinSet<()> {
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(socket)).await.unwrap();
    let endless = Body::from_stream(futures_util::stream::pending::<Result<Bytes, Infallible>>());
    let request = http::Request::post("http://localhost/stores/S/inventory/A/adjust");
    let request = request.header("content-type", "application/json").body(endless).unwrap();
    let mut work = JoinSet::new();
    work.spawn(async move { drop(connection.await) });
    let answer = sender.send_request(request);
    // Sent behind it on the same connection: once this is answered, the other one has begun.
    let alive = http::Request::get("http://localhost/livez").body(Body::empty()).unwrap();
    drop(sender.send_request(alive).await);
    work.spawn(async move {
        drop(answer.await);
        drop(sender);
    });
    work
}
