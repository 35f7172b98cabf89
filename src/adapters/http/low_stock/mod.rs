//! Low stock: the alerts (`alerts`), and the thresholds of single stores (`thresholds`).

pub(crate) mod alerts;
pub(crate) mod thresholds;

use crate::adapters::http::edge::endpoint::{delete, get, put};
use crate::adapters::http::edge::route::Permission::Open;
use crate::adapters::http::node::Routes;

/// The routes of low stock.
pub(crate) fn routes() -> Routes {
    vec![
        get(Open, "/stores/{storeId}/inventory/{sku}/threshold", thresholds::threshold).versioned(),
        put(Open, "/stores/{storeId}/inventory/{sku}/threshold", thresholds::set),
        delete(Open, "/stores/{storeId}/inventory/{sku}/threshold", thresholds::unset),
        get(Open, "/alerts", alerts::list).query(alerts::PARAMETERS),
    ]
}
