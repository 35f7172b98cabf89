//! Bulk imports: their rows, their progress, the rows that were refused (`rows`).

pub(crate) mod rows;

use crate::edge::endpoint::{get, post};
use crate::edge::route::Permission::Open;
use crate::node::Routes;
use crate::resource::list;

/// The routes of imports.
pub(crate) fn routes() -> Routes {
    vec![
        post(Open, "/imports/{importId}/rows", rows::rows).bulk(),
        get(Open, "/imports/{importId}", rows::import),
        get(Open, "/imports/{importId}/refusals", rows::refusals).query(list::PARAMETERS),
    ]
}
