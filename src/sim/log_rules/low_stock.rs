//! The rules of products, stores, thresholds and alerts in the log of one process.

use onhand_domain::low_stock::AlertFact;
use onhand_domain::{After, Entry, Event, Fact, Key, Quantity, Sku, StoreId};
use std::collections::{BTreeSet, HashMap, HashSet};

/// A SKU in a store.
type StoreSku = (StoreId, Sku);

/// Versions rise by one. An alert is in the entry of the event that crossed the threshold, behind that event; it is
/// raised and cleared alternately.
#[derive(Default)]
pub(super) struct LowStockRules {
    versions: HashMap<Key, u64>,
    /// The thresholds of products have no store.
    thresholds: HashMap<(Option<StoreId>, Sku), Quantity>,
    /// Sellable pieces by level.
    levels: HashMap<StoreSku, Quantity>,
    raised: HashSet<StoreSku>,
}

impl LowStockRules {
    /// Checks the next entry of the log.
    ///
    /// # Panics
    /// When the entry breaks a rule.
    pub(super) fn check(&mut self, entry: &Entry) {
        let (mut moved, mut rung) = (BTreeSet::new(), BTreeSet::new());
        for event in &entry.events {
            self.count(event);
            match (&event.fact, event.after) {
                (Fact::Level(fact), After::Level(after)) => {
                    let (store, sku) = fact.place();
                    let place = (store.clone(), sku.clone());
                    assert!(
                        !rung.contains(&place),
                        "an alert stands behind all that moves its level: {entry:?}"
                    );
                    self.levels.insert(place.clone(), after.qty());
                    moved.insert(place);
                }
                (Fact::Product(fact), _) => {
                    let threshold = fact.product.as_ref().and_then(|product| product.low_stock_threshold);
                    self.set((None, fact.sku.clone()), threshold);
                }
                (Fact::Threshold(fact), _) => {
                    self.set((Some(fact.store_id.clone()), fact.sku.clone()), fact.low_stock_threshold);
                }
                (Fact::Alert(fact), _) => {
                    let place = (fact.store_id.clone(), fact.sku.clone());
                    assert_eq!((event.op, &event.idempotency), (None, &None), "an alert is of no operation");
                    self.ring(&place, fact);
                    assert!(rung.insert(place), "an alert is raised or cleared once in an entry: {entry:?}");
                }
                _ => {}
            }
        }
        for place in moved.iter().filter(|place| self.threshold(place).is_some()) {
            let (low, raised) = (self.is_low(place), self.raised.contains(place));
            assert_eq!(
                raised, low,
                "{place:?}: what crosses a threshold has its alert in its entry: {entry:?}"
            );
        }
    }

    fn count(&mut self, event: &Event) {
        if matches!(event.after, After::Product(_) | After::Store(_) | After::Threshold(_) | After::Alert(_))
        {
            let version = self.versions.entry(event.fact.key()).or_default();
            *version += 1;
            assert_eq!(event.after.version(), *version, "versions rise by one: {event:?}");
        }
    }

    fn set(&mut self, of: (Option<StoreId>, Sku), threshold: Option<Quantity>) {
        match threshold {
            Some(threshold) => self.thresholds.insert(of, threshold),
            None => self.thresholds.remove(&of),
        };
    }

    fn threshold(&self, (store, sku): &StoreSku) -> Option<Quantity> {
        let own = self.thresholds.get(&(Some(store.clone()), sku.clone()));
        own.or_else(|| self.thresholds.get(&(None, sku.clone()))).copied()
    }

    fn is_low(&self, place: &StoreSku) -> bool {
        self.levels.get(place).zip(self.threshold(place)).is_some_and(|(qty, threshold)| *qty <= threshold)
    }

    fn ring(&mut self, place: &StoreSku, fact: &AlertFact) {
        let told = (fact.raised, fact.qty, fact.threshold);
        let qty = self.levels.get(place).copied().expect("an alert is of a level");
        assert_eq!(
            told,
            (self.is_low(place), qty, self.threshold(place)),
            "{place:?}: an alert tells what is"
        );
        let changed = if fact.raised { self.raised.insert(place.clone()) } else { self.raised.remove(place) };
        assert!(changed, "{place:?}: an alert is raised and cleared in turn");
    }
}
