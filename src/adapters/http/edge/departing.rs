//! What is done with every answer on its way out: the headers of all, HEAD, a handler that panicked.

use crate::edge::route::Cache;
use crate::request::request_id::{RequestId, X_REQUEST_ID};
use crate::response::code::Code;
use crate::response::problem::Problem;
use axum::body::{Body, HttpBody};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue};
use onhand_telemetry::HTTP_PANICS;
use std::any::Any;

/// All changes up to this sequence of the log are included in a list.
pub(crate) const ONHAND_SEQUENCE: HeaderName = HeaderName::from_static("onhand-sequence");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The answer to HEAD: the answer to GET without its body, but with its length.
pub(crate) fn without_body(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact() {
        head.headers.entry(CONTENT_LENGTH).or_insert(length.into());
    }
    Response::from_parts(head, Body::empty())
}

pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Response {
    metrics::counter!(HTTP_PANICS).increment(1);
    let message = panic.downcast_ref::<&str>().copied();
    let message = message.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Problem::plain(Code::Internal).because(&message.unwrap_or("a panic without a message")).into_response()
}

pub(crate) fn sign(headers: &mut HeaderMap, id: &RequestId, cache: Cache) {
    headers.insert(X_REQUEST_ID, id.header_value());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static(cache.control()));
}
