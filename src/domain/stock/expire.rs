//! Expire: the time of a reservation ran out. No client requests it; the next command on the level records it, or
//! the task of due states.

use crate::stock::{Settled, StockFact};
use crate::{Quantity, ReservationId, Sku, StoreId};

/// The expiries of the due holds of a level, in their order.
pub(super) fn expiries<'a>(
    due: impl Iterator<Item = (&'a ReservationId, Quantity)>,
    store_id: &StoreId,
    sku: &Sku,
) -> Vec<StockFact> {
    let expiry = |(reservation_id, qty): (&ReservationId, Quantity)| {
        StockFact::Expire(Settled {
            sku: sku.clone(),
            store_id: store_id.clone(),
            reservation_id: reservation_id.clone(),
            qty,
            expected_version: None,
        })
    };
    due.map(expiry).collect()
}
