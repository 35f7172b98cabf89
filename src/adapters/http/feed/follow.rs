//! The feed as an endless stream: `text/event-stream` (WHATWG HTML, section 9.2) or one JSON object a line.
//!
//! The reader pulls: a piece of the log is read when the connection has room for it and not before, so a slow
//! reader costs one piece. The timeout of the socket closes a connection whose reader stops
//! (`server/timed_socket.rs`).

use crate::feed::event_body::EventBody;
use crate::limits::{FOLLOW_EVENTS_MAX, HEARTBEAT_MS};
use crate::node::Node;
use crate::request::caller::Caller;
use crate::response::hints::Endless;
use crate::response::problem::Problem;
use axum::Extension;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName};
use onhand_app::feed::{Feed, FeedPiece};
use onhand_app::stock::ReadError;
use onhand_telemetry::FEED_FOLLOWERS;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

/// Tells a proxy such as nginx not to buffer the answer.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The format of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Server-sent events: `id` is the sequence.
    Sse,
    /// A JSON object a line; an empty line is a heartbeat.
    Ndjson,
}

/// One follower's stream.
struct FeedStream {
    node: Arc<Node>,
    caller: Caller,
    feed: Feed,
    form: Form,
    heartbeat_at: Instant,
    greeting: Option<&'static str>,
    ended: bool,
    _place: OwnedSemaphorePermit,
}

/// The answer that goes on until the reader or the node ends it.
pub(crate) fn response(node: Arc<Node>, caller: Caller, feed: Feed, form: Form) -> Result<Response, Problem> {
    let place = node.follower_place()?;
    metrics::gauge!(FEED_FOLLOWERS).increment(1.0);
    let follower = FeedStream {
        node,
        caller,
        feed,
        form,
        heartbeat_at: next_heartbeat(),
        greeting: form.greeting(),
        ended: false,
        _place: place,
    };
    let stream = futures_util::stream::unfold(follower, |mut follower| async {
        let chunk = follower.next().await.transpose()?;
        follower.ended = chunk.is_err();
        follower.heartbeat_at = next_heartbeat();
        Some((chunk, follower))
    });
    let headers = [(CONTENT_TYPE, form.media_type()), (X_ACCEL_BUFFERING, "no")];
    Ok((headers, Extension(Endless), Body::from_stream(stream)).into_response())
}

fn next_heartbeat() -> Instant {
    Instant::now() + Duration::from_millis(HEARTBEAT_MS)
}

impl FeedStream {
    /// The next bytes, never empty; `None` when the stream ends.
    async fn next(&mut self) -> Result<Option<Bytes>, ReadError> {
        if self.ended {
            return Ok(None);
        }
        if let Some(greeting) = self.greeting.take() {
            return Ok(Some(Bytes::from_static(greeting.as_bytes())));
        }
        let shutdown = self.node.shutdown.clone();
        loop {
            if !self.caller.goes_on(&self.node.ledger).await {
                return Ok(None);
            }
            let Some(read) = shutdown.run_until_cancelled(self.feed.next(FOLLOW_EVENTS_MAX)).await else {
                return Ok(None);
            };
            let piece = read.inspect_err(|error| tracing::error!(%error, "a feed cannot be read on"))?;
            if !piece.events.is_empty() {
                return Ok(Some(self.write(&piece)));
            }
            if Instant::now() >= self.heartbeat_at {
                return Ok(Some(self.form.heartbeat()));
            }
            if piece.through < piece.end {
                // The filter has skipped many events: read on.
                continue;
            }
            tokio::select! {
                () = shutdown.cancelled() => return Ok(None),
                () = self.feed.more() => {}
                () = tokio::time::sleep_until(self.heartbeat_at) => return Ok(Some(self.form.heartbeat())),
            }
        }
    }

    fn write(&self, piece: &FeedPiece) -> Bytes {
        const INFALLIBLE: &str = "plain structs with string keys always serialise into memory";
        let mut out = Vec::with_capacity(512 * piece.events.len());
        for event in &piece.events {
            let body = EventBody::of(self.node.id, event);
            if self.form == Form::Sse {
                write!(out, "id: {}\ndata: ", body.sequence()).expect(INFALLIBLE);
            }
            serde_json::to_writer(&mut out, &body).expect(INFALLIBLE);
            out.extend_from_slice(self.form.end_of_event());
        }
        Bytes::from(out)
    }
}

impl Drop for FeedStream {
    fn drop(&mut self) {
        metrics::gauge!(FEED_FOLLOWERS).decrement(1.0);
    }
}

impl Form {
    /// The media type of [`Form::Sse`].
    pub(crate) const SSE_TYPE: &str = "text/event-stream";
    /// The media type of [`Form::Ndjson`].
    pub(crate) const NDJSON_TYPE: &str = "application/x-ndjson";

    const fn media_type(self) -> &'static str {
        match self {
            Self::Sse => Self::SSE_TYPE,
            Self::Ndjson => Self::NDJSON_TYPE,
        }
    }

    /// A browser reconnects after a second instead of its own default.
    const fn greeting(self) -> Option<&'static str> {
        match self {
            Self::Sse => Some("retry: 1000\n\n"),
            Self::Ndjson => None,
        }
    }

    const fn heartbeat(self) -> Bytes {
        Bytes::from_static(match self {
            Self::Sse => b": heartbeat\n\n",
            Self::Ndjson => b"\n",
        })
    }

    /// The JSON has no line feeds, so an event is one line of data.
    const fn end_of_event(self) -> &'static [u8] {
        match self {
            Self::Sse => b"\n\n",
            Self::Ndjson => b"\n",
        }
    }
}
