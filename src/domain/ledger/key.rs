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
    /// What is said of a product.
    Product(Sku),
    /// What is said of a store.
    Store(StoreId),
    /// The low-stock threshold of one SKU in one store.
    Threshold(StoreId, Sku),
    /// Whether one SKU is low in one store.
    Alert(StoreId, Sku),
}

impl Key {
    /// True for what each log of a ledger has for itself, however many there are.
    pub const fn is_of_one_log(&self) -> bool {
        matches!(self, Self::Clock)
    }

    /// True for what one process among several may decide on only under a lease of it: not for what each log has for itself,
    /// and not for an alert, which is only ever decided on together with its level.
    pub const fn has_lease(&self) -> bool {
        !matches!(self, Self::Clock | Self::Alert(..))
    }

    /// The key that is shown as `text`, if there is one.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(import) = text.strip_prefix("import ") {
            return ImportId::new(import).ok().map(Self::Import);
        }
        // No store has a space in its id, so this is no level.
        if let Some(sku) = text.strip_prefix("product ") {
            return Sku::new(sku).ok().map(Self::Product);
        }
        if let Some(store) = text.strip_prefix("store ") {
            return StoreId::new(store).ok().map(Self::Store);
        }
        let (text, of): (_, fn(StoreId, Sku) -> Self) = match text.split_once(' ') {
            Some(("threshold", place)) => (place, Self::Threshold),
            Some(("alert", place)) => (place, Self::Alert),
            _ => (text, Self::Level),
        };
        let (store, sku) = text.split_once('/')?;
        Some(of(StoreId::new(store).ok()?, Sku::new(sku).ok()?))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level(store, sku) => write!(formatter, "{store}/{sku}"),
            Self::Import(import) => write!(formatter, "import {import}"),
            Self::Clock => formatter.write_str("clock"),
            Self::Product(sku) => write!(formatter, "product {sku}"),
            Self::Store(store) => write!(formatter, "store {store}"),
            Self::Threshold(store, sku) => write!(formatter, "threshold {store}/{sku}"),
            Self::Alert(store, sku) => write!(formatter, "alert {store}/{sku}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_shown() {
        let level = Key::Level(StoreId::new("import").unwrap(), Sku::new("BANK CHARGES").unwrap());
        let product = Key::Product(Sku::new("BANK CHARGES").unwrap());
        let store = Key::Store(StoreId::new("product").unwrap());
        let place = || (StoreId::new("alert").unwrap(), Sku::new("BANK CHARGES").unwrap());
        let threshold = Key::Threshold(place().0, place().1);
        let alert = Key::Alert(place().0, place().1);
        for key in [level, Key::Import(ImportId::new("a-1").unwrap()), product, store, threshold, alert] {
            assert_eq!(Key::parse(&key.to_string()), Some(key));
        }
        assert_eq!(Key::parse("import"), None);
        assert_eq!(Key::parse("a/b/c"), None);
    }
}
