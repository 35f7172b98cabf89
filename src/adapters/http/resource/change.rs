//! What products and stores have in common: a wish to describe one, and the answer to it.

use crate::adapters::http::node::Node;
use crate::adapters::http::request::path::Intent;
use crate::adapters::http::response::code::Code;
use crate::adapters::http::response::etag::{etag, is_known};
use crate::adapters::http::response::problem::Problem;
use crate::adapters::http::response::replayed::mark_replayed;
use crate::app::{Meta, Outcome, fingerprint};
use crate::domain::{Command, Event, Expected, Idempotency};
use crate::resilience::Deadline;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{ETAG, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use smol_str::SmolStr;

/// How something is to be described: all but what is said of it.
pub(crate) struct Wish {
    pub(crate) expected: Expected,
    meta: Meta,
    deadline: Deadline,
}

impl Wish {
    /// `scope` names verb and thing, `said` is the body by whose meaning a retry is known.
    pub(crate) fn new(
        intent: Intent,
        scope: SmolStr,
        expected_version: Option<u64>,
        said: &impl Serialize,
    ) -> Result<Self, Problem> {
        let expected = intent.precondition.and_body(expected_version)?.into();
        let idempotency = intent.key.map(|key| {
            let said = serde_json::to_vec(said).expect("a body read from JSON can be written as JSON");
            Idempotency { key, scope, fingerprint: fingerprint(&said) }
        });
        let meta = Meta { actor: None, request_id: intent.request_id, idempotency };
        Ok(Self { expected, meta, deadline: intent.deadline })
    }

    /// Has it done; answers the outcome and the event that did it.
    pub(crate) async fn execute(self, node: &Node, command: Command) -> Result<(Outcome, Event), Problem> {
        let mut outcome = node.execute(command, &self.meta, self.deadline).await?;
        let event = outcome.events.pop();
        let event =
            event.ok_or_else(|| Problem::plain(Code::Internal).because(&"a change without an event"))?;
        Ok((outcome, event))
    }
}

/// The answer to a change: what is there now. `place` is the address of what was not there before.
pub(crate) fn changed(
    outcome: &Outcome,
    version: u64,
    body: &impl Serialize,
    place: Option<&str>,
) -> Response {
    let status = if place.is_some() { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = (status, [(ETAG, etag(version))], Json(body)).into_response();
    if let Some(place) = place.and_then(|place| HeaderValue::try_from(place).ok()) {
        response.headers_mut().insert(LOCATION, place);
    }
    if outcome.replayed {
        mark_replayed(&mut response);
    }
    response
}

/// The answer to a read: what is there, unless the caller has that version.
pub(crate) fn shown(headers: &HeaderMap, version: u64, body: &impl Serialize) -> Response {
    let tag = [(ETAG, etag(version))];
    if is_known(headers, version) {
        return (StatusCode::NOT_MODIFIED, tag).into_response();
    }
    (tag, Json(body)).into_response()
}
