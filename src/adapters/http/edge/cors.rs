//! What a browser has to be told before it lets a page of another origin ask, and read the answer (WHATWG Fetch, section 3.2).
//!
//! Only origins of `CORS_ORIGINS` get here, each by its own name, and never with credentials.

use axum::response::{IntoResponse, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

/// What a page may send besides what it may send anyway.
const REQUEST_HEADERS: &str = "content-type, idempotency-key, if-match, if-none-match, last-event-id, prefer, traceparent, \
     x-request-id";
/// What a page may read besides what it may read anyway.
const ANSWER_HEADERS: &str =
    "etag, idempotency-replayed, link, location, ratelimit, ratelimit-policy, retry-after, x-request-id";
/// For how long a browser need not ask again, in seconds.
const MAX_AGE: &str = "600";

/// True when a browser asks what a page may send.
pub(crate) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to that: these methods.
pub(crate) fn permit(methods: &str) -> Response {
    let headers = [
        (ACCESS_CONTROL_ALLOW_METHODS, methods),
        (ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS),
        (ACCESS_CONTROL_MAX_AGE, MAX_AGE),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// Lets the page that asked read the answer, if it is of a known origin.
pub(crate) fn sign(headers: &mut HeaderMap, origin: Option<&HeaderValue>) {
    // For caches, also when it is of none.
    headers.append(VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(ANSWER_HEADERS));
    }
}
