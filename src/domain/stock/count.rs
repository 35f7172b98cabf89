//! Count: what was physically there, now or as of an earlier moment.

use crate::domain::stock::{Level, StockCommand, StockFact};
use crate::domain::{Quantity, Rejection, Sequence, Sku, StoreId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// The moment of a count, and what the books said then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountAsOf {
    /// After this sequence of the node's log.
    pub sequence: Sequence,
    /// On hand at that moment; 0 when the level did not exist.
    pub on_hand: Quantity,
}

/// The payload of `COUNT`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Counted {
    /// What.
    pub sku: Sku,
    /// Where.
    pub store_id: StoreId,
    /// Pieces found, at least 0.
    pub counted: Quantity,
    /// What the count changes on hand by: found less booked, at the moment of the count.
    pub delta: Quantity,
    /// The moment of the count, where it was not the moment of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Sequence>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SmolStr>,
    /// The version the caller asked for, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<u64>,
}

/// Movements after the moment of the count stay on top of it. What is reserved must still be there.
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
