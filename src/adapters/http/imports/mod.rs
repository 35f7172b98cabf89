//! Bulk imports: their rows, their progress, the rows that were refused (`rows`).

pub(crate) mod rows;

use crate::edge::endpoint::{get, post};
use crate::edge::route::Need;
use crate::node::Routes;
use crate::resource::list;
use onhand_domain::identity::Permission;

/// The routes of imports.
pub(crate) fn routes() -> Routes {
    vec![
        post(Need::Somewhere(Permission::ImportRun), "/imports/{importId}/rows", rows::rows).bulk(),
        get(Need::Somewhere(Permission::ImportRun), "/imports/{importId}", rows::import),
        get(Need::Somewhere(Permission::ImportRun), "/imports/{importId}/refusals", rows::refusals)
            .query(list::PARAMETERS),
    ]
}
