//! Orders and shipments as JSON.

use super::bodies::{AddressBody, CustomerBody, PolicyBody};
use super::personal::Opened;
use onhand_app::orders::{OrderView, ShipmentView};
use onhand_domain::orders::{
    Allocation, Line, OrderStatus, Payment, PaymentStatus, Pieces, Refused, Return, ShipmentId, ShipmentLine,
    ShipmentState,
};
use onhand_domain::{CustomerId, OrderId, Quantity, Sku, StoreId, Timestamp};
use serde::Serialize;

/// An order.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderShown<'a> {
    order_id: &'a OrderId,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<&'a CustomerId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<&'a CustomerBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ship_to: Option<&'a AddressBody>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    personal_erased: bool,
    status: OrderStatus,
    allocation: Allocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Quantity>,
    payment_status: PaymentStatus,
    on_hold: bool,
    policy: PolicyBody,
    lines: Vec<LineShown<'a>>,
    shipments: Vec<ShipmentShown<'a>>,
    payments: &'a [Payment],
    returns: &'a [Return],
    placed_at: Timestamp,
    version: u64,
    updated_at: Timestamp,
}

/// A line of an order.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LineShown<'a> {
    line: u16,
    sku: &'a Sku,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    qty: Quantity,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_price: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    discount: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<Quantity>,
    cancelled: Quantity,
    waiting: Quantity,
    open: Quantity,
    shipped: Quantity,
    delivered: Quantity,
    returned: Quantity,
}

/// A shipment.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShipmentShown<'a> {
    shipment_id: &'a ShipmentId,
    order_id: OrderId,
    store_id: &'a StoreId,
    state: ShipmentState,
    lines: Vec<ShipmentLineShown<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<Refused>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking: Option<&'a str>,
    version: u64,
    updated_at: Timestamp,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShipmentLineShown<'a> {
    line: u16,
    sku: &'a Sku,
    qty: Quantity,
    held: Quantity,
    shipped: Quantity,
    delivered: Quantity,
}

/// A shipment with what its store needs to send it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShipmentWithAddress<'a> {
    #[serde(flatten)]
    shipment: ShipmentShown<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<&'a CustomerBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ship_to: Option<&'a AddressBody>,
    placed_at: Timestamp,
}

impl<'a> OrderShown<'a> {
    /// The JSON of an order with what is personal about it.
    pub(super) fn of(view: &'a OrderView, opened: &'a Opened) -> Self {
        let (order, details) = (&view.order, &view.order.details);
        Self {
            order_id: &view.order_id,
            channel_id: details.channel_id.as_deref(),
            external_id: details.external_id.as_deref(),
            customer_id: details.customer_id.as_ref(),
            customer: opened.personal.customer.as_ref(),
            ship_to: opened.personal.ship_to.as_ref(),
            personal_erased: opened.erased,
            status: order.status(),
            allocation: order.allocation(),
            currency: details.currency.as_deref(),
            total: order.amount(),
            payment_status: order.payment_status(),
            on_hold: order.on_hold,
            policy: details.policy.into(),
            lines: order.lines.iter().map(LineShown::of).collect(),
            shipments: view.shipments.iter().map(ShipmentShown::of).collect(),
            payments: &order.payments,
            returns: &order.returns,
            placed_at: order.placed_at,
            version: order.version,
            updated_at: order.updated_at,
        }
    }
}

impl<'a> LineShown<'a> {
    fn of(line: &'a Line) -> Self {
        let Pieces { cancelled, waiting, shipped, delivered, returned } = line.pieces;
        Self {
            line: line.line,
            sku: &line.sku,
            name: line.name.as_deref(),
            qty: line.qty,
            unit_price: line.unit_price,
            discount: line.discount,
            tax: line.tax,
            amount: line.amount(),
            cancelled,
            waiting,
            open: line.open(),
            shipped,
            delivered,
            returned,
        }
    }
}

impl<'a> ShipmentShown<'a> {
    /// The JSON of a shipment.
    pub(super) fn of(view: &'a ShipmentView) -> Self {
        let shipment = &view.shipment;
        let line = |line: &'a ShipmentLine| ShipmentLineShown {
            line: line.line,
            sku: &line.sku,
            qty: line.qty,
            held: line.held(),
            shipped: line.shipped,
            delivered: line.delivered,
        };
        Self {
            shipment_id: &view.shipment_id,
            order_id: view.shipment_id.order_id(),
            store_id: &view.store_id,
            state: shipment.state(),
            lines: shipment.lines.iter().map(line).collect(),
            refused: shipment.refused,
            reason: shipment.reason.as_deref(),
            carrier: shipment.carrier.as_deref(),
            tracking: shipment.tracking.as_deref(),
            version: shipment.version,
            updated_at: shipment.updated_at,
        }
    }

    /// The same with what its store needs to send it.
    pub(super) fn with_address(
        view: &'a ShipmentView,
        opened: &'a Opened,
        placed_at: Timestamp,
    ) -> ShipmentWithAddress<'a> {
        let (customer, ship_to) = (opened.personal.customer.as_ref(), opened.personal.ship_to.as_ref());
        ShipmentWithAddress { shipment: Self::of(view), customer, ship_to, placed_at }
    }
}
