//! The id of a shipment: that of its order, and a number.

use crate::ids::is_of_shipment;
use crate::limits::ORDER_SHIPMENTS_MAX;
use crate::{OrderId, ReservationId};
use ecow::EcoString;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// `<orderId>.s<n>`, where n counts the shipments of the order from 1. Its reservations have the same id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ShipmentId(EcoString);

/// Why a text is no id of a shipment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the id of an order, .s and the number of the shipment, such as o-1.s1")]
pub struct ShipmentIdError;

impl ShipmentId {
    /// Checks a text and makes it an id.
    ///
    /// # Errors
    /// [`ShipmentIdError`].
    pub fn new(text: &str) -> Result<Self, ShipmentIdError> {
        let (order, number) = text.rsplit_once(".s").ok_or(ShipmentIdError)?;
        let number: u16 = number.parse().map_err(|_| ShipmentIdError)?;
        let order = OrderId::new(order).map_err(|_| ShipmentIdError)?;
        let id = Self::of(&order, number);
        // One id has one text: no sign, and no zero in front.
        if id.as_str() == text && (1..=ORDER_SHIPMENTS_MAX).contains(&number) {
            Ok(id)
        } else {
            Err(ShipmentIdError)
        }
    }

    /// The id of the shipment with that number.
    pub fn of(order_id: &OrderId, number: u16) -> Self {
        Self(ecow::eco_format!("{order_id}.s{number}"))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The order it is of.
    pub fn order_id(&self) -> OrderId {
        let order = self.0.rsplit_once(".s").map_or("", |(order, _)| order);
        OrderId::new(order).expect("a shipment's id begins with that of its order")
    }

    /// Its number within the order.
    pub fn number(&self) -> u16 {
        self.0.rsplit_once(".s").and_then(|(_, number)| number.parse().ok()).unwrap_or_default()
    }

    /// The id of its reservations.
    pub fn reservation_id(&self) -> ReservationId {
        ReservationId::new(&self.0).expect("it has the form of a reservation's id")
    }
}

impl ReservationId {
    /// True for the reservations of a shipment, which only its own routes move.
    pub fn is_of_shipment(&self) -> bool {
        is_of_shipment(self.as_str())
    }
}

impl fmt::Display for ShipmentId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ShipmentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = EcoString::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_text() {
        let longest = "o".repeat(58);
        for (text, order, number) in [
            ("o-1.s1", "o-1", 1),
            ("web.4711.s999", "web.4711", 999),
            (&format!("{longest}.s12"), &longest, 12),
        ] {
            let id = ShipmentId::new(text).unwrap();
            assert_eq!((id.order_id().as_str(), id.number()), (order, number), "{text}");
            assert_eq!(ShipmentId::of(&OrderId::new(order).unwrap(), number), id);
            assert!(id.reservation_id().is_of_shipment());
        }
        for text in [
            "o-1",
            "o-1.s",
            "o-1.s0",
            "o-1.s01",
            "o-1.s+1",
            "o-1.s1000",
            ".s1",
            "o-1.s1.s2",
            "a b.s1",
            "o-1.s٣",
        ] {
            assert_eq!(ShipmentId::new(text), Err(ShipmentIdError), "{text}");
        }
        let too_long = "o".repeat(59);
        assert!(ShipmentId::new(&format!("{too_long}.s1")).is_err());
        for text in ["o-1.s1", "o-1.s01"] {
            assert!(
                OrderId::new(text).is_err() && ReservationId::new(text).unwrap().is_of_shipment(),
                "{text}"
            );
        }
        assert!(!ReservationId::new("o.sx").unwrap().is_of_shipment());
    }
}
