//! The rules of setting many products at once: each one is set or rejected by itself.

use crate::oracle::acts::Goods;
use crate::oracle::decision::ItemFate;
use crate::oracle::model::Oracle;

impl Oracle {
    /// Sets product details, in order; returns the outcome of those that are rejected.
    pub(super) fn describe(
        &mut self,
        now: i64,
        update: bool,
        products: &[(&'static str, Goods)],
    ) -> Vec<(u32, ItemFate)> {
        let mut fates = Vec::new();
        for (op, (sku, goods)) in (0..).zip(products) {
            match self.catalogue.product(sku).details {
                Some(known) if known == *goods => {}
                Some(_) if !update => fates.push((op, ItemFate::Refused("product-differs"))),
                _ => {
                    let (what, version) = self.catalogue.describe(sku, Some(*goods));
                    self.record(Some(sku), what.kind(), what, version, now);
                }
            }
        }
        fates
    }
}
