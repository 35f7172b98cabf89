//! The event that moves a shipment.

use super::shipment_id::ShipmentId;
use crate::{Quantity, Sku, StoreId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// Pieces of one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LineQty {
    /// The number of the order's line.
    pub line: u16,
    /// Its SKU.
    pub sku: Sku,
    /// The number of pieces, at least 1.
    pub qty: Quantity,
}

/// What has happened to a shipment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShipmentChange {
    /// The store holds these pieces for it.
    Held,
    /// The store is to send it.
    Instructed,
    /// These pieces have left the store.
    Shipped,
    /// These pieces have reached the customer.
    Delivered,
    /// The store does not send these pieces.
    Refused,
    /// These pieces are not to be sent any more.
    Cancelled,
}

/// Why a store refuses a shipment, and so what becomes of its stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refused {
    /// The SKU is not there: the level is counted down to what others hold.
    NotInStock,
    /// The pieces are missing: they are removed.
    Short,
    /// The pieces are damaged: they are removed.
    Damaged,
    /// The store has too much to do: its stock stays.
    Busy,
    /// The store is closed: its stock stays.
    Closed,
}

/// `SHIPMENT`: one step of a shipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShipmentFact {
    /// The shipment.
    pub shipment_id: ShipmentId,
    /// The store, which never changes.
    pub store_id: StoreId,
    /// The step.
    pub change: ShipmentChange,
    /// The pieces that the step is about; none when it is about all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineQty>,
    /// Why a store refuses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
    /// The caller's reason, free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SmolStr>,
    /// Who carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<SmolStr>,
    /// The number by which the carrier follows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<SmolStr>,
}
