//! Reserve: pieces are held for a caller, until they expire or are released.

use crate::stock::{Level, Reserve, Reserved, StockCommand, StockFact};
use crate::{Rejection, Timestamp};

pub(super) fn decide(
    level: &Level,
    command: &StockCommand,
    wish: &Reserve,
    now: Timestamp,
) -> Result<StockFact, Rejection> {
    if level.knows_reservation(&wish.reservation_id) {
        return Err(Rejection::AlreadyExists { reservation_id: wish.reservation_id.clone() });
    }
    if wish.qty > level.qty() {
        return Err(Rejection::InsufficientStock {
            available: level.qty(),
            current_version: level.version(),
        });
    }
    Ok(StockFact::Reserve(Reserved {
        sku: command.sku.clone(),
        store_id: command.store_id.clone(),
        qty: wish.qty,
        reservation_id: wish.reservation_id.clone(),
        expires_at: wish.ttl_seconds.map(|seconds| now.plus_seconds(seconds)),
        expected_version: command.expected.version(),
        reference: wish.reference.clone(),
    }))
}
