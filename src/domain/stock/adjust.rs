//! Adjust: pieces come or go.

use crate::stock::{AdjustKind, Adjusted, Level, StockCommand, StockFact};
use crate::{Quantity, Rejection};
use smol_str::SmolStr;

/// Checks that a change of the pieces on hand fits the level.
pub fn check_delta(level: &Level, delta: Quantity) -> Result<(), Rejection> {
    level.on_hand().checked_add(delta).ok_or(Rejection::OutOfRange)?;
    let rest = level.qty().checked_add(delta).ok_or(Rejection::OutOfRange)?;
    if rest.is_negative() {
        return Err(Rejection::InsufficientStock {
            available: level.qty(),
            current_version: level.version(),
        });
    }
    Ok(())
}

pub(super) fn decide(
    level: &Level,
    command: &StockCommand,
    delta: Quantity,
    kind: Option<AdjustKind>,
    reason: Option<&SmolStr>,
    reference: Option<&SmolStr>,
) -> Result<StockFact, Rejection> {
    check_delta(level, delta)?;
    Ok(StockFact::Adjust(Adjusted {
        sku: command.sku.clone(),
        store_id: command.store_id.clone(),
        delta,
        expected_version: command.expected.version(),
        reason: reason.cloned(),
        reference: reference.cloned(),
        occurred_at: None,
        kind,
    }))
}
