//! Reserve: promise pieces to somebody, for a time or until told otherwise.

use crate::domain::stock::{Level, StockCommand, StockFact};
use crate::domain::{Quantity, Rejection, ReservationId, Sku, StoreId, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// A wish to reserve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserve {
    /// Pieces, at least 1.
    pub qty: Quantity,
    /// The reservation's name, unique within the level.
    pub reservation_id: ReservationId,
    /// How long it holds, 1 to 31,536,000 seconds; for ever when there is none.
    pub ttl_seconds: Option<i64>,
    /// The caller's reference, such as an order number.
    pub reference: Option<SmolStr>,
}

/// The payload of `RESERVE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reserved {
    /// What.
    pub sku: Sku,
    /// Where.
    pub store_id: StoreId,
    /// Pieces promised, at least 1.
    pub qty: Quantity,
    /// The reservation's name.
    pub reservation_id: ReservationId,
    /// From this time on it is expired; never when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The version the caller asked for, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<u64>,
    /// The caller's reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<SmolStr>,
}

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
