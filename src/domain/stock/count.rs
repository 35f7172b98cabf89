//! Count: the pieces physically found, now or as of an earlier moment.

use crate::stock::{CountAsOf, Counted, Level, StockCommand, StockFact};
use crate::{Quantity, Rejection};
use smol_str::SmolStr;

/// Movements after the moment of the count stay in effect. The reserved pieces must still be on hand.
pub(super) fn decide(
    level: &Level,
    command: &StockCommand,
    counted: Quantity,
    as_of: Option<CountAsOf>,
    reason: Option<&SmolStr>,
) -> Result<StockFact, Rejection> {
    let booked = as_of.map_or(level.on_hand(), |moment| moment.on_hand);
    let delta = counted.checked_sub(booked).ok_or(Rejection::OutOfRange)?;
    super::check_delta(level, delta)?;
    Ok(StockFact::Count(Counted {
        sku: command.sku.clone(),
        store_id: command.store_id.clone(),
        counted,
        delta,
        as_of: as_of.map(|moment| moment.sequence),
        reason: reason.cloned(),
        expected_version: command.expected.version(),
    }))
}
