//! Release: reserved pieces become sellable again.

use crate::stock::{Level, Settled, StockCommand, StockFact};
use crate::{Quantity, Rejection, ReservationId};

pub(super) fn decide(
    level: &Level,
    command: &StockCommand,
    reservation_id: &ReservationId,
    qty: Option<Quantity>,
) -> Result<StockFact, Rejection> {
    let (wanted, _) = level.pieces_of_hold(reservation_id, qty)?;
    Ok(StockFact::Release(settled(command, reservation_id, wanted)))
}

/// The payload for `qty` pieces of a reservation.
pub(super) fn settled(command: &StockCommand, reservation_id: &ReservationId, qty: Quantity) -> Settled {
    Settled {
        sku: command.sku.clone(),
        store_id: command.store_id.clone(),
        reservation_id: reservation_id.clone(),
        qty,
        expected_version: command.expected.version(),
    }
}
