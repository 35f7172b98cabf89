//! Expire: a promise ran out. Nobody's wish; whoever comes first to the level records it.

use crate::domain::stock::{Level, Settled, StockFact};
use crate::domain::{Sku, StoreId, Timestamp};

/// The expiries due on a level at `now`, at most `most`, earliest first.
pub fn expiries(level: &Level, store_id: &StoreId, sku: &Sku, now: Timestamp, most: usize) -> Vec<StockFact> {
    level
        .due(now)
        .take(most)
        .map(|(reservation_id, qty)| {
            StockFact::Expire(Settled {
                sku: sku.clone(),
                store_id: store_id.clone(),
                reservation_id: reservation_id.clone(),
                qty,
                expected_version: None,
            })
        })
        .collect()
}
