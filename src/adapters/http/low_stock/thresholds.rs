//! Low-stock thresholds of single stores.

use crate::edge::body::JsonBody;
use crate::node::Node;
use crate::request::context::RequestContext;
use crate::request::field_rules::{not_negative, version};
use crate::request::optional::present;
use crate::request::path::LevelAt;
use crate::resource::change::{ChangeRequest, answer, by_meaning, changed};
use crate::resource::read::shown;
use crate::response::code::Code;
use crate::response::problem::Problem;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use onhand_app::low_stock::ThresholdView;
use onhand_domain::low_stock::ThresholdCommand;
use onhand_domain::{Command, Fact, Quantity, Sku, StoreId, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::format_smolstr;
use std::sync::Arc;
use validator::Validate;

/// Request body: `{lowStockThreshold, expectedVersion?}`.
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ThresholdBody {
    #[validate(custom(function = "not_negative"))]
    low_stock_threshold: Quantity,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "version"))]
    expected_version: Option<u64>,
}

/// The JSON of a threshold.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ThresholdShown<'a> {
    store_id: &'a StoreId,
    sku: &'a Sku,
    low_stock_threshold: Quantity,
    version: u64,
    updated_at: Timestamp,
}

/// Handler of `GET /stores/{storeId}/inventory/{sku}/threshold`.
pub(crate) async fn threshold(
    State(node): State<Arc<Node>>,
    at: LevelAt,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let view = node.ledger.threshold(&at.store_id, &at.sku).await?;
    let view = view.ok_or_else(|| Problem::plain(Code::ThresholdNotFound))?;
    Ok(shown(&headers, view.version, &ThresholdShown::of(&at, &view)))
}

/// Handler of `PUT /stores/{storeId}/inventory/{sku}/threshold`.
pub(crate) async fn set(
    State(node): State<Arc<Node>>,
    at: LevelAt,
    context: RequestContext,
    JsonBody(body): JsonBody<ThresholdBody>,
) -> Result<Response, Problem> {
    let scope = format_smolstr!("set threshold {}/{}", at.store_id, at.sku);
    let change = ChangeRequest::new(context, body.expected_version, |key| by_meaning(key, scope, &body))?;
    let command = command(&at, &change, Some(body.low_stock_threshold));
    let (outcome, event) = change.execute_one(&node, command).await?;
    let Fact::Threshold(fact) = &event.fact else {
        return Err(Problem::plain(Code::Internal).because(&"an event that is of no threshold"));
    };
    let version = event.after.version();
    let view = ThresholdView {
        low_stock_threshold: fact.low_stock_threshold.unwrap_or_default(),
        version,
        updated_at: outcome.at,
    };
    Ok(changed(&outcome, version, &ThresholdShown::of(&at, &view), None))
}

/// Handler of `DELETE /stores/{storeId}/inventory/{sku}/threshold`.
pub(crate) async fn unset(
    State(node): State<Arc<Node>>,
    at: LevelAt,
    context: RequestContext,
) -> Result<Response, Problem> {
    let scope = format_smolstr!("unset threshold {}/{}", at.store_id, at.sku);
    let change = ChangeRequest::new(context, None, |key| by_meaning(key, scope, &()))?;
    let (outcome, _) = change.execute_one(&node, command(&at, &change, None)).await?;
    Ok(answer(&outcome, StatusCode::NO_CONTENT))
}

fn command(at: &LevelAt, change: &ChangeRequest, low_stock_threshold: Option<Quantity>) -> Command {
    let (store_id, sku) = (at.store_id.clone(), at.sku.clone());
    Command::Threshold(ThresholdCommand { store_id, sku, expected: change.expected, low_stock_threshold })
}

impl<'a> ThresholdShown<'a> {
    fn of(at: &'a LevelAt, view: &ThresholdView) -> Self {
        let ThresholdView { low_stock_threshold, version, updated_at } = *view;
        Self { store_id: &at.store_id, sku: &at.sku, low_stock_threshold, version, updated_at }
    }
}
