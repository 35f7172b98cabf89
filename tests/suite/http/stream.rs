//! Streams of the feed, read event by event.

use super::{Scratch, contract, request};
use axum::body::Body;
use http::Method;
use http_body_util::BodyExt;
use serde_json::Value;

pub(super) const SSE: &str = "text/event-stream";
pub(super) const NDJSON: &str = "application/x-ndjson";

/// A stream of the feed being read.
pub(super) struct Stream {
    sse: bool,
    body: Body,
    text: String,
}

impl Stream {
    /// What the server sends next, in one piece; nothing at the end.
    pub(super) async fn piece(&mut self) -> Option<String> {
        let frame = self.body.frame().await?.unwrap();
        Some(String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap())
    }

    /// The next event, held against its schema; nothing at the end of the stream.
    pub(super) async fn event(&mut self) -> Option<Value> {
        loop {
            let end = if self.sse { "\n\n" } else { "\n" };
            while let Some((first, rest)) = self.text.split_once(end) {
                let (first, rest) = (first.to_owned(), rest.to_owned());
                self.text = rest;
                let id = first.strip_prefix("id: ").and_then(|rest| rest.split_once("\ndata: "));
                let (id, data) = match id {
                    Some((id, data)) if self.sse => (Some(id), data),
                    None if self.sse || first.is_empty() => continue,
                    _ => (None, first.as_str()),
                };
                let event: Value = serde_json::from_str(data).unwrap();
                let sequence = if event["levels"].is_array() {
                    contract::is_latest_levels(&event);
                    &event["through"]
                } else {
                    contract::is_event(&event);
                    &event["sequence"]
                };
                assert!(id.is_none_or(|id| id.parse().ok() == sequence.as_u64()), "{first}");
                return Some(event);
            }
            let piece = self.piece().await?;
            self.text.push_str(&piece);
        }
    }
}

impl Scratch {
    /// Opens a stream; what comes is read piece by piece.
    pub(super) async fn follow(&self, path: &str, form: &str, headers: &[(&str, &str)]) -> Stream {
        let headers: Vec<_> = [("accept", form)].iter().chain(headers).copied().collect();
        let response = self.edge.handle(request(Method::GET, path, &headers, Body::empty())).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], form);
        Stream { sse: form == SSE, body: response.into_body(), text: String::new() }
    }
}
