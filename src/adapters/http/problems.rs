//! `GET /problems` and `GET /problems/{code}`: what the `type` of a problem leads to.

use super::code::Code;
use super::problem::Problem;
use super::target::CodeAt;
use axum::Json;
use serde::Serialize;

/// The description of one code.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Description {
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

/// All codes.
#[derive(Debug, Serialize)]
pub(super) struct Descriptions {
    items: Vec<Description>,
}

/// `GET /problems`.
pub(super) async fn list() -> Json<Descriptions> {
    Json(Descriptions { items: Code::ALL.iter().copied().map(describe).collect() })
}

/// `GET /problems/{code}`.
pub(super) async fn one(CodeAt(slug): CodeAt) -> Result<Json<Description>, Problem> {
    let unknown = || Problem::new(Code::NotFound, "There is no such problem code; GET /problems lists them.");
    Code::of_slug(&slug).map(|code| Json(describe(code))).ok_or_else(unknown)
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
