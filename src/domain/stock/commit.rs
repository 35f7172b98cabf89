//! Commit: promised pieces are gone, all of them or some.

use super::{command::pieces_of_hold, release::settled};
use crate::domain::stock::{Level, Settled, StockCommand, StockFact};
use crate::domain::{Quantity, Rejection, ReservationId};

/// A wish to commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Which reservation.
    pub reservation_id: ReservationId,
    /// How many pieces, at least 1; all of the rest when there is no number.
    pub qty: Option<Quantity>,
    /// Release what is not committed instead of holding it on.
    pub close_remainder: bool,
}

/// One event, or two when a rest is released with it.
pub(super) fn decide(
    level: &Level,
    command: &StockCommand,
    wish: &Commit,
) -> Result<[Option<StockFact>; 2], Rejection> {
    let (wanted, held) = pieces_of_hold(level, &wish.reservation_id, wish.qty)?;
    let committed = StockFact::Commit(settled(command, &wish.reservation_id, wanted));
    let rest = held.checked_sub(wanted).filter(|rest| wish.close_remainder && *rest > Quantity::ZERO);
    let released = rest.map(|rest| {
        // The version the caller asked for was met by the first of the two events.
        StockFact::Release(Settled { expected_version: None, ..settled(command, &wish.reservation_id, rest) })
    });
    Ok([Some(committed), released])
}
