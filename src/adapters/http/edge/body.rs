//! Bodies are read here: within the bounds of their route, and with the request's place at its gate.
//!
//! The order is part of the contract: media type, turn (for a large body), size and time, place, shape, values.

use crate::adapters::http::edge::admission::Admission;
use crate::adapters::http::request::body;
use crate::adapters::http::response::problem::Problem;
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

/// The same for a change member by member (RFC 7396).
#[derive(Debug)]
pub(crate) struct MergePatch<T>(pub(crate) T);

/// A body that its handler reads once it has checked what comes before.
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

    /// Which of `known` it is; 415 for anything else.
    pub(crate) fn media_type(&self, known: &[&'static str]) -> Result<&'static str, Problem> {
        body::media_type(&self.headers, known)
    }

    /// Reads it to its end; a second time there is nothing.
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
