//! Commit: reserved pieces leave, all of them or some.

use super::release::settled;
use crate::stock::{Commit, Level, Settled, StockCommand, StockFact};
use crate::{Quantity, Rejection};

/// One event, or two when the remainder is released with it.
pub(super) fn decide(
    level: &Level,
    command: &StockCommand,
    wish: &Commit,
) -> Result<[Option<StockFact>; 2], Rejection> {
    let (wanted, held) = level.pieces_of_hold(&wish.reservation_id, wish.qty)?;
    let committed = StockFact::Commit(settled(command, &wish.reservation_id, wanted));
    let rest = held.checked_sub(wanted).filter(|rest| wish.close_remainder && *rest > Quantity::ZERO);
    let released = rest.map(|rest| {
        // The first of the two events checked the caller's version already.
        StockFact::Release(Settled { expected_version: None, ..settled(command, &wish.reservation_id, rest) })
    });
    Ok([Some(committed), released])
}
