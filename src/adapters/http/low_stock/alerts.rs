//! `GET /alerts`: the levels that are low.

use crate::node::Node;
use crate::request::caller::Caller;
use crate::request::query::Query;
use crate::resource::list::{CURSOR, LIMIT, ListPage, level_mark, read_level_mark};
use crate::response::problem::Problem;
use axum::extract::State;
use axum::response::Response;
use http::Uri;
use onhand_app::low_stock::{AlertFilter, AlertView};
use onhand_domain::identity::Permission;
use onhand_domain::{Quantity, Sku, StoreId, Timestamp};
use serde::Serialize;
use std::sync::Arc;

/// The parameters of the list.
pub(crate) const PARAMETERS: &[&str] = &[LIMIT, CURSOR, STORE_ID, SKU];
const STORE_ID: &str = "storeId";
const SKU: &str = "sku";

/// The JSON of an alert that is raised.
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
pub(crate) async fn list(
    State(node): State<Arc<Node>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    let query = Query::of(uri.query());
    let store_id = query.read(STORE_ID, StoreId::new)?;
    let scope = caller.scope(Permission::StockRead, store_id.as_ref())?;
    let page = ListPage::of("alerts", &query, &uri)?.within(&scope);
    let filter = AlertFilter { store_id, sku: query.read(SKU, Sku::new)?, scope };
    let after = page.after(read_level_mark)?;
    let alerts = page.cut(node.ledger.alerts(&filter, after, page.rows_max()).await?);
    let skus: Vec<&Sku> = alerts.rows.iter().map(|alert| &alert.sku).collect();
    let names = node.ledger.product_names(&skus).await?;
    let pairs = alerts.rows.iter().zip(&names);
    let items: Vec<AlertShown> = pairs.map(|(alert, name)| AlertShown::of(alert, name.as_deref())).collect();
    Ok(page.answer(&items, alerts.next(|alert| level_mark(&alert.store_id, &alert.sku))))
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
