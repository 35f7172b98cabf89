//! Low stock: alerts, and the thresholds of single stores (`alerts`).

pub(crate) mod alerts;

use crate::adapters::http::edge::endpoint::{delete, get, put};
use crate::adapters::http::edge::route::Permission::Open;
use crate::adapters::http::node::Routes;

/// The routes of low stock.
pub(crate) fn routes() -> Routes {
    vec![
        get(Open, "/stores/{storeId}/inventory/{sku}/threshold", alerts::threshold).versioned(),
        put(Open, "/stores/{storeId}/inventory/{sku}/threshold", alerts::set),
        delete(Open, "/stores/{storeId}/inventory/{sku}/threshold", alerts::unset),
        get(Open, "/alerts", alerts::list).query(alerts::PARAMETERS),
    ]
}
