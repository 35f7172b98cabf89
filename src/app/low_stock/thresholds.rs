//! Low-stock thresholds in memory, and which alerts are raised: what the write path asks before it decides.
//!
//! A store's own threshold counts in place of the product's. A command of levels that have a threshold takes the locks of their alerts,
//! too; where nobody has set a threshold, the write path pays for one read of a counter.

use crate::app::low_stock::sender::AlertEntries;
use crate::domain::{Key, Quantity, Sku, State, StoreId};
use parking_lot::RwLock;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};

/// What levels are held against.
#[derive(Debug, Default)]
pub(crate) struct LowStock {
    thresholds: RwLock<Thresholds>,
    alerts: RwLock<Alerts>,
    /// How often a threshold has changed; 0 while there was never one.
    changes: AtomicU64,
    /// Where in the log alerts stand that are to be told to others.
    pub(crate) alert_entries: AlertEntries,
}

#[derive(Debug, Default)]
struct Thresholds {
    products: HashMap<Sku, Quantity>,
    stores: HashMap<(StoreId, Sku), Quantity>,
}

/// A SKU in a store.
type Place = (StoreId, Sku);

#[derive(Debug, Default)]
struct Alerts {
    /// Alerts that are raised, and those that were cleared since somebody last looked for the raised ones: that they were
    /// may not be durable yet.
    places: BTreeMap<Place, AlertStatus>,
    raised: usize,
    notes: u64,
}

/// How memory has an alert, and the number of the note that said so.
#[derive(Debug, Clone, Copy)]
struct AlertStatus {
    raised: bool,
    note: u64,
}

/// Where a threshold has changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Changed {
    /// In all stores.
    Product(Sku),
    /// In one.
    Store(StoreId, Sku),
}

impl LowStock {
    /// The state under this key has moved; answers which threshold is another one now.
    pub(crate) fn note(&self, key: &Key, state: &State) -> Option<Changed> {
        let changed = match (key, state) {
            (Key::Product(sku), State::Product(master)) => {
                let now = master.details.as_ref().and_then(|product| product.low_stock_threshold);
                put(&mut self.thresholds.write().products, sku.clone(), now)
                    .then(|| Changed::Product(sku.clone()))
            }
            (Key::Threshold(store, sku), State::Threshold(master)) => {
                let place = (store.clone(), sku.clone());
                put(&mut self.thresholds.write().stores, place, master.details)
                    .then(|| Changed::Store(store.clone(), sku.clone()))
            }
            (Key::Alert(store, sku), State::Alert(alert)) => {
                self.alerts.write().put((store.clone(), sku.clone()), alert.raised.is_some());
                None
            }
            _ => None,
        };
        if changed.is_some() {
            self.changes.fetch_add(1, Ordering::AcqRel);
        }
        changed
    }

    /// How often a threshold has changed; 0: there is none.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// True while there was never a threshold and no alert is raised. After a start an alert may be raised still whose
    /// threshold is gone.
    pub(crate) fn is_idle(&self) -> bool {
        self.changes() == 0 && self.raised() == 0
    }

    /// The threshold of a SKU in a store: the store's own, or else the product's.
    pub(crate) fn threshold(&self, store: &StoreId, sku: &Sku) -> Option<Quantity> {
        let thresholds = self.thresholds.read();
        let own = if thresholds.stores.is_empty() {
            None
        } else {
            thresholds.stores.get(&(store.clone(), sku.clone()))
        };
        own.or_else(|| thresholds.products.get(sku)).copied()
    }

    /// How many alerts are raised.
    pub(crate) fn raised(&self) -> usize {
        self.alerts.read().raised
    }

    /// At most `limit` alerts behind `after` for which `wanted` holds, in the order of stores and SKUs, each with the number
    /// of its note: those that are raised, and those of which nobody has seen yet that they are cleared for good.
    pub(crate) fn alerts_after(
        &self,
        after: Option<&Place>,
        limit: usize,
        wanted: impl Fn(&StoreId, &Sku) -> bool,
    ) -> Vec<(Place, u64)> {
        let alerts = self.alerts.read();
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        let behind = alerts.places.range::<Place, _>((after, Bound::Unbounded));
        let wanted = behind.filter(|((store, sku), _)| wanted(store, sku)).take(limit);
        wanted.map(|(place, listed)| (place.clone(), listed.note)).collect()
    }

    /// Somebody has seen, since that note, that this alert is cleared and that a crash cannot change that.
    pub(crate) fn seen_cleared(&self, place: &Place, note: u64) {
        let mut alerts = self.alerts.write();
        if alerts.places.get(place).is_some_and(|listed| !listed.raised && listed.note == note) {
            alerts.places.remove(place);
        }
    }
}

impl Alerts {
    fn put(&mut self, place: Place, raised: bool) {
        self.notes += 1;
        let was = self.places.insert(place, AlertStatus { raised, note: self.notes });
        match (was.is_some_and(|was| was.raised), raised) {
            (false, true) => self.raised += 1,
            (true, false) => self.raised = self.raised.saturating_sub(1),
            _ => {}
        }
    }
}

/// Sets or takes away a value; true when that changed something.
fn put<K: Eq + std::hash::Hash>(map: &mut HashMap<K, Quantity>, key: K, value: Option<Quantity>) -> bool {
    let was = match value {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
    was != value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalogue::{Master, Product};

    fn sku() -> Sku {
        Sku::new("A").unwrap()
    }

    fn store(name: &str) -> StoreId {
        StoreId::new(name).unwrap()
    }

    fn product(threshold: Option<i64>) -> State {
        let details = Product {
            name: "Tea".into(),
            category: None,
            unit_price: None,
            barcode: None,
            low_stock_threshold: threshold.map(|pieces| Quantity::new(pieces).unwrap()),
            active: true,
        };
        State::Product(Box::new(Master { details: Some(details), version: 1, ..Master::default() }))
    }

    #[test]
    fn a_store_has_its_own_threshold_or_the_products() {
        let low = LowStock::default();
        assert_eq!((low.changes(), low.threshold(&store("S"), &sku())), (0, None));
        let key = Key::Product(sku());
        assert_eq!(low.note(&key, &product(Some(5))), Some(Changed::Product(sku())));
        assert_eq!(low.note(&key, &product(Some(5))), None, "something else was said of it");
        let own = Master { details: Some(Quantity::ZERO), version: 1, ..Master::default() };
        let place = Key::Threshold(store("S"), sku());
        assert!(low.note(&place, &State::Threshold(own)).is_some());
        assert_eq!(low.threshold(&store("S"), &sku()), Some(Quantity::ZERO));
        assert_eq!(low.threshold(&store("T"), &sku()).map(Quantity::get), Some(5));
        assert!(low.note(&place, &State::Threshold(Master::default())).is_some());
        assert!(low.note(&key, &product(None)).is_some());
        assert_eq!((low.changes(), low.threshold(&store("S"), &sku())), (4, None));
    }
}
