//! `GET /problems` and `GET /problems/{code}`: the pages that the `type` of a problem refers to, as JSON and as HTML.

use crate::request::accept;
use crate::request::path::CodeAt;
use crate::response::code::Code;
use crate::response::html;
use crate::response::problem::Problem;
use crate::response::vary::by_accept;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use serde::Serialize;

/// The description of one code.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Description {
    #[serde(rename = "type")]
    kind: String,
    code: &'static str,
    status: u16,
    title: &'static str,
    #[serde(rename = "description")]
    meaning: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
}

/// The descriptions of all codes.
#[derive(Debug, Serialize)]
pub(crate) struct Descriptions {
    items: Vec<Description>,
}

/// Handler of `GET /problems`.
pub(crate) async fn list(headers: HeaderMap) -> Response {
    let json = || Descriptions { items: Code::ALL.iter().copied().map(describe).collect() };
    answer(&headers, page_of_all, json)
}

/// Handler of `GET /problems/{code}`.
pub(crate) async fn one(CodeAt(slug): CodeAt, headers: HeaderMap) -> Result<Response, Problem> {
    let unknown = || Problem::new(Code::NotFound, "There is no such problem code; GET /problems lists them.");
    let code = Code::of_slug(&slug).ok_or_else(unknown)?;
    Ok(answer(&headers, || page_of(code), || describe(code)))
}

/// HTML for a browser, JSON for every other client.
fn answer<T: Serialize>(
    headers: &HeaderMap,
    page: impl FnOnce() -> Response,
    json: impl FnOnce() -> T,
) -> Response {
    by_accept(if accept::wants_page(headers) { page() } else { Json(json()).into_response() })
}

fn page_of_all() -> Response {
    let mut table = String::from("<table>\n");
    for code in Code::ALL {
        html::row(&mut table, &format!("problems/{}", code.slug()), code.slug(), code.title());
    }
    table.push_str("</table>\n");
    let body = format!(
        "<h1>Problems</h1>\n<p class=\"soft\">Every refusal has one of these codes, in <code>code</code> and at the end of \
         <code>type</code>. All routes: <a href=\"docs\">documentation</a>.</p>\n{table}"
    );
    html::page("Problems \u{b7} Onhand", "", &body)
}

fn page_of(code: Code) -> Response {
    let after = code.retry_after_ms().map(|milliseconds| {
        format!("<p class=\"soft\">A retry makes sense after {milliseconds} ms, or after what <code>Retry-After</code> says.</p>\n")
    });
    let body = format!(
        "<p class=\"soft\"><a href=\"../problems\">Problems</a> \u{b7} <code>{slug}</code> \u{b7} {status}</p>\n<h1>{title}</h1>\n\
         <p>{meaning}</p>\n{after}",
        slug = html::escaped(code.slug()),
        status = code.status(),
        title = html::escaped(code.title()),
        meaning = html::prose(code.description()),
        after = after.unwrap_or_default(),
    );
    html::page(&format!("{} \u{b7} Onhand", code.title()), "../", &body)
}

fn describe(code: Code) -> Description {
    Description {
        kind: format!("/problems/{}", code.slug()),
        code: code.slug(),
        status: code.status().as_u16(),
        title: code.title(),
        meaning: code.description(),
        retry_after_ms: code.retry_after_ms(),
    }
}
