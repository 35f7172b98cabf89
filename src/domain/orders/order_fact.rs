//! What was ordered, and the event that moves an order.

use super::line::{Line, LineDelta};
use super::payment::Payment;
use super::returning::Return;
use crate::allocation::Rules;
use crate::{CustomerId, OrderId, StoreId, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// What is done where pieces are missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Partial {
    /// The order is refused.
    #[default]
    Refuse,
    /// They wait until there is stock.
    Backorder,
    /// They are cancelled.
    CancelRest,
}

/// When stores are chosen, and their pieces held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StockPolicy {
    /// When the order is placed.
    #[default]
    Hold,
    /// When it is confirmed.
    None,
}

/// What is done without being asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OrderPolicy {
    /// See [`Partial`].
    pub partial: Partial,
    /// See [`StockPolicy`].
    pub stock: StockPolicy,
    /// True: the order is confirmed when it is placed.
    pub auto_confirm: bool,
}

/// Who ordered, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrderDetails {
    /// The channel that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<SmolStr>,
    /// Its id in that channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<SmolStr>,
    /// The customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// Name and address, sealed with the key of the customer; of the order, where no customer is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personal: Option<SmolStr>,
    /// The currency of every amount, such as `EUR` (ISO 4217).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<SmolStr>,
    /// See [`OrderPolicy`].
    #[serde(default)]
    pub policy: OrderPolicy,
}

/// The versions of the levels that a plan looked at, so that it can be worked out again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Looked {
    /// A store.
    pub store_id: StoreId,
    /// The versions of its levels, by SKU of the demand in order; 0 where there is no level.
    pub versions: Vec<u64>,
}

/// What was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Placed {
    /// The time of the placing.
    pub placed_at: Timestamp,
    /// Who ordered, and how.
    pub details: OrderDetails,
    /// The lines; what becomes of their pieces at once stands in them.
    pub lines: Vec<Line>,
    /// The version of the routing by which the stores were chosen; 0 for the rules of a chain that has set none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing: Option<u64>,
    /// The rules by which the stores were chosen, where the caller gave them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Rules>,
    /// The levels that were looked at to choose the stores; empty when the caller has chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub looked: Vec<Looked>,
}

/// A shipment that begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Opened {
    /// Its number within the order, from 1.
    pub number: u16,
    /// The store that sends it.
    pub store_id: StoreId,
}

/// What has happened to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderChange {
    /// It was placed.
    Placed,
    /// It was confirmed.
    Confirmed,
    /// Stores were found for pieces that were waiting.
    Allotted,
    /// Pieces have left a store.
    Shipped,
    /// Pieces have reached the customer.
    Delivered,
    /// Pieces were cancelled.
    Cancelled,
    /// A store has refused a shipment: its pieces wait, or another store sends them.
    Refused,
    /// A shipment was cancelled and its pieces wait.
    Withdrawn,
    /// A payment was recorded.
    Payment,
    /// A return has taken a step.
    Return,
    /// Nothing is sent until the hold is released.
    Held,
    /// The hold was released.
    HoldReleased,
}

/// `ORDER`: one step of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrderFact {
    /// The order.
    pub order_id: OrderId,
    /// The step.
    pub change: OrderChange,
    /// What was ordered; at the placing alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placed: Option<Box<Placed>>,
    /// What becomes of pieces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineDelta>,
    /// The shipments that begin.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opened: Vec<Opened>,
    /// The shipments that have ended, by number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<u16>,
    /// The store that does not send the order any more: it has refused a shipment, or one was cancelled there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avoids: Option<StoreId>,
    /// The payment that is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<Payment>,
    /// The return after its step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<Box<Return>>,
    /// The caller's reason, free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SmolStr>,
}

/// A member of an order that differs from what is placed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the members, by name")]
pub enum OrderMember {
    ChannelId,
    ExternalId,
    CustomerId,
    Personal,
    Currency,
    Policy,
    Lines,
}
