//! Stock: levels and their changes.
//!
//! | file | content |
//! | --- | --- |
//! | `levels` | a level, the levels of a store, the history of a level |
//! | `commands` | the five commands of a level |
//! | `bodies`, `level_body` | the bodies of the commands; levels and movements as JSON and CSV |
//! | `sellable` | a level as customers see it |
//! | `batch`, `operation` | many commands in one body |
//! | `till` | one call for each report of a till |
//! | `reports`, `sums`, `csv_table` | stock and movements of all stores, as JSON or CSV |

pub(crate) mod batch;
pub(crate) mod bodies;
pub(crate) mod commands;
pub(crate) mod csv_table;
pub(crate) mod level_body;
pub(crate) mod levels;
pub(crate) mod operation;
pub(crate) mod reports;
pub(crate) mod sellable;
pub(crate) mod sums;
pub(crate) mod till;

use crate::edge::endpoint::{get, post};
use crate::edge::route::Need;
use crate::node::Routes;
use crate::resource::list;
use onhand_domain::identity::Permission;
use onhand_domain::stock::AdjustKind;

/// The routes of stock.
pub(crate) fn routes() -> Routes {
    vec![
        get(Need::OrOwn(Permission::StockRead), "/stores/{storeId}/inventory", levels::levels)
            .query(list::PARAMETERS)
            .sequenced(),
        get(Need::OrOwn(Permission::StockRead), "/stores/{storeId}/inventory/{sku}", levels::level)
            .query(&["asOf"])
            .versioned(),
        get(
            Need::InStore(Permission::StockRead),
            "/stores/{storeId}/inventory/{sku}/history",
            levels::history,
        )
        .query(levels::HISTORY)
        .sequenced(),
        post(
            Need::InStore(Permission::StockAdjust),
            "/stores/{storeId}/inventory/{sku}/adjust",
            commands::adjust,
        ),
        post(
            Need::InStore(Permission::StockReserve),
            "/stores/{storeId}/inventory/{sku}/reserve",
            commands::reserve,
        ),
        post(
            Need::InStore(Permission::StockReserve),
            "/stores/{storeId}/inventory/{sku}/release",
            commands::release,
        ),
        post(
            Need::InStore(Permission::StockReserve),
            "/stores/{storeId}/inventory/{sku}/commit",
            commands::commit,
        ),
        post(
            Need::InStore(Permission::StockCount),
            "/stores/{storeId}/inventory/{sku}/count",
            commands::count,
        ),
        post(Need::Somewhere(Permission::StockReceive), "/stock/add", till::add)
            .explained(|bytes| till::command(AdjustKind::StockIn, bytes)),
        post(Need::Somewhere(Permission::StockSell), "/stock/sale", till::sale)
            .explained(|bytes| till::command(AdjustKind::Sale, bytes)),
        post(Need::Somewhere(Permission::StockRemove), "/stock/remove", till::remove)
            .explained(|bytes| till::command(AdjustKind::Removal, bytes)),
        get(Need::OrOwn(Permission::StockRead), "/stock/current", reports::current)
            .query(reports::CURRENT)
            .sequenced(),
        get(Need::Somewhere(Permission::StockRead), "/stock/movements", reports::movements)
            .query(reports::MOVEMENTS)
            .sequenced(),
        get(Need::Somewhere(Permission::StockRead), "/stock/movements/sums", sums::sums)
            .query(sums::PARAMETERS)
            .sequenced(),
        post(Need::Anyone, "/inventory/batch", batch::batch)
            .query(&["atomic"])
            .bulk()
            .explained(batch::command),
    ]
}
