//! The console on its addresses: the page, its files, and the old name of a dashboard.

use crate::edge::endpoint::get;
use crate::edge::route::Need;
use crate::node::{Node, Routes};
use crate::request::path::ConsoleFileAt;
use crate::request::query::ANY;
use crate::response::code::Code;
use crate::response::etag::is_same;
use crate::response::problem::Problem;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, VARY,
};
use http::{HeaderMap, HeaderName, StatusCode};
use std::io;
use std::sync::Arc;

/// Nothing is loaded from elsewhere, nothing is inline, and no text becomes markup or a script.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
/// The address has a tag of the content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The routes of the console. Its page has as many addresses as the console has pages; which of them exist, the console knows.
pub(crate) fn routes() -> Routes {
    vec![
        get(Need::Public, "/console", start).query(ANY),
        get(Need::Public, "/console/{page}", page).query(ANY),
        get(Need::Public, "/console/static/{tag}/{path}", file),
        get(Need::Public, "/dashboard.html", start),
    ]
}

async fn start(State(node): State<Arc<Node>>) -> Result<Response, Problem> {
    shell(&node, "")
}

async fn page(State(node): State<Arc<Node>>) -> Result<Response, Problem> {
    shell(&node, "../")
}

fn shell(node: &Node, root: &str) -> Result<Response, Problem> {
    let page = node.console.page(root).map_err(|error| unreadable(&error))?;
    let headers: [(HeaderName, &str); 3] = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-cache"),
    ];
    Ok((headers, page).into_response())
}

async fn file(
    State(node): State<Arc<Node>>,
    ConsoleFileAt { tag, path }: ConsoleFileAt,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let file = if tag == node.console.tag() {
        node.console.file(&path).map_err(|error| unreadable(&error))?
    } else {
        None
    };
    let file = file.ok_or_else(|| {
        Problem::new(Code::NotFound, "This version of the console has no such file; open /console again.")
    })?;
    let cache = if node.console.is_edited() { "no-store" } else { FOR_EVER };
    // Images and styles run nothing; the policy is for a person who opens a file by itself.
    let shared: [(HeaderName, String); 4] = [
        (CACHE_CONTROL, cache.to_owned()),
        (CONTENT_SECURITY_POLICY, POLICY.to_owned()),
        (ETAG, format!("\"{tag}\"")),
        (VARY, "accept-encoding".to_owned()),
    ];
    if !node.console.is_edited() && is_same(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, shared).into_response());
    }
    let kind = [(CONTENT_TYPE, file.kind)];
    if takes_gzip(&headers) {
        let bytes = Bytes::from_owner(node.console.gzip(&path, &file));
        return Ok((shared, kind, [(CONTENT_ENCODING, "gzip")], Body::from(bytes)).into_response());
    }
    Ok((shared, kind, Body::from(file.content)).into_response())
}

/// True when `Accept-Encoding` names gzip, and does not refuse it.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.trim().parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_none_or(|weight| weight > 0.0)
    })
}

fn unreadable(error: &io::Error) -> Problem {
    Problem::plain(Code::Internal).because(error)
}
