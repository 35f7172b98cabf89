//! Whether access is enough for the need of a route.

use crate::edge::route::Need;
use crate::request::caller::somewhere;
use crate::request::path_params::PathParams;
use onhand_domain::StoreId;
use onhand_domain::identity::{Access, Denied, Permission};

/// Checks the need of a route whose path has these parameters.
pub(crate) fn check(need: Need, access: &Access, params: &PathParams) -> Result<(), Denied> {
    match need {
        Need::Public | Need::Probe | Need::Anyone => Ok(()),
        Need::Metrics => access.permit(Permission::OpsRead),
        Need::Everywhere(needs) => access.permit(needs),
        Need::Somewhere(needs) => somewhere(access, needs),
        Need::OrOwn(needs) if access.may_own(needs) => Ok(()),
        Need::OrOwn(needs) if params.get("storeId") == Some("") => somewhere(access, needs),
        Need::InStore(needs) | Need::OrOwn(needs) => {
            match params.get("storeId").and_then(|id| StoreId::new(id).ok()) {
                Some(store) => access.permit_in(needs, &store),
                // The handler says what is wrong with the id, to those who may ask at all.
                None => access.permit(needs),
            }
        }
    }
}
