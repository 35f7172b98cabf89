//! The levels of the central model within some stores.

use crate::central::model::central::Central;
use crate::central::model::level::Levels;
use onhand_domain::identity::StoreScope;
use onhand_domain::{Sku, StoreId};

impl Central {
    /// The levels of some stores after a store and SKU, by store and SKU. The levels of other stores are not read.
    pub fn within<'a>(
        &'a self,
        scope: &'a StoreScope,
        last: Option<(&'a StoreId, &'a Sku)>,
    ) -> Box<dyn Iterator<Item = (&'a StoreId, &'a Sku, Levels)> + 'a> {
        let Some(stores) = scope.stores() else { return Box::new(self.after(last)) };
        let begin = last.map_or(0, |(last, _)| stores.partition_point(|store| store < last));
        Box::new(stores.iter().skip(begin).flat_map(move |store| {
            let after = last.filter(|(last, _)| *last == store).map(|(_, sku)| sku);
            self.of_store(store, after)
        }))
    }
}
