//! What a request is about and how it wants to be taken: path, precondition, idempotency key, request id.

use crate::adapters::http::edge::layer::Arrived;
use crate::adapters::http::request::idempotency_key::idempotency_key;
use crate::adapters::http::request::precondition::Precondition;
use crate::adapters::http::request::prefer_wait::deadline;
use crate::adapters::http::response::problem::Problem;
use crate::domain::{ImportId, Sku, StoreId};
use crate::resilience::Deadline;
use axum::extract::FromRequestParts;
use http::request::Parts;
use smol_str::SmolStr;
use std::convert::Infallible;
use std::fmt;

/// `/stores/{storeId}/inventory/{sku}`.
#[derive(Debug)]
pub(crate) struct LevelAt {
    /// Where.
    pub store_id: StoreId,
    /// What.
    pub sku: Sku,
}

/// `/stores/{storeId}`.
#[derive(Debug)]
pub(crate) struct StoreAt(pub StoreId);

/// `/central/inventory/{sku}`.
#[derive(Debug)]
pub(crate) struct SkuAt(pub Sku);

/// `/dead-letters/{id}`; what no letter is called leads to none.
#[derive(Debug)]
pub(crate) struct LetterAt(pub String);

/// `/problems/{code}`.
#[derive(Debug)]
pub(crate) struct CodeAt(pub String);

/// `/docs/{file}`.
#[derive(Debug)]
pub(crate) struct FileAt(pub String);

/// `/docs/guide/{name}`.
#[derive(Debug)]
pub(crate) struct GuideAt(pub String);

/// `/imports/{importId}`.
#[derive(Debug)]
pub(crate) struct ImportAt(pub ImportId);

/// How a command wants to be taken.
#[derive(Debug)]
pub(crate) struct Intent {
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

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Ok(Self { store_id: read(parts, "storeId", StoreId::new)?, sku: read(parts, "sku", Sku::new)? })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for StoreAt {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        read(parts, "storeId", StoreId::new).map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SkuAt {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        read(parts, "sku", Sku::new).map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for LetterAt {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        word(parts, "id").map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for CodeAt {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        word(parts, "code").map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for FileAt {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        word(parts, "file").map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for GuideAt {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        word(parts, "name").map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ImportAt {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        read(parts, "importId", ImportId::new).map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Intent {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Ok(Self {
            precondition: Precondition::of(&parts.headers)?,
            key: idempotency_key(&parts.headers)?,
            request_id: parts.extensions.get::<Arrived>().map(|arrived| SmolStr::new(arrived.id.as_str())),
            deadline: deadline(&parts.headers),
        })
    }
}

/// Reads what the path has in place of `{name}`.
fn read<T, E: fmt::Display>(
    parts: &Parts,
    name: &'static str,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, Problem> {
    let arrived = parts.extensions.get::<Arrived>();
    let value = arrived.map_or(Some(""), |arrived| arrived.params.get(name));
    let value = value.ok_or_else(|| Problem::parameter(name, "must be percent-encoded UTF-8"))?;
    read(value).map_err(|error| Problem::parameter(name, error.to_string()))
}

/// The same for what is any text.
fn word(parts: &Parts, name: &'static str) -> Result<String, Problem> {
    read(parts, name, |text| Ok::<_, Infallible>(text.to_owned()))
}
