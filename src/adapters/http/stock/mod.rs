//! Stock: levels and their changes.
//!
//! | file | content |
//! | --- | --- |
//! | `levels` | a level, the levels of a store, the history of a level |
//! | `commands` | the five commands of a level |
//! | `bodies`, `level_body` | the bodies of the commands; levels and movements as JSON and CSV |
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
pub(crate) mod sums;
pub(crate) mod till;

use crate::edge::endpoint::{get, post};
use crate::edge::route::Permission::Open;
use crate::node::Routes;
use crate::resource::list;

/// The routes of stock.
pub(crate) fn routes() -> Routes {
    vec![
        get(Open, "/stores/{storeId}/inventory", levels::levels).query(list::PARAMETERS),
        get(Open, "/stores/{storeId}/inventory/{sku}", levels::level).query(&["asOf"]).versioned(),
        get(Open, "/stores/{storeId}/inventory/{sku}/history", levels::history).query(levels::HISTORY),
        post(Open, "/stores/{storeId}/inventory/{sku}/adjust", commands::adjust),
        post(Open, "/stores/{storeId}/inventory/{sku}/reserve", commands::reserve),
        post(Open, "/stores/{storeId}/inventory/{sku}/release", commands::release),
        post(Open, "/stores/{storeId}/inventory/{sku}/commit", commands::commit),
        post(Open, "/stores/{storeId}/inventory/{sku}/count", commands::count),
        post(Open, "/stock/add", till::add),
        post(Open, "/stock/sale", till::sale),
        post(Open, "/stock/remove", till::remove),
        get(Open, "/stock/current", reports::current).query(reports::CURRENT),
        get(Open, "/stock/movements", reports::movements).query(reports::MOVEMENTS),
        get(Open, "/stock/movements/sums", sums::sums).query(sums::PARAMETERS),
        post(Open, "/inventory/batch", batch::batch).query(&["atomic"]).bulk(),
    ]
}
