//! The low-stock projection: thresholds and raised alerts in memory.
//!
//! A store's own threshold replaces the product's. A command on levels with a threshold locks their alerts, too; without any threshold
//! the write path pays for one read of a counter.

use crate::low_stock::sender::AlertEntries;
use onhand_domain::{Key, Quantity, Sku, State, StoreId};
use parking_lot::RwLock;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};

/// The thresholds and alerts of all levels.
#[derive(Debug, Default)]
pub(crate) struct LowStock {
    thresholds: RwLock<Thresholds>,
    alerts: RwLock<Alerts>,
    /// The number of threshold changes; 0 while there was never a threshold.
    changes: AtomicU64,
    /// The entries with alerts for the sender.
    pub(crate) alert_entries: AlertEntries,
}

#[derive(Debug, Default)]
struct Thresholds {
    products: HashMap<Sku, Quantity>,
    stores: HashMap<(StoreId, Sku), Quantity>,
}

/// A SKU in a store.
type SkuInStore = (StoreId, Sku);

#[derive(Debug, Default)]
struct Alerts {
    /// The raised alerts, and the cleared ones until a read has seen that the clearing is durable.
    places: BTreeMap<SkuInStore, AlertStatus>,
    raised: usize,
    notes: u64,
}

/// An alert in memory, with the number of its latest change.
#[derive(Debug, Clone, Copy)]
struct AlertStatus {
    raised: bool,
    note: u64,
}

/// The scope of a threshold change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Changed {
    /// A product's threshold: all stores.
    Product(Sku),
    /// A store's own threshold.
    Store(StoreId, Sku),
}

impl LowStock {
    /// Applies a changed state; returns the threshold that has changed with it.
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

    /// The number of threshold changes; 0 while there was never a threshold.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// True while there was never a threshold and no alert is raised. After a start an alert may be raised whose threshold is gone.
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

    /// The number of raised alerts.
    pub(crate) fn raised(&self) -> usize {
        self.alerts.read().raised
    }

    /// At most `limit` alerts after `after` for which `wanted` holds, in the order of stores and SKUs, each with the number of its latest
    /// change: the raised ones, and the cleared ones that no read has confirmed.
    pub(crate) fn alerts_after(
        &self,
        after: Option<&SkuInStore>,
        limit: usize,
        wanted: impl Fn(&StoreId, &Sku) -> bool,
    ) -> Vec<(SkuInStore, u64)> {
        let alerts = self.alerts.read();
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        let behind = alerts.places.range::<SkuInStore, _>((after, Bound::Unbounded));
        let wanted = behind.filter(|((store, sku), _)| wanted(store, sku)).take(limit);
        wanted.map(|(place, listed)| (place.clone(), listed.note)).collect()
    }

    /// Confirms that an alert is durably cleared, unless it has changed since `note`.
    pub(crate) fn seen_cleared(&self, place: &SkuInStore, note: u64) {
        let mut alerts = self.alerts.write();
        if alerts.places.get(place).is_some_and(|listed| !listed.raised && listed.note == note) {
            alerts.places.remove(place);
        }
    }
}

impl Alerts {
    fn put(&mut self, place: SkuInStore, raised: bool) {
        self.notes += 1;
        let was = self.places.insert(place, AlertStatus { raised, note: self.notes });
        match (was.is_some_and(|was| was.raised), raised) {
            (false, true) => self.raised += 1,
            (true, false) => self.raised = self.raised.saturating_sub(1),
            _ => {}
        }
    }
}

/// Sets or removes a value; true when that changed it.
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
    use onhand_domain::catalogue::Product;
    use onhand_domain::master::Master;

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
