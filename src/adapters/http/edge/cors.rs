//! CORS: the headers that let a page of another origin send requests and read the answers (WHATWG Fetch, section 3.2).
//!
//! Only origins in `CORS_ORIGINS` are allowed, each by name, and never with credentials.

use axum::response::{IntoResponse, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

/// The request headers that a page may send besides those that every page may.
const REQUEST_HEADERS: &str = "content-type, idempotency-key, if-match, if-none-match, last-event-id, prefer, traceparent, \
     x-request-id";
/// The response headers that a page may read besides those that every page may.
const ANSWER_HEADERS: &str = "etag, idempotency-replayed, link, location, onhand-sequence, ratelimit, ratelimit-policy, retry-after, x-request-id";
/// For how long a browser may cache a preflight, in seconds.
const MAX_AGE: &str = "600";

/// True for a preflight request.
pub(crate) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to a preflight: these methods are allowed.
pub(crate) fn permit(methods: &str) -> Response {
    let headers = [
        (ACCESS_CONTROL_ALLOW_METHODS, methods),
        (ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS),
        (ACCESS_CONTROL_MAX_AGE, MAX_AGE),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// Lets a page of this origin read the answer.
pub(crate) fn sign(headers: &mut HeaderMap, origin: Option<&HeaderValue>) {
    // Also without an origin: a cache must not give this answer to a page.
    headers.append(VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(ANSWER_HEADERS));
    }
}
