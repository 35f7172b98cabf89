//! The central model: its levels as pages (`levels`) or as a whole (`stream`), a pass of the sync worker on demand (`sync`),
//! and the events that could not be applied (`dead_letters`).

pub(crate) mod dead_letters;
pub(crate) mod levels;
pub(crate) mod stream;
pub(crate) mod sync;

use crate::edge::endpoint::{delete, get, post};
use crate::edge::route::Permission::Open;
use crate::node::Routes;

/// The routes of the central model.
pub(crate) fn routes() -> Routes {
    vec![
        post(Open, "/sync", sync::sync).administration(),
        get(Open, "/central/inventory/{sku}", levels::sku).query(levels::FRESH).waiting(),
        get(Open, "/central/inventory", levels::all).query(levels::PAGED).waiting(),
        get(Open, "/central/stores/{storeId}/inventory", levels::store).query(levels::PAGED).waiting(),
        get(Open, "/dead-letters", dead_letters::list).query(dead_letters::PARAMETERS),
        get(Open, "/dead-letters/{id}", dead_letters::one),
        delete(Open, "/dead-letters/{id}", dead_letters::discard)
            .query(&[dead_letters::REASON])
            .administration(),
        post(Open, "/dead-letters/{id}/redrive", dead_letters::redrive).administration(),
    ]
}
