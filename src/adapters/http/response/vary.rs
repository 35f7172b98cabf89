//! `Vary`: the request headers that an answer depends on.

use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::VARY;

/// The answer of a route that has several forms, of which `Accept` chooses one.
pub(crate) fn by_accept(content: impl IntoResponse) -> Response {
    let mut response = content.into_response();
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    response
}
