//! The audit table: who did what, as pages, as CSV or as a stream (`list`), each row as JSON or CSV (`row_body`).

mod list;
mod row_body;

use crate::edge::endpoint::get;
use crate::edge::route::Need;
use crate::node::Routes;
use onhand_domain::identity::Permission;

/// The routes of the audit table.
pub(crate) fn routes() -> Routes {
    vec![get(Need::Everywhere(Permission::AuditRead), "/audit", list::audit).query(list::PARAMETERS)]
}
