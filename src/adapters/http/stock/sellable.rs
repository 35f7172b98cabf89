//! Stock as customers see it: how many pieces are for sale, and nothing that tells sales or holds. There is no version, because it
//! counts movements, and no time of the last one.

use onhand_app::stock::LevelView;
use onhand_domain::{Quantity, Sku, StoreId};
use serde::Serialize;
use smol_str::SmolStr;

/// A level by its sellable pieces alone, with the name of its product where the catalogue has one.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SellableBody<'a> {
    store_id: &'a StoreId,
    sku: &'a Sku,
    qty: Quantity,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

impl<'a> SellableBody<'a> {
    /// The JSON of a level.
    pub(crate) fn of(view: &'a LevelView) -> Self {
        Self { store_id: &view.store_id, sku: &view.sku, qty: view.numbers.qty(), name: None }
    }

    /// The JSON of a level in a list.
    pub(crate) fn named((view, name): (&'a LevelView, &'a Option<SmolStr>)) -> Self {
        Self { name: name.as_deref(), ..Self::of(view) }
    }
}
