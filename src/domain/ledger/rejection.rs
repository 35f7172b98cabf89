//! Refusals: a refused command has changed nothing.

use crate::Rejection;

/// A rejection, with the operation of a batch that caused it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{rejection}")]
pub struct Refusal {
    /// The reason of the refusal.
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
    use crate::catalogue::ProductMember;
    use crate::orders::OrderMember;
    use crate::{Quantity, ReservationId, Sku, StoreId};

    #[test]
    fn the_code_in_the_log_is_the_code_in_the_contract() {
        let id = ReservationId::new("r").unwrap();
        let (sku, store_id) = (Sku::new("A").unwrap(), StoreId::new("S").unwrap());
        let (from, to, allowed) = ("PLACED".into(), "DELIVERED".into(), vec!["CONFIRMED".into()]);
        let available = Quantity::ZERO;
        for rejection in [
            Rejection::VersionConflict { current_version: 7 },
            Rejection::InsufficientStock { available: Quantity::ZERO, current_version: 7 },
            Rejection::ReservationNotFound { reservation_id: id.clone() },
            Rejection::ReservationClosed { reservation_id: id.clone() },
            Rejection::ReservationExpired { reservation_id: id.clone() },
            Rejection::AlreadyExists { reservation_id: id.clone() },
            Rejection::OutOfRange,
            Rejection::IdempotencyKeyReused,
            Rejection::ImportOutOfStep { rows_done: 3 },
            Rejection::ProductNotFound { sku: Sku::new("A").unwrap() },
            Rejection::ProductExists { current_version: 3 },
            Rejection::ProductDiffers { current_version: 3, members: ProductMember::ALL.to_vec() },
            Rejection::StoreExists { current_version: 3 },
            Rejection::ThresholdNotFound,
            Rejection::HeldByShipment { reservation_id: id },
            Rejection::OrderNotFound,
            Rejection::OrderExists { current_version: 3, differs: vec![OrderMember::CustomerId] },
            Rejection::IllegalTransition { from, to, allowed },
            Rejection::AlreadyShipped,
            Rejection::NotAllotted { waiting: available },
            Rejection::PlanStale { store_id, sku, available },
            Rejection::TooManyShipments,
            Rejection::ShipmentNotFound,
            Rejection::ShipmentClosed { state: "shipped".into() },
            Rejection::ShipmentExceeds { line: 3, held: available },
            Rejection::OrderHeld,
            Rejection::PaymentExists,
            Rejection::TooManyPayments,
            Rejection::AmountExceeds { available },
            Rejection::ReturnNotFound,
            Rejection::ReturnExists,
            Rejection::TooManyReturns,
            Rejection::ReturnExceeds { line: 3, available },
        ] {
            let json = serde_json::to_value(&rejection).unwrap();
            assert_eq!(json["code"], rejection.code());
            assert_eq!(serde_json::from_value::<Rejection>(json).unwrap(), rejection);
        }
    }
}
