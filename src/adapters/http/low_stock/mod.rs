//! Low stock: the alerts (`alerts`), and the thresholds of single stores (`thresholds`).

pub(crate) mod alerts;
pub(crate) mod thresholds;

use crate::edge::endpoint::{delete, get, put};
use crate::edge::route::Permission::Open;
use crate::node::Routes;

/// The routes of low stock.
pub(crate) fn routes() -> Routes {
    vec![
        get(Open, "/stores/{storeId}/inventory/{sku}/threshold", thresholds::threshold).versioned(),
        put(Open, "/stores/{storeId}/inventory/{sku}/threshold", thresholds::set),
        delete(Open, "/stores/{storeId}/inventory/{sku}/threshold", thresholds::unset),
        get(Open, "/alerts", alerts::list).query(alerts::PARAMETERS),
    ]
}
