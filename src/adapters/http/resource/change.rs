//! A change of a resource: condition, idempotency and deadline on the way in; entity tag, address and replay mark on the way
//! out.

use crate::node::Node;
use crate::request::body::off_thread;
use crate::request::caller::Caller;
use crate::request::context::RequestContext;
use crate::response::code::Code;
use crate::response::etag::etag;
use crate::response::problem::Problem;
use crate::response::replayed::mark_replayed;
use axum::Json;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{ETAG, LOCATION};
use http::{HeaderValue, StatusCode};
use onhand_app::{Meta, Outcome, fingerprint};
use onhand_domain::identity::Denied;
use onhand_domain::{Command, Event, Expected, Idempotency};
use onhand_planted::{Bug, planted};
use onhand_resilience::Deadline;
use serde::Serialize;
use smol_str::SmolStr;

/// A change on its way to the ledger, without the command.
#[derive(Debug)]
pub(crate) struct ChangeRequest {
    /// The version it is conditional on.
    pub(crate) expected: Expected,
    caller: Caller,
    meta: Meta,
    deadline: Deadline,
}

impl ChangeRequest {
    /// A change of one thing. `expected_version` is that of the body; `retry` makes the identity of a request with a key.
    pub(crate) fn new(
        context: RequestContext,
        expected_version: Option<u64>,
        retry: impl FnOnce(SmolStr) -> Idempotency,
    ) -> Result<Self, Problem> {
        let expected = context.precondition.and_body(expected_version)?.into();
        Ok(Self::of(context, expected, retry))
    }

    /// Many changes in one large body, and the command that `read` makes of it. A large body is read on a blocking thread.
    pub(crate) async fn of_bulk<C: Send + 'static>(
        context: RequestContext,
        body: Bytes,
        read: impl FnOnce(&Bytes) -> Result<C, Problem> + Send + 'static,
        retry: impl FnOnce(SmolStr, &C, &Bytes) -> Idempotency + Send + 'static,
    ) -> Result<(Self, C), Problem> {
        let length = body.len();
        let prepare = move || {
            let command = read(&body)?;
            let change = Self::of(context, Expected::Any, |key| retry(key, &command, &body));
            Ok((change, command))
        };
        off_thread(length, prepare).await
    }

    fn of(
        mut context: RequestContext,
        expected: Expected,
        retry: impl FnOnce(SmolStr) -> Idempotency,
    ) -> Self {
        let (idempotency, deadline) = (context.key.take().map(retry), context.deadline);
        let caller = context.caller.clone();
        Self { expected, caller, meta: context.meta(idempotency), deadline }
    }

    /// The identity by which the ledger recognises a retry, if the caller sent a key.
    pub(crate) fn idempotency(&self) -> Option<&Idempotency> {
        self.meta.idempotency.as_ref()
    }

    /// The caller.
    pub(crate) const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// What the ledger records of the request.
    pub(crate) const fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Has the command decided and made durable, if its caller may do what it does.
    pub(crate) async fn execute(&self, node: &Node, command: Command) -> Result<Outcome, Problem> {
        // The body may have taken its time: a revocation or another grant since then counts.
        if !node.goes_on(&self.caller).await {
            return Err(Problem::plain(Code::Unauthorized));
        }
        self.caller.check(|access| {
            let permitted = command.permit(access);
            let skips = |denied: &Denied| matches!(denied.part, Some(("operations", 1..)));
            if planted(Bug::SkipNeedInBatch) && permitted.as_ref().is_err_and(skips) {
                Ok(())
            } else {
                permitted
            }
        })?;
        node.execute(command, &self.meta, self.deadline).await
    }

    /// The same for a command of one event, which is the last one.
    pub(crate) async fn execute_one(
        &self,
        node: &Node,
        command: Command,
    ) -> Result<(Outcome, Event), Problem> {
        let mut outcome = self.execute(node, command).await?;
        let event = outcome.events.pop();
        let event =
            event.ok_or_else(|| Problem::plain(Code::Internal).because(&"a change without an event"))?;
        Ok((outcome, event))
    }
}

/// The identity of a request by the meaning of its body, whatever its spacing and order. `scope` names verb and thing.
pub(crate) fn by_meaning(key: SmolStr, scope: SmolStr, body: &impl Serialize) -> Idempotency {
    let written = serde_json::to_vec(body).expect("a body read from JSON can be written as JSON");
    by_bytes(key, scope, &written)
}

/// The identity of a request whose body must come again byte for byte.
pub(crate) fn by_bytes(key: SmolStr, scope: SmolStr, body: &[u8]) -> Idempotency {
    Idempotency { key, scope, fingerprint: fingerprint(body) }
}

/// The answer to a change.
pub(crate) fn answer(outcome: &Outcome, content: impl IntoResponse) -> Response {
    let mut response = content.into_response();
    if outcome.replayed {
        mark_replayed(&mut response);
    }
    response
}

/// The answer to a change of one resource: the resource. `created` is the address of one that did not exist before.
pub(crate) fn changed(
    outcome: &Outcome,
    version: u64,
    body: &impl Serialize,
    created: Option<&str>,
) -> Response {
    let status = if created.is_some() { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = (status, [(ETAG, etag(version))], Json(body)).into_response();
    if let Some(address) = created.and_then(|address| HeaderValue::try_from(address).ok()) {
        response.headers_mut().insert(LOCATION, address);
    }
    answer(outcome, response)
}
