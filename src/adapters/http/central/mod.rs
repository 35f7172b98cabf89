//! The central model: its levels as pages (`levels`) or as a whole (`stream`), a pass of the sync worker on demand (`sync`),
//! and the events that could not be applied (`dead_letters`).

pub(crate) mod dead_letters;
pub(crate) mod levels;
pub(crate) mod stream;
pub(crate) mod sync;

use crate::edge::endpoint::{delete, get, post};
use crate::edge::route::Need;
use crate::node::Routes;
use onhand_domain::identity::Permission;

/// The routes of the central model.
pub(crate) fn routes() -> Routes {
    vec![
        post(Need::Everywhere(Permission::SyncRun), "/sync", sync::sync).administration(),
        get(Need::Somewhere(Permission::CentralRead), "/central/inventory/{sku}", levels::sku)
            .query(levels::FRESH)
            .waiting(),
        get(Need::Somewhere(Permission::CentralRead), "/central/inventory", levels::all)
            .query(levels::PAGED)
            .waiting(),
        get(Need::InStore(Permission::CentralRead), "/central/stores/{storeId}/inventory", levels::store)
            .query(levels::PAGED)
            .waiting(),
        get(Need::Everywhere(Permission::LettersRead), "/dead-letters", dead_letters::list)
            .query(dead_letters::PARAMETERS),
        get(Need::Everywhere(Permission::LettersRead), "/dead-letters/{id}", dead_letters::one),
        delete(Need::Everywhere(Permission::LettersManage), "/dead-letters/{id}", dead_letters::discard)
            .query(&[dead_letters::REASON])
            .administration(),
        post(
            Need::Everywhere(Permission::LettersManage),
            "/dead-letters/{id}/redrive",
            dead_letters::redrive,
        )
        .administration(),
    ]
}
