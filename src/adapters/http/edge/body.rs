//! Bodies are read here: within the bounds of their route, and with the request's place at its gate.
//!
//! The order is part of the contract: media type, turn (for a large body), size and time, place, shape, values.

use crate::edge::admission::Admission;
use crate::request::body;
use crate::response::problem::Problem;
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::HeaderMap;
use serde::de::DeserializeOwned;
use std::mem;
use std::sync::Arc;
use validator::Validate;

/// The JSON body of a command, of the right shape and valid.
#[derive(Debug)]
pub(crate) struct JsonBody<T>(pub(crate) T);

/// The same for a JSON merge patch (RFC 7396).
#[derive(Debug)]
pub(crate) struct MergePatch<T>(pub(crate) T);

/// A body that its handler reads after checks of its own.
#[derive(Debug)]
pub(crate) struct UnreadBody {
    headers: HeaderMap,
    body: Body,
    admission: Arc<Admission>,
}

impl UnreadBody {
    fn of(request: Request) -> Result<Self, Problem> {
        let (head, body) = request.into_parts();
        Ok(Self { admission: Admission::of(&head.extensions)?, headers: head.headers, body })
    }

    /// The media type of the body, which is one of `known`; 415 for anything else.
    pub(crate) fn media_type(&self, known: &[&'static str]) -> Result<&'static str, Problem> {
        body::media_type(&self.headers, known)
    }

    /// Reads the whole body; a second call returns nothing.
    pub(crate) async fn read(&mut self) -> Result<Bytes, Problem> {
        self.admission.turn().await?;
        let body = mem::take(&mut self.body);
        let bytes = body::read(body, &self.headers, self.admission.body_bytes_max()).await?;
        self.admission.enter()?;
        Ok(bytes)
    }

    async fn json<T: DeserializeOwned + Validate>(mut self, known: &[&'static str]) -> Result<T, Problem> {
        self.media_type(known)?;
        let bytes = self.read().await?;
        let value: T = body::parse(&bytes, String::new)?;
        body::validated(value, String::new)
    }
}

impl<S: Send + Sync> FromRequest<S> for UnreadBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        Self::of(request)
    }
}

impl<T: DeserializeOwned + Validate, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        UnreadBody::of(request)?.json(&["application/json"]).await.map(Self)
    }
}

impl<T: DeserializeOwned + Validate, S: Send + Sync> FromRequest<S> for MergePatch<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        UnreadBody::of(request)?.json(&["application/merge-patch+json", "application/json"]).await.map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::gates::{Gate, GateEntry, Gates};
    use crate::limits::COMMAND_BODY_BYTES_MAX;
    use crate::response::code::Code;
    use onhand_config::GateSettings;

    #[derive(Debug, serde::Deserialize, Validate)]
    struct Pieces {
        #[validate(range(min = 1))]
        pieces: u64,
    }

    fn gates(places: usize) -> Arc<Gates> {
        Arc::new(Gates::new(
            &GateSettings { concurrency: places, queue_max: 0, rate: None, role_rates: vec![] },
            0,
        ))
    }

    async fn read(gates: &Arc<Gates>, kind: &str, body: &str) -> (Arc<Admission>, Result<u64, Code>) {
        let admission = Arc::new(Admission::new(Arc::clone(gates), GateEntry::Later(Gate::Writes), None));
        let request = Request::builder().header("content-type", kind).extension(Arc::clone(&admission));
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let read = JsonBody::<Pieces>::from_request(request, &()).await;
        (admission, read.map(|JsonBody(body)| body.pieces).map_err(|problem| problem.code()))
    }

    #[tokio::test]
    async fn a_body_is_refused_in_one_order() {
        let (json, long) = ("application/json", " ".repeat(COMMAND_BODY_BYTES_MAX + 1));
        for (places, kind, body, outcome) in [
            (0, "text/plain", long.as_str(), Err(Code::UnsupportedMediaType)),
            (0, json, &long, Err(Code::BodyTooLarge)),
            (0, json, "[]", Err(Code::Overloaded)),
            (1, json, "[]", Err(Code::InvalidRequest)),
            (1, json, r#"{"pieces":0}"#, Err(Code::InvalidRequest)),
            (1, json, r#"{"pieces":7}"#, Ok(7)),
        ] {
            assert_eq!(read(&gates(places), kind, body).await.1, outcome, "{places} {kind} {outcome:?}");
        }
    }

    #[tokio::test]
    async fn a_request_holds_its_place_as_long_as_its_admission() {
        let gates = gates(1);
        let (admission, body) = read(&gates, "application/json", r#"{"pieces":7}"#).await;
        assert_eq!(body, Ok(7));
        assert!(gates.enter(Gate::Writes).is_err());
        drop(admission);
        assert!(gates.enter(Gate::Writes).is_ok());
    }
}
