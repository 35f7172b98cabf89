//! `GET /`: JSON with links; a browser is led to the console.

use crate::request::accept;
use crate::response::vary::by_accept;
use axum::Json;
use axum::response::{IntoResponse, Redirect, Response};
use http::HeaderMap;
use serde::{Serialize, Serializer};

/// The links: name, and path from the root.
const LINKS: [(&str, &str); 12] = [
    ("console", "console"),
    ("docs", "docs"),
    ("openapi", "openapi.yaml"),
    ("guides", "docs/guide"),
    ("stores", "stores"),
    ("stock", "stock/current"),
    ("products", "products"),
    ("alerts", "alerts"),
    ("events", "events"),
    ("problems", "problems"),
    ("health", "health"),
    ("metrics", "metrics"),
];

/// Answer: `{name, version, links}`.
#[derive(Debug, Serialize)]
struct Home {
    name: &'static str,
    version: &'static str,
    #[serde(serialize_with = "links")]
    links: (),
}

/// Handler of `GET /`.
pub(crate) async fn home(headers: HeaderMap) -> Response {
    by_accept(if accept::wants_page(&headers) {
        // Relative: a browser replaces the last segment of `/api`, so it leads to the console there and at the root.
        Redirect::to("console").into_response()
    } else {
        Json(Home { name: "onhand", version: env!("CARGO_PKG_VERSION"), links: () }).into_response()
    })
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn links<S: Serializer>((): &(), serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(LINKS.iter().map(|(name, path)| (*name, format!("/{path}"))))
}
