//! What a request is about and how it wants to be taken: path, precondition, idempotency key, request id.

use super::idempotency_key::idempotency_key;
use super::patience::deadline;
use super::precondition::Precondition;
use super::problem::Problem;
use super::request_id::RequestId;
use crate::domain::{IdError, ImportId, Sku, StoreId};
use crate::resilience::Deadline;
use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use smol_str::SmolStr;

/// `/stores/{storeId}/inventory/{sku}`.
#[derive(Debug)]
pub(super) struct LevelAt {
    /// Where.
    pub store_id: StoreId,
    /// What.
    pub sku: Sku,
}

/// `/stores/{storeId}`.
#[derive(Debug)]
pub(super) struct StoreAt(pub StoreId);

/// `/central/inventory/{sku}`.
#[derive(Debug)]
pub(super) struct SkuAt(pub Sku);

/// `/dead-letters/{id}`; what no letter is called leads to none.
#[derive(Debug)]
pub(super) struct LetterAt(pub String);

/// `/imports/{importId}`.
#[derive(Debug)]
pub(super) struct ImportAt(pub ImportId);

/// How a command wants to be taken.
#[derive(Debug)]
pub(super) struct Intent {
    /// What `If-Match` asks for.
    pub precondition: Precondition,
    /// The caller's name for it.
    pub key: Option<SmolStr>,
    /// The request.
    pub request_id: Option<SmolStr>,
    /// How long its caller waits.
    pub deadline: Deadline,
}

impl<S: Send + Sync> FromRequestParts<S> for LevelAt {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = path(parts, state).await?;
        Ok(Self { store_id: read(&params, "storeId", StoreId::new)?, sku: read(&params, "sku", Sku::new)? })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for StoreAt {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        read(&path(parts, state).await?, "storeId", StoreId::new).map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SkuAt {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        read(&path(parts, state).await?, "sku", Sku::new).map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for LetterAt {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        read(&path(parts, state).await?, "id", |text| Ok(Self(text.to_owned())))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ImportAt {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        read(&path(parts, state).await?, "importId", ImportId::new).map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Intent {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Ok(Self {
            precondition: Precondition::of(&parts.headers)?,
            key: idempotency_key(&parts.headers)?,
            request_id: parts.extensions.get::<RequestId>().map(|id| SmolStr::new(id.as_str())),
            deadline: deadline(&parts.headers),
        })
    }
}

async fn path<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<RawPathParams, Problem> {
    let read = RawPathParams::from_request_parts(parts, state).await;
    read.map_err(|_| Problem::parameter("path", "must be percent-encoded UTF-8"))
}

fn read<T>(
    params: &RawPathParams,
    name: &'static str,
    read: impl FnOnce(&str) -> Result<T, IdError>,
) -> Result<T, Problem> {
    let (_, value) = params.iter().find(|(known, _)| *known == name).unwrap_or((name, ""));
    read(value).map_err(|error| Problem::parameter(name, error.to_string()))
}
