//! `GET /`: the entry page, as JSON with links and as HTML.

use crate::request::accept;
use crate::response::html;
use crate::response::vary::by_accept;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use serde::{Serialize, Serializer};

/// The links: name, path from the root, a sentence.
const LINKS: [(&str, &str, &str); 11] = [
    ("docs", "docs", "Every route, with a form to try it."),
    ("openapi", "openapi.yaml", "The same for programs: OpenAPI 3.1."),
    ("guides", "docs/guide", "Guides to follow along: first steps, sales, imports, several stores."),
    ("stores", "stores", "The stores; `/stores/{storeId}/inventory` has the levels of one."),
    ("stock", "stock/current", "The stock of all stores; with `Accept: text/csv` as a table."),
    ("products", "products", "The catalogue."),
    ("alerts", "alerts", "Levels that are low."),
    ("events", "events", "Every change, as pages or as a stream."),
    ("problems", "problems", "What each refusal means, and what to do."),
    ("health", "health", "Whether the node takes work."),
    ("metrics", "metrics", "Figures for Prometheus."),
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
    let response = if accept::wants_page(&headers) {
        page()
    } else {
        Json(Home { name: "onhand", version: env!("CARGO_PKG_VERSION"), links: () }).into_response()
    };
    by_accept(response)
}

fn page() -> Response {
    let mut table = String::from("<table>\n");
    for (_, path, about) in LINKS {
        // The links are relative: a browser replaces the last segment of `/api`, so they work there and at the root.
        html::row(&mut table, path, &format!("/{path}"), about);
    }
    table.push_str("</table>\n");
    let body = format!(
        "<h1>Onhand</h1>\n<p>A stock ledger for retail chains: it never sells what is not there, never loses a change it has \
         acknowledged, and can show why every number is what it is.</p>\n<p class=\"soft\">Version {}. This is a node; \
         <a href=\"docs\">its documentation</a> is the place to begin.</p>\n{table}",
        html::escaped(env!("CARGO_PKG_VERSION"))
    );
    html::page("Onhand", "", &body)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn links<S: Serializer>((): &(), serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(LINKS.iter().map(|(name, path, _)| (*name, format!("/{path}"))))
}
