//! Low stock: which levels are low, and thresholds that one store has for itself.

use crate::adapters::http::edge::body::JsonBody;
use crate::adapters::http::node::Node;
use crate::adapters::http::request::field_rules::{not_negative, version};
use crate::adapters::http::request::optional::present;
use crate::adapters::http::request::path::{Intent, LevelAt};
use crate::adapters::http::request::query::Query;
use crate::adapters::http::resource::change::{Wish, changed, shown};
use crate::adapters::http::resource::list;
use crate::adapters::http::resource::list::Page;
use crate::adapters::http::response::code::Code;
use crate::adapters::http::response::problem::Problem;
use crate::adapters::http::response::replayed::mark_replayed;
use crate::app::low_stock::{AlertFilter, AlertView, ThresholdView};
use crate::domain::low_stock::ThresholdCommand;
use crate::domain::{Command, Fact, Quantity, Sku, StoreId, Timestamp};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Uri};
use serde::{Deserialize, Serialize};
use smol_str::format_smolstr;
use std::sync::Arc;
use validator::Validate;

/// The parameters of the list.
pub(crate) const PARAMETERS: &[&str] = &[list::LIMIT, list::CURSOR, STORE_ID, SKU];
const STORE_ID: &str = "storeId";
const SKU: &str = "sku";

/// `{lowStockThreshold, expectedVersion?}`
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ThresholdBody {
    #[validate(custom(function = "not_negative"))]
    low_stock_threshold: Quantity,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "version"))]
    expected_version: Option<u64>,
}

/// A threshold as it is answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ThresholdShown<'a> {
    store_id: &'a StoreId,
    sku: &'a Sku,
    low_stock_threshold: Quantity,
    version: u64,
    updated_at: Timestamp,
}

/// An alert that is raised.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AlertShown<'a> {
    store_id: &'a StoreId,
    sku: &'a Sku,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    qty: Quantity,
    threshold: Quantity,
    version: u64,
    raised_at: Timestamp,
}

/// `GET /alerts`
pub(crate) async fn list(State(node): State<Arc<Node>>, uri: Uri) -> Result<Response, Problem> {
    const LIST: &str = "alerts";
    let query = Query::of(uri.query());
    let page = Page::of(&query, LIST)?;
    let filter =
        AlertFilter { store_id: query.read(STORE_ID, StoreId::new)?, sku: query.read(SKU, Sku::new)? };
    let after = page.after_as(|mark| {
        let (store, sku) = mark.split_once('/')?;
        Some((StoreId::new(store).ok()?, Sku::new(sku).ok()?))
    })?;
    let mut alerts = node.ledger.alerts(&filter, after, page.limit + 1).await?;
    let more = alerts.len() > page.limit;
    alerts.truncate(page.limit);
    let skus: Vec<&Sku> = alerts.iter().map(|alert| &alert.sku).collect();
    let names = node.ledger.product_names(&skus).await?;
    let called = alerts.iter().zip(&names);
    let items: Vec<AlertShown> = called.map(|(alert, name)| AlertShown::of(alert, name.as_deref())).collect();
    let last = alerts.last().filter(|_| more).map(|alert| format!("{}/{}", alert.store_id, alert.sku));
    Ok(list::answer(&items, last.as_ref().map(|mark| mark as _), LIST, &uri))
}

/// `GET /stores/{storeId}/inventory/{sku}/threshold`
pub(crate) async fn threshold(
    State(node): State<Arc<Node>>,
    at: LevelAt,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let view = node.ledger.threshold(&at.store_id, &at.sku).await?;
    let view = view.ok_or_else(|| Problem::plain(Code::ThresholdNotFound))?;
    Ok(shown(&headers, view.version, &ThresholdShown::of(&at, &view)))
}

/// `PUT /stores/{storeId}/inventory/{sku}/threshold`
pub(crate) async fn set(
    State(node): State<Arc<Node>>,
    at: LevelAt,
    intent: Intent,
    JsonBody(body): JsonBody<ThresholdBody>,
) -> Result<Response, Problem> {
    let scope = format_smolstr!("set threshold {}/{}", at.store_id, at.sku);
    let wish = Wish::new(intent, scope, body.expected_version, &body)?;
    let low_stock_threshold = Some(body.low_stock_threshold);
    let LevelAt { store_id, sku } = &at;
    let (store_id, sku) = (store_id.clone(), sku.clone());
    let command = ThresholdCommand { store_id, sku, expected: wish.expected, low_stock_threshold };
    let (outcome, event) = wish.execute(&node, Command::Threshold(command)).await?;
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

/// `DELETE /stores/{storeId}/inventory/{sku}/threshold`
pub(crate) async fn unset(
    State(node): State<Arc<Node>>,
    at: LevelAt,
    intent: Intent,
) -> Result<Response, Problem> {
    let LevelAt { store_id, sku } = at;
    let wish = Wish::new(intent, format_smolstr!("unset threshold {store_id}/{sku}"), None, &())?;
    let command = ThresholdCommand { store_id, sku, expected: wish.expected, low_stock_threshold: None };
    let (outcome, _) = wish.execute(&node, Command::Threshold(command)).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if outcome.replayed {
        mark_replayed(&mut response);
    }
    Ok(response)
}

impl<'a> ThresholdShown<'a> {
    fn of(at: &'a LevelAt, view: &ThresholdView) -> Self {
        let ThresholdView { low_stock_threshold, version, updated_at } = *view;
        Self { store_id: &at.store_id, sku: &at.sku, low_stock_threshold, version, updated_at }
    }
}

impl<'a> AlertShown<'a> {
    fn of(alert: &'a AlertView, name: Option<&'a str>) -> Self {
        let AlertView { store_id, sku, raised, version, raised_at } = alert;
        Self {
            store_id,
            sku,
            name,
            qty: raised.qty,
            threshold: raised.threshold,
            version: *version,
            raised_at: *raised_at,
        }
    }
}
