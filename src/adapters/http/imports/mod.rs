//! Bulk imports: their rows, their progress, the rows that were refused (`rows`).

pub(crate) mod rows;

use crate::adapters::http::edge::endpoint::{get, post};
use crate::adapters::http::edge::route::Permission::Open;
use crate::adapters::http::node::Routes;
use crate::adapters::http::resource::list;

/// The routes of imports.
pub(crate) fn routes() -> Routes {
    vec![
        post(Open, "/imports/{importId}/rows", rows::rows).bulk(),
        get(Open, "/imports/{importId}", rows::import),
        get(Open, "/imports/{importId}/refusals", rows::refusals).query(list::PARAMETERS),
    ]
}
