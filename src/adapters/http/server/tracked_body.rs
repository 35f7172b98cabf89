//! Bodies in transfer, which record on their connection whether it waits for its peer and whether the request is
//! active.

use crate::server::connections::{ActiveRequest, OpenConnection};
use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http::Response;
use hyper::body::{Frame, Incoming, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The body of a request; most have none.
pub(crate) fn arriving(body: Incoming, connection: &Arc<OpenConnection>) -> Body {
    if body.is_end_stream() {
        return Body::empty();
    }
    Body::new(IncomingBody { body, connection: Arc::clone(connection) })
}

/// A body being received.
struct IncomingBody {
    body: Incoming,
    connection: Arc<OpenConnection>,
}

impl HttpBody for IncomingBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        self.connection.waits_for_peer(frame.is_pending());
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for IncomingBody {
    fn drop(&mut self) {
        self.connection.waits_for_peer(false);
    }
}

/// The answer; its request counts as active until all of it has been sent.
pub(crate) fn until_sent(response: Response<Body>, active: ActiveRequest) -> Response<OutgoingBody> {
    response.map(|body| OutgoingBody { body, _busy: active })
}

/// A body being sent.
pub(crate) struct OutgoingBody {
    body: Body,
    _busy: ActiveRequest,
}

impl HttpBody for OutgoingBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
