//! How the caller of a change wants it made: the values of its headers, and the identity of caller and request.

use crate::request::arrived::Arrived;
use crate::request::caller::Caller;
use crate::request::idempotency_key::idempotency_key;
use crate::request::precondition::Precondition;
use crate::request::prefer_wait::deadline;
use crate::response::problem::Problem;
use axum::extract::FromRequestParts;
use http::request::Parts;
use onhand_app::Meta;
use onhand_domain::Idempotency;
use onhand_resilience::Deadline;
use smol_str::SmolStr;

/// The context of one change.
#[derive(Debug)]
pub(crate) struct RequestContext {
    /// The condition of `If-Match`, if any.
    pub precondition: Precondition,
    /// The `Idempotency-Key` of the request, if any.
    pub key: Option<SmolStr>,
    /// How long the caller waits for the answer.
    pub deadline: Deadline,
    /// The principal that makes the request, and its access.
    pub caller: Caller,
    request_id: Option<SmolStr>,
}

impl RequestContext {
    /// Refuses `If-Match` where one version cannot be meant; `detail` gives the reason.
    pub(crate) fn unconditional(&self, detail: &'static str) -> Result<(), Problem> {
        match self.precondition {
            Precondition::None => Ok(()),
            Precondition::Exists | Precondition::Version(_) => Err(Problem::parameter("If-Match", detail)),
        }
    }

    /// What the ledger records of the request.
    pub(crate) fn meta(self, idempotency: Option<Idempotency>) -> Meta {
        Meta { actor: self.caller.actor(), request_id: self.request_id, idempotency }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestContext {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let arrived = parts.extensions.get::<Arrived>();
        Ok(Self {
            precondition: Precondition::of(&parts.headers)?,
            key: idempotency_key(&parts.headers)?,
            deadline: deadline(&parts.headers),
            caller: arrived.map(|arrived| arrived.caller.clone()).unwrap_or_default(),
            request_id: arrived.map(|arrived| SmolStr::new(arrived.id.as_str())),
        })
    }
}
