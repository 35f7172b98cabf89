//! `GET /auth/me`: who the caller is, and what they may do.

use crate::identity::keeper::kept;
use crate::node::Node;
use crate::request::caller::Caller;
use crate::response::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use onhand_domain::identity::{Grant, Mode, Permission, PrincipalKind};
use serde::Serialize;
use std::sync::Arc;

/// `principalId` and `kind` of the caller as long as nobody has to log in.
const LOCAL: &str = "local";

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MeBody<'a> {
    principal_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    login: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<PrincipalKind>,
    grants: Vec<Grant>,
    /// What is granted anywhere, in the present mode.
    permissions: Vec<Permission>,
    mode: Mode,
}

/// `GET /auth/me`
pub(crate) async fn me(State(node): State<Arc<Node>>, caller: Caller) -> Result<Response, Problem> {
    let permissions = caller.access().anywhere().iter().collect();
    let mode = node.ledger.mode();
    let Some(authority) = caller.authority() else {
        let (principal_id, kind, grants) = (LOCAL, None, Vec::new());
        let body = MeBody { principal_id, login: None, name: None, kind, grants, permissions, mode };
        return Ok(Json(body).into_response());
    };
    let id = &authority.principal_id;
    let principal = node.ledger.principal(id).await?.and_then(|master| master.details);
    let of_central = || caller.central().map(|basis| basis.grants.clone());
    let grants = principal.map(|principal| principal.grants).or_else(of_central).unwrap_or_default();
    let (login, name) = match authority.kind {
        PrincipalKind::Person => kept(&node, id).await?.map(|kept| (kept.login, kept.name)).unzip(),
        PrincipalKind::Service | PrincipalKind::Node | PrincipalKind::Team => (None, None),
    };
    let (principal_id, kind, name) = (id.as_str(), Some(authority.kind), name.flatten());
    Ok(Json(MeBody { principal_id, login, name, kind, grants, permissions, mode }).into_response())
}
