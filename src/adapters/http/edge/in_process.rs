//! Requests of the process itself: those of a command that has opened the node on its files.

use crate::edge::forwarding::Client;
use crate::edge::layer::Edge;
use crate::edge::local_peer::LocalPeer;
use axum::body::Body;
use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request, Response};
use http_body_util::BodyExt;

impl Edge {
    /// Answers a request as one over the local socket: it comes from the owner of the data directory. The answer is read to its
    /// end, so it must have one.
    pub async fn answer_owner(&self, uid: u32, request: Request<Bytes>) -> Response<Bytes> {
        let mut request = request.map(Body::from);
        request.headers_mut().insert(HOST, HeaderValue::from_static("localhost"));
        request.extensions_mut().insert(LocalPeer { uid });
        let (parts, body) = self.handle_of(Some(Client::LOCAL_SOCKET), request).await.into_parts();
        let body = body.collect().await.map(http_body_util::Collected::to_bytes);
        // A body that breaks off is no JSON for its reader.
        Response::from_parts(parts, body.unwrap_or_default())
    }
}
