//! `GET /openapi.yaml`: the contract, for programs.

use axum::response::IntoResponse;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

/// The contract, as it stands at the top of the project.
pub const OPENAPI_YAML: &str = include_str!("../../../../openapi.yaml");

/// Handler of `GET /openapi.yaml`.
pub(crate) async fn openapi() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/yaml"), (CACHE_CONTROL, "no-cache")], OPENAPI_YAML)
}
