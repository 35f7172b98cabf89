//! One store with its pieces, as a plan sees it.

use crate::{Quantity, StoreId};
use serde::Serialize;

/// A store that might send something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The store.
    pub store_id: StoreId,
    /// True when its details say that it is closed.
    pub closed: bool,
    /// Its levels of the SKUs that are asked for, in their order; no pieces where it has none.
    pub levels: Vec<SiteLevel>,
}

/// The level of one SKU in a store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SiteLevel {
    /// Sellable pieces.
    pub qty: Quantity,
    /// The version of the level; 0 when it does not exist.
    pub version: u64,
}

/// Why a store is left out of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeftOut {
    /// Its details say that it is closed.
    Closed,
    /// The rules exclude it.
    Excluded,
    /// It has nothing of what is asked for, beyond what it keeps back.
    NothingToGive,
}
