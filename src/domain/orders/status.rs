//! The status of an order, and how far stores are found for it: words for what its lines say.

use serde::{Deserialize, Serialize};

/// The status of an order, worked out from its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "the words of the product")]
pub enum OrderStatus {
    Placed,
    Confirmed,
    Shipped,
    Delivered,
    Cancelled,
}

/// How far stores are found for the pieces of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Allocation {
    /// Nobody has looked for stores yet.
    None,
    /// All pieces wait for stock.
    Waiting,
    /// Some pieces wait.
    Partial,
    /// No piece waits.
    Complete,
}

impl OrderStatus {
    /// The name, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Placed => "PLACED",
            Self::Confirmed => "CONFIRMED",
            Self::Shipped => "SHIPPED",
            Self::Delivered => "DELIVERED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// Those that can follow by a step of a person.
    pub const fn allowed(self) -> &'static [Self] {
        match self {
            Self::Placed => &[Self::Confirmed, Self::Shipped, Self::Cancelled],
            Self::Confirmed => &[Self::Shipped, Self::Cancelled],
            Self::Shipped => &[Self::Delivered],
            Self::Delivered | Self::Cancelled => &[],
        }
    }
}
