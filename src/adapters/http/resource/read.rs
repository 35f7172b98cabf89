//! A read of one resource that has a version.

use crate::response::etag::{etag, is_known};
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::ETAG;
use http::{HeaderMap, StatusCode};
use serde::Serialize;

/// The resource with its entity tag, or 304 when the caller has that version.
pub(crate) fn shown(headers: &HeaderMap, version: u64, body: &impl Serialize) -> Response {
    let tag = [(ETAG, etag(version))];
    if is_known(headers, version) {
        return (StatusCode::NOT_MODIFIED, tag).into_response();
    }
    (tag, Json(body)).into_response()
}
