//! The bodies of the API of orders, as openapi.yaml defines them, as far as an import needs them.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::jobs::Job;
use super::options::{Confirm, ImportOrdersArgs, Partial};
use onhand_domain::catalogue::Currency;
use onhand_domain::{CustomerId, OrderId, Quantity, ReturnId, Sku, StoreId, Timestamp};

/// `POST /orders`
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewOrder<'a> {
    order_id: &'a OrderId,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<&'a CustomerId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<Currency>,
    lines: Vec<NewLine<'a>>,
    policy: Policy,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NewLine<'a> {
    sku: &'a Sku,
    qty: Quantity,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_price: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Policy {
    partial: Partial,
    confirm: Confirm,
}

/// An order, as the answers have it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderShown {
    pub(super) order_id: OrderId,
    pub(super) status: SmolStr,
    pub(super) currency: Option<SmolStr>,
    pub(super) total: Option<i64>,
    pub(super) lines: Vec<LineShown>,
    #[serde(default)]
    pub(super) returns: Vec<ReturnShown>,
    pub(super) placed_at: Timestamp,
    pub(super) version: u64,
}

/// A line of an order.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct LineShown {
    pub(super) line: u16,
    pub(super) sku: Sku,
    pub(super) qty: i64,
    pub(super) cancelled: i64,
    pub(super) waiting: i64,
    pub(super) open: i64,
    pub(super) shipped: i64,
}

/// A return of an order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReturnShown {
    pub(super) return_id: ReturnId,
    pub(super) state: SmolStr,
    pub(super) lines: Vec<PiecesShown>,
}

/// Pieces of one line of a return.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct PiecesShown {
    pub(super) line: u16,
    pub(super) qty: i64,
}

/// A page of `GET /orders`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderPage {
    pub(super) items: Vec<OrderShown>,
    pub(super) next_cursor: Option<String>,
}

/// `POST /orders/{orderId}/status`
#[derive(Debug, Serialize)]
pub(super) struct NewStatus {
    pub(super) status: &'static str,
}

/// `POST /orders/{orderId}/returns`
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewReturn<'a> {
    pub(super) return_id: &'a OrderId,
    pub(super) lines: Vec<ReturnedPieces>,
}

/// Pieces of one line that come back.
#[derive(Debug, Serialize)]
pub(super) struct ReturnedPieces {
    pub(super) line: u16,
    pub(super) qty: i64,
}

/// `POST /orders/{orderId}/returns/{returnId}/receive`
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Receipt<'a> {
    pub(super) store_id: &'a StoreId,
    pub(super) lines: Vec<ReceivedPieces>,
}

/// Pieces of one line that came back.
#[derive(Debug, Serialize)]
pub(super) struct ReceivedPieces {
    pub(super) line: u16,
    pub(super) qty: i64,
    pub(super) sellable: i64,
}

/// `POST /orders/plan`
#[derive(Debug, Serialize)]
pub(super) struct PlanRequest<'a> {
    lines: Vec<PlanLine<'a>>,
}

#[derive(Debug, Serialize)]
struct PlanLine<'a> {
    sku: &'a Sku,
    qty: Quantity,
}

/// The part of a plan that says what is short.
#[derive(Debug, Deserialize)]
pub(super) struct PlanShown {
    pub(super) asked: Vec<AskedShown>,
}

/// A SKU of a plan.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct AskedShown {
    pub(super) sku: Sku,
    pub(super) qty: i64,
    pub(super) available: i64,
}

impl<'a> NewOrder<'a> {
    /// The body for an order of the file.
    pub(super) fn of(job: &'a Job, args: &ImportOrdersArgs) -> Self {
        let lines = job.lines.iter().map(|line| NewLine {
            sku: &line.sku,
            qty: line.pieces,
            name: line.name.as_deref(),
            unit_price: line.unit_price,
        });
        Self {
            order_id: &job.order_id,
            customer_id: job.customer_id.as_ref(),
            currency: args.currency,
            lines: lines.collect(),
            policy: Policy { partial: args.partial, confirm: args.confirm },
        }
    }
}

impl<'a> PlanRequest<'a> {
    /// The body for an order of the file.
    pub(super) fn of(job: &'a Job) -> Self {
        let lines = job.lines.iter().map(|line| PlanLine { sku: &line.sku, qty: line.pieces });
        Self { lines: lines.collect() }
    }
}
