//! The rules of a chain: how stores are ranked, and what a store keeps back.

use crate::limits::INTEGER_MAX;
use crate::present::present;
use crate::{Quantity, StoreId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How one rule puts stores in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rank {
    /// A store that has everything, before one that has not.
    Complete,
    /// By the `priority` of the store, the lowest first; one without comes last.
    Priority,
    /// The store that has most of the pieces asked for.
    MostPieces,
    /// The store that keeps most pieces of the scarcest SKU afterwards.
    MostLeftOver,
}

/// The rules of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Rules {
    /// How stores are ranked; the first rule that tells two apart decides. Each rule once.
    pub ranks: Vec<Rank>,
    /// Pieces of each SKU that every store keeps for its own customers.
    pub keeps_back: Quantity,
    /// What is different for single stores.
    pub stores: BTreeMap<StoreId, SiteRules>,
}

/// What is different for one store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SiteRules {
    /// True when it sends nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub excluded: bool,
    /// For [`Rank::Priority`]; the lowest comes first.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub priority: Option<u32>,
    /// In place of [`Rules::keeps_back`].
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub keeps_back: Option<Quantity>,
}

impl Default for Rules {
    /// Complete stores first, then by priority, then the one that keeps most.
    fn default() -> Self {
        let ranks = vec![Rank::Complete, Rank::Priority, Rank::MostLeftOver];
        Self { ranks, keeps_back: Quantity::ZERO, stores: BTreeMap::new() }
    }
}

impl Rules {
    pub(super) fn keeps_back(&self, store: &StoreId) -> Quantity {
        self.stores.get(store).and_then(|store| store.keeps_back).unwrap_or(self.keeps_back)
    }

    pub(super) fn priority(&self, store: &StoreId) -> i64 {
        let priority = self.stores.get(store).and_then(|store| store.priority);
        priority.map_or(INTEGER_MAX, i64::from)
    }

    pub(super) fn excludes(&self, store: &StoreId) -> bool {
        self.stores.get(store).is_some_and(|store| store.excluded)
    }
}
