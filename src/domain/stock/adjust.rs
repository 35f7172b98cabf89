//! Adjust: pieces came or went.

use crate::domain::stock::{AdjustKind, Level, StockCommand, StockFact};
use crate::domain::{Quantity, Rejection, Sku, StoreId, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// The payload of `ADJUST`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Adjusted {
    /// What.
    pub sku: Sku,
    /// Where.
    pub store_id: StoreId,
    /// How many pieces came (or, negative, went); not 0.
    pub delta: Quantity,
    /// The version the caller asked for, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<u64>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SmolStr>,
    /// The caller's reference, such as an invoice number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<SmolStr>,
    /// When it happened in the shop, where it was entered later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
    /// What it is called, where the caller said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<AdjustKind>,
}

/// Whether so many pieces can come or go.
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
