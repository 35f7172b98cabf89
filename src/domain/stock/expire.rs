//! Expire: a promise ran out. Nobody's wish; whoever comes first to the level records it.

use crate::domain::stock::{Settled, StockFact};
use crate::domain::{Quantity, ReservationId, Sku, StoreId};

/// The expiries of holds that are due, at most `most`.
pub fn expiries<'a>(
    due: impl Iterator<Item = (&'a ReservationId, Quantity)>,
    store_id: &StoreId,
    sku: &Sku,
    most: usize,
) -> Vec<StockFact> {
    due.take(most)
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
