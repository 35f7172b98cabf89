//! Refusals: values, not errors. A refused command changed nothing.

use crate::domain::catalogue::ProductMember;
use crate::domain::{Quantity, ReservationId, Sku};
use serde::{Deserialize, Serialize};

/// Why a command was refused. Serialised in the log (`code` and facts) where a batch refused some of its operations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Rejection {
    /// What is to be changed is not at the version the caller expects.
    #[error("it is at version {current_version}, not at the one you expect; read it again and decide anew")]
    VersionConflict {
        /// The version it is at; 0 when it does not exist.
        current_version: u64,
    },
    /// Fewer pieces are there than asked for.
    #[error("only {available} available; ask for at most that, or wait for stock")]
    InsufficientStock {
        /// How many there are: sellable pieces of the level, or pieces that the reservation still holds.
        available: Quantity,
        /// The version the level is at; 0 when it does not exist.
        current_version: u64,
    },
    /// The level has no reservation of that name, and remembers none.
    #[error("the level has no reservation {reservation_id}; check the id, the store and the SKU")]
    ReservationNotFound {
        /// The name asked for.
        reservation_id: ReservationId,
    },
    /// The reservation has been released or committed in full.
    #[error("reservation {reservation_id} is closed; make a new one")]
    ReservationClosed {
        /// The name asked for.
        reservation_id: ReservationId,
    },
    /// The reservation expired, its pieces are sellable again.
    #[error("reservation {reservation_id} has expired; make a new one")]
    ReservationExpired {
        /// The name asked for.
        reservation_id: ReservationId,
    },
    /// A reservation of that name exists, open or lately closed.
    #[error("the level already has a reservation {reservation_id}; choose another id, or none")]
    AlreadyExists {
        /// The name asked for.
        reservation_id: ReservationId,
    },
    /// A number would leave the range that every JSON reader holds exactly.
    #[error("the result would be beyond 9007199254740991; send a smaller number")]
    OutOfRange,
    /// The key was used for another payload.
    #[error("this idempotency key was used with another payload; use a new key for a new request")]
    IdempotencyKeyReused,
    /// The rows do not follow the last ones the import has.
    #[error("the import has {rows_done} rows; continue after row {rows_done}")]
    ImportOutOfStep {
        /// Rows done so far.
        rows_done: u64,
    },
    /// The catalogue does not know the SKU.
    #[error("the catalogue does not know the SKU {sku}; describe it first, or check the SKU")]
    ProductNotFound {
        /// The SKU asked for.
        sku: Sku,
    },
    /// The catalogue knows the SKU already.
    #[error("the catalogue knows this SKU already; to change what is said of it, replace or patch it")]
    ProductExists {
        /// The version it is at.
        current_version: u64,
    },
    /// The catalogue says something else of the SKU.
    #[error("the catalogue says another {} of this SKU; it stays, unless the request says update: true", names(.members))]
    ProductDiffers {
        /// The version it is at.
        current_version: u64,
        /// Of what it says something else; at least one.
        members: Vec<ProductMember>,
    },
    /// The store has no threshold of its own for the SKU.
    #[error("the store has no low-stock threshold of its own for this SKU")]
    ThresholdNotFound,
    /// The store is described already.
    #[error("the store is described already; to change what is said of it, replace it")]
    StoreExists {
        /// The version it is at.
        current_version: u64,
    },
}

impl Rejection {
    /// The stable code, as in the log and in the HTTP contract.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::VersionConflict { .. } => "version-conflict",
            Self::InsufficientStock { .. } => "insufficient-stock",
            Self::ReservationNotFound { .. } => "reservation-not-found",
            Self::ReservationClosed { .. } => "reservation-closed",
            Self::ReservationExpired { .. } => "reservation-expired",
            Self::AlreadyExists { .. } => "already-exists",
            Self::OutOfRange => "out-of-range",
            Self::IdempotencyKeyReused => "idempotency-key-reused",
            Self::ImportOutOfStep { .. } => "import-out-of-step",
            Self::ProductNotFound { .. } => "product-not-found",
            Self::ProductExists { .. } => "product-exists",
            Self::ProductDiffers { .. } => "product-differs",
            Self::StoreExists { .. } => "store-exists",
            Self::ThresholdNotFound => "threshold-not-found",
        }
    }
}

fn names(members: &[ProductMember]) -> String {
    members.iter().map(|member| member.as_str()).collect::<Vec<_>>().join(" and ")
}

/// A rejection, and which operation of a batch earned it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{rejection}")]
pub struct Refusal {
    /// Why.
    pub rejection: Rejection,
    /// The index of the operation, in an atomic batch.
    pub op: Option<u32>,
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        Self { rejection, op: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_in_the_log_is_the_code_in_the_contract() {
        let id = ReservationId::new("r").unwrap();
        for rejection in [
            Rejection::VersionConflict { current_version: 7 },
            Rejection::InsufficientStock { available: Quantity::ZERO, current_version: 7 },
            Rejection::ReservationNotFound { reservation_id: id.clone() },
            Rejection::ReservationClosed { reservation_id: id.clone() },
            Rejection::ReservationExpired { reservation_id: id.clone() },
            Rejection::AlreadyExists { reservation_id: id },
            Rejection::OutOfRange,
            Rejection::IdempotencyKeyReused,
            Rejection::ImportOutOfStep { rows_done: 3 },
            Rejection::ProductNotFound { sku: Sku::new("A").unwrap() },
            Rejection::ProductExists { current_version: 3 },
            Rejection::ProductDiffers { current_version: 3, members: ProductMember::ALL.to_vec() },
            Rejection::StoreExists { current_version: 3 },
            Rejection::ThresholdNotFound,
        ] {
            let json = serde_json::to_value(&rejection).unwrap();
            assert_eq!(json["code"], rejection.code());
            assert_eq!(serde_json::from_value::<Rejection>(json).unwrap(), rejection);
        }
    }
}
