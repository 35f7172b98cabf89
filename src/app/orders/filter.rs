//! What a list of orders is filtered by, and the place of an order in it.

use onhand_domain::identity::StoreScope;
use onhand_domain::orders::{Allocation, OrderStatus, ShipmentId};
use onhand_domain::{CustomerId, OrderId, StoreId, Timestamp};
use smol_str::SmolStr;

/// The place of an order in a list: the newest comes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderMark {
    /// When it was placed.
    pub placed_at: Timestamp,
    /// Its id.
    pub order_id: OrderId,
}

/// A filter of orders; a condition that is not set accepts every order.
#[derive(Debug, Clone, Default)]
pub struct OrderFilter {
    /// The status.
    pub status: Option<OrderStatus>,
    /// How far stores are found.
    pub allocation: Option<Allocation>,
    /// The channel.
    pub channel_id: Option<SmolStr>,
    /// The customer.
    pub customer_id: Option<CustomerId>,
    /// A store that has, or had, a shipment of it.
    pub store_id: Option<StoreId>,
    /// Part of the id of the order, of the customer, or of the id in the channel, in lower case.
    pub search: Option<String>,
    /// The earliest time of the placing.
    pub from: Option<Timestamp>,
    /// The time before which it was placed.
    pub to: Option<Timestamp>,
    /// The stores of the caller: one of them has, or had, a shipment of it.
    pub scope: StoreScope,
}

impl OrderMark {
    /// Reads the form that [`std::fmt::Display`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        let (milliseconds, order_id) = text.split_once('/')?;
        let placed_at = Timestamp::from_milliseconds(milliseconds.parse().ok()?);
        Some(Self { placed_at, order_id: OrderId::new(order_id).ok()? })
    }

    /// That of a shipment's order.
    pub fn of(shipment_id: &ShipmentId, placed_at: Timestamp) -> Self {
        Self { placed_at, order_id: shipment_id.order_id() }
    }
}

impl std::fmt::Display for OrderMark {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.placed_at.milliseconds(), self.order_id)
    }
}
