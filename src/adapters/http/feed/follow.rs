//! The feed, or another table, as an endless stream: `text/event-stream` (WHATWG HTML, section 9.2) or one JSON object a line.
//!
//! The reader pulls: a piece of the log is read when the connection has room for it and not before, so a slow
//! reader costs one piece. The timeout of the socket closes a connection whose reader stops
//! (`server/timed_socket.rs`).

use crate::limits::{HEARTBEAT_MS, SESSION_CHECK_MS};
use crate::node::Node;
use crate::request::caller::Caller;
use crate::response::hints::{Endless, Noted};
use crate::response::problem::Problem;
use axum::Extension;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName};
use onhand_app::stock::ReadError;
use onhand_telemetry::FEED_FOLLOWERS;
use serde::Serialize;
use std::fmt::Display;
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

/// What is followed.
pub(crate) trait Followed: Send + 'static {
    /// Writes what is there, in pieces of a size of its own; false when the end is not reached yet.
    ///
    /// Cancel safe: a call that is dropped half-way skips nothing.
    fn next(&mut self, out: &mut Frames) -> impl Future<Output = Result<bool, ReadError>> + Send;

    /// Waits until there may be more.
    fn more(&mut self) -> impl Future<Output = ()> + Send;
}

/// Events on their way into one piece of the stream.
#[derive(Debug)]
pub(crate) struct Frames {
    form: Form,
    bytes: Vec<u8>,
}

/// One follower's stream.
struct FollowerStream<T> {
    node: Arc<Node>,
    caller: Caller,
    followed: T,
    form: Form,
    heartbeat_at: Instant,
    /// When the session of the caller is looked up again: another process may have ended it.
    session_at: Instant,
    greeting: Option<&'static str>,
    ended: bool,
    _place: OwnedSemaphorePermit,
}

/// The answer that goes on until the reader or the node ends it.
pub(crate) fn response<T: Followed>(
    node: Arc<Node>,
    caller: Caller,
    followed: T,
    form: Form,
) -> Result<Response, Problem> {
    let place = node.follower_place()?;
    metrics::gauge!(FEED_FOLLOWERS).increment(1.0);
    let reader = FollowerStream {
        node,
        caller,
        followed,
        form,
        // Where there is nothing to send yet, a heartbeat comes at once: some proxies hold the head back until they have a byte.
        heartbeat_at: Instant::now(),
        session_at: Instant::now() + Duration::from_millis(SESSION_CHECK_MS),
        greeting: form.greeting(),
        ended: false,
        _place: place,
    };
    let stream = futures_util::stream::unfold(reader, |mut reader| async {
        let chunk = reader.next().await.transpose()?;
        reader.ended = chunk.is_err();
        reader.heartbeat_at = next_heartbeat();
        Some((chunk, reader))
    });
    let headers = [(CONTENT_TYPE, form.media_type()), (X_ACCEL_BUFFERING, "no")];
    Ok((headers, Extension(Endless), Extension(Noted::EXPORT), Body::from_stream(stream)).into_response())
}

fn next_heartbeat() -> Instant {
    Instant::now() + Duration::from_millis(HEARTBEAT_MS)
}

impl<T: Followed> FollowerStream<T> {
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
            if !self.node.goes_on(&self.caller).await {
                return Ok(None);
            }
            if Instant::now() >= self.session_at {
                if !self.node.has_session(&self.caller).await {
                    return Ok(None);
                }
                self.session_at = Instant::now() + Duration::from_millis(SESSION_CHECK_MS);
            }
            let mut frames = Frames { form: self.form, bytes: Vec::new() };
            let Some(read) = shutdown.run_until_cancelled(self.followed.next(&mut frames)).await else {
                return Ok(None);
            };
            let at_end = read.inspect_err(|error| tracing::error!(%error, "a stream cannot be read on"))?;
            if !frames.bytes.is_empty() {
                return Ok(Some(Bytes::from(frames.bytes)));
            }
            if Instant::now() >= self.heartbeat_at {
                return Ok(Some(self.form.heartbeat()));
            }
            if !at_end {
                // The filter has skipped many events: read on.
                continue;
            }
            tokio::select! {
                () = shutdown.cancelled() => return Ok(None),
                () = self.followed.more() => {}
                () = tokio::time::sleep_until(self.session_at), if self.caller.session().is_some() => {}
                () = tokio::time::sleep_until(self.heartbeat_at) => return Ok(Some(self.form.heartbeat())),
            }
        }
    }
}

impl Frames {
    /// Writes one event under its id.
    pub(crate) fn event(&mut self, id: &dyn Display, body: &impl Serialize) {
        const INFALLIBLE: &str = "plain structs with string keys always serialise into memory";
        if self.form == Form::Sse {
            write!(self.bytes, "id: {id}\ndata: ").expect(INFALLIBLE);
        }
        serde_json::to_writer(&mut self.bytes, body).expect(INFALLIBLE);
        self.bytes.extend_from_slice(self.form.end_of_event());
    }
}

impl<T> Drop for FollowerStream<T> {
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
