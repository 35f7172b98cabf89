//! Low stock: the alerts (`alerts`), and the thresholds of single stores (`thresholds`).

pub(crate) mod alerts;
pub(crate) mod thresholds;

use crate::edge::endpoint::{delete, get, put};
use crate::edge::route::Need;
use crate::node::Routes;
use onhand_domain::identity::Permission;

/// The routes of low stock.
pub(crate) fn routes() -> Routes {
    vec![
        get(
            Need::InStore(Permission::StockRead),
            "/stores/{storeId}/inventory/{sku}/threshold",
            thresholds::threshold,
        )
        .versioned(),
        put(
            Need::InStore(Permission::StockThreshold),
            "/stores/{storeId}/inventory/{sku}/threshold",
            thresholds::set,
        ),
        delete(
            Need::InStore(Permission::StockThreshold),
            "/stores/{storeId}/inventory/{sku}/threshold",
            thresholds::unset,
        ),
        get(Need::Somewhere(Permission::StockRead), "/alerts", alerts::list)
            .query(alerts::PARAMETERS)
            .sequenced(),
    ]
}
