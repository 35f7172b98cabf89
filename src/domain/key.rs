//! What a state is found by; the order of keys is the order in which their mutexes are taken.

use crate::domain::{ImportId, Sku, StoreId};
use std::fmt;

/// The name of one state in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The stock of one SKU in one store.
    Level(StoreId, Sku),
    /// The progress of one bulk import.
    Import(ImportId),
    /// The time of the log: one to a node.
    Clock,
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level(store, sku) => write!(formatter, "{store}/{sku}"),
            Self::Import(import) => write!(formatter, "import {import}"),
            Self::Clock => formatter.write_str("clock"),
        }
    }
}
