//! Kinds of movements: the terms of a till or of a back office.
//!
//! `sale`, `stock-in` and `removal` are adjustments with a name, in the payload of the same event; the tills have a route for each. An
//! adjustment without a kind has the kind that its reason names, if it names one: imports have always written their rows in that way.

use crate::Quantity;
use serde::{Deserialize, Serialize};

/// The named reason for which pieces come or go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdjustKind {
    /// Goods sold; pieces go out.
    Sale,
    /// Goods returned by a customer; pieces come in.
    Return,
    /// Goods received from a supplier; pieces come in.
    StockIn,
    /// Goods removed, such as damaged ones; pieces go out.
    Removal,
    /// Stock at the start of a level; pieces come in.
    Opening,
}

/// The kind of a movement: an adjustment with or without a named kind, or one of the other verbs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the variants are AdjustKind's and StockFact's")]
pub enum MovementKind {
    Sale,
    Return,
    StockIn,
    Removal,
    Opening,
    Adjustment,
    Reserve,
    Release,
    Commit,
    Expire,
    Count,
}

impl AdjustKind {
    const ALL: [Self; 5] = [Self::Sale, Self::Return, Self::StockIn, Self::Removal, Self::Opening];

    /// The name, in JSON and CSV.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Return => "return",
            Self::StockIn => "stock-in",
            Self::Removal => "removal",
            Self::Opening => "opening",
        }
    }

    /// The kind of that name, if there is one.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The change of the pieces on hand by a movement of this kind.
    pub const fn delta(self, quantity: Quantity) -> Quantity {
        match self {
            Self::Sale | Self::Removal => quantity.negated(),
            Self::Return | Self::StockIn | Self::Opening => quantity,
        }
    }
}

impl MovementKind {
    /// Every kind; a kind's place is its number in an index, so new ones go to the end.
    pub const ALL: [Self; 11] = [
        Self::Sale,
        Self::Return,
        Self::StockIn,
        Self::Removal,
        Self::Opening,
        Self::Adjustment,
        Self::Reserve,
        Self::Release,
        Self::Commit,
        Self::Expire,
        Self::Count,
    ];

    /// The name, in JSON and CSV.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sale => AdjustKind::Sale.as_str(),
            Self::Return => AdjustKind::Return.as_str(),
            Self::StockIn => AdjustKind::StockIn.as_str(),
            Self::Removal => AdjustKind::Removal.as_str(),
            Self::Opening => AdjustKind::Opening.as_str(),
            Self::Adjustment => "adjustment",
            Self::Reserve => "reserve",
            Self::Release => "release",
            Self::Commit => "commit",
            Self::Expire => "expire",
            Self::Count => "count",
        }
    }

    /// The kind of that name, if there is one.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The size of the number range in an index.
    pub const NUMBERS: u32 = 32;

    /// The kind's number in an index.
    pub const fn code(self) -> u32 {
        self as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stock::{Adjusted, StockFact};
    use crate::{Sku, StoreId};

    #[test]
    fn names_are_unique_and_read_back() {
        for kind in MovementKind::ALL {
            assert_eq!(MovementKind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        for kind in AdjustKind::ALL {
            assert_eq!(AdjustKind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!((MovementKind::parse("SALE"), AdjustKind::parse("adjustment")), (None, None));
    }

    #[test]
    fn an_adjustment_has_its_kind_or_that_of_its_reason() {
        for (kind, reason, is) in [
            (None, None, MovementKind::Adjustment),
            (None, Some("broken"), MovementKind::Adjustment),
            (None, Some("sale"), MovementKind::Sale),
            (None, Some("opening stock"), MovementKind::Opening),
            (Some(AdjustKind::Removal), Some("sale"), MovementKind::Removal),
            (Some(AdjustKind::StockIn), None, MovementKind::StockIn),
        ] {
            let fact = StockFact::Adjust(Adjusted {
                sku: Sku::new("A").unwrap(),
                store_id: StoreId::new("S").unwrap(),
                delta: Quantity::new(1).unwrap(),
                expected_version: None,
                reason: reason.map(Into::into),
                reference: None,
                occurred_at: None,
                kind,
            });
            assert_eq!(MovementKind::of(&fact), is, "{kind:?} {reason:?}");
        }
    }
}
