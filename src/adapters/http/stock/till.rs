//! The calls of a till: goods received, sold, removed. Each is an `adjust` of a kind.

use crate::edge::body::JsonBody;
use crate::node::Node;
use crate::request::body;
use crate::request::context::RequestContext;
use crate::request::field_rules::{at_least_one, text, version};
use crate::request::optional::present;
use crate::request::path::LevelAt;
use crate::resource::change::{ChangeRequest, by_meaning};
use crate::response::problem::Problem;
use crate::stock::commands::execute;
use axum::extract::State;
use axum::response::Response;
use onhand_domain::stock::{AdjustKind, StockCommand, Verb};
use onhand_domain::{Command, Expected, Quantity, Sku, StoreId};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};
use std::sync::Arc;
use validator::Validate;

/// Request body: `{storeId, sku, quantity, expectedVersion?, reason?, reference?}`.
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Till {
    store_id: StoreId,
    sku: Sku,
    #[validate(custom(function = "at_least_one"))]
    quantity: Quantity,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "version"))]
    expected_version: Option<u64>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "text"))]
    reason: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "text"))]
    reference: Option<SmolStr>,
}

/// Handler of `POST /stock/add`.
pub(crate) async fn add(
    State(node): State<Arc<Node>>,
    context: RequestContext,
    JsonBody(till): JsonBody<Till>,
) -> Result<Response, Problem> {
    adjust_by(AdjustKind::StockIn, &node, context, till).await
}

/// Handler of `POST /stock/sale`.
pub(crate) async fn sale(
    State(node): State<Arc<Node>>,
    context: RequestContext,
    JsonBody(till): JsonBody<Till>,
) -> Result<Response, Problem> {
    adjust_by(AdjustKind::Sale, &node, context, till).await
}

/// Handler of `POST /stock/remove`.
pub(crate) async fn remove(
    State(node): State<Arc<Node>>,
    context: RequestContext,
    JsonBody(till): JsonBody<Till>,
) -> Result<Response, Problem> {
    adjust_by(AdjustKind::Removal, &node, context, till).await
}

async fn adjust_by(
    kind: AdjustKind,
    node: &Node,
    context: RequestContext,
    till: Till,
) -> Result<Response, Problem> {
    let at = LevelAt { store_id: till.store_id.clone(), sku: till.sku.clone() };
    let scope = format_smolstr!("{} {}/{}", kind.as_str(), at.store_id, at.sku);
    let change = ChangeRequest::new(context, till.expected_version, |key| by_meaning(key, scope, &till))?;
    execute(node, at, &change, verb(kind, till)).await
}

/// The command in a body.
pub(crate) fn command(kind: AdjustKind, bytes: &[u8]) -> Result<Command, Problem> {
    let till: Till = body::validated(body::parse(bytes, String::new)?, String::new)?;
    let (store_id, sku) = (till.store_id.clone(), till.sku.clone());
    let expected = Expected::Any;
    Ok(Command::Stock(StockCommand { store_id, sku, expected, verb: verb(kind, till) }))
}

fn verb(kind: AdjustKind, till: Till) -> Verb {
    Verb::AdjustBy { kind, quantity: till.quantity, reason: till.reason, reference: till.reference }
}
