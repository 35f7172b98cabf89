//! `GET /roles`, `GET /mode`, `PUT /mode`.

use crate::edge::body::JsonBody;
use crate::node::Node;
use crate::request::context::RequestContext;
use crate::request::field_rules::version;
use crate::request::optional::present;
use crate::resource::change::{ChangeRequest, by_meaning, changed};
use crate::resource::read::shown;
use crate::response::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use onhand_domain::Command;
use onhand_domain::identity::{Mode, ModeCommand, Permission, Role, RoleScope};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::sync::Arc;
use validator::Validate;

#[derive(Debug, Serialize)]
struct RolesBody {
    items: Vec<RoleBody>,
}

#[derive(Debug, Serialize)]
struct RoleBody {
    role: Role,
    permissions: Vec<Permission>,
    /// What a grant of it must be limited to: `stores`, `team`, or nothing; `own` is limited by itself.
    scope: &'static str,
}

/// `{mode, expectedVersion?}`
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ModeBody {
    mode: Mode,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "version"))]
    expected_version: Option<u64>,
}

#[derive(Debug, Serialize)]
struct ModeShown {
    mode: Mode,
    version: u64,
}

/// `GET /roles`
pub(crate) async fn roles() -> Response {
    let body = |role: Role| RoleBody {
        role,
        permissions: role.permissions().iter().collect(),
        scope: match role.scope() {
            RoleScope::Anywhere => "anywhere",
            RoleScope::Stores => "stores",
            RoleScope::Team => "team",
            RoleScope::Own => "own",
        },
    };
    Json(RolesBody { items: Role::ALL.into_iter().map(body).collect() }).into_response()
}

/// `GET /mode`
pub(crate) async fn mode(State(node): State<Arc<Node>>, headers: HeaderMap) -> Result<Response, Problem> {
    let (mode, version) = node.ledger.mode_with_version().await?;
    Ok(shown(&headers, version, &ModeShown { mode, version }))
}

/// `PUT /mode`
pub(crate) async fn set(
    State(node): State<Arc<Node>>,
    context: RequestContext,
    JsonBody(body): JsonBody<ModeBody>,
) -> Result<Response, Problem> {
    let scope = SmolStr::new_static("mode");
    let change = ChangeRequest::new(context, body.expected_version, |key| by_meaning(key, scope, &body))?;
    let command = ModeCommand { expected: change.expected, mode: body.mode };
    let (outcome, event) = change.execute_one(&node, Command::Mode(command)).await?;
    let version = event.after.version();
    Ok(changed(&outcome, version, &ModeShown { mode: body.mode, version }, None))
}
