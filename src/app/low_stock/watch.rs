//! Low stock in the write path: the alerts that a command decides on beside its levels, the thresholds as evidence, and the
//! re-evaluation of levels after a change of a threshold.
//!
//! A threshold is read without its own lock. That is enough: a command reads it with the slots of its levels locked, and a later change
//! of the threshold re-evaluates every level it applies to, which takes those locks.

use crate::Ledger;
use crate::ledger::projection::{Moved, Projection};
use crate::low_stock::thresholds::{Changed, LowStock};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use onhand_domain::low_stock::KeyThresholds;
use onhand_domain::{Evidence, Key, Sku, State, StoreId};
use std::collections::HashMap;

impl Projection for LowStock {
    fn changed(&self, moved: &Moved<'_>) -> Option<Key> {
        if moved.own && matches!(moved.key, Key::Alert(..)) {
            self.alert_entries.note(moved.head);
        }
        self.note(moved.key, moved.state).map(|changed| match changed {
            Changed::Store(store, sku) => Key::Alert(store, sku),
            // The levels are found by the task of due states: one command may change thousands of products.
            Changed::Product(sku) => Key::Product(sku),
        })
    }

    fn restored(&self, states: &HashMap<Key, State>) -> Vec<Key> {
        for (key, state) in states {
            self.note(key, state);
        }
        if self.is_idle() {
            return Vec::new();
        }
        let wrong = |(key, state): (&Key, &State)| {
            let Key::Level(store, sku) = key else { return None };
            let alert = Key::Alert(store.clone(), sku.clone());
            let raised = states.get(&alert).is_some_and(is_raised);
            (self.is_low(store, sku, state) != raised).then_some(alert)
        };
        states.iter().filter_map(wrong).collect()
    }

    fn beside(&self, keys: &[Key], all: bool, more: &mut Vec<Key>) {
        if self.changes() == 0 && !all {
            return;
        }
        let alert = |key: &Key| match key {
            Key::Level(store, sku) if all || self.threshold(store, sku).is_some() => {
                Some(Key::Alert(store.clone(), sku.clone()))
            }
            _ => None,
        };
        more.extend(keys.iter().filter_map(alert));
    }

    fn evidence(&self, keys: &[Key], evidence: &mut Evidence) {
        if self.changes() == 0 && !matches!(keys.last(), Some(Key::Alert(..))) {
            return;
        }
        let threshold = |key: &Key| match key {
            Key::Level(store, sku) | Key::Alert(store, sku) => self.threshold(store, sku),
            _ => None,
        };
        evidence.add(KeyThresholds(keys.iter().map(threshold).collect()));
    }

    fn due_for<'a>(&'a self, ledger: &'a Ledger, due: &'a Key) -> Option<BoxFuture<'a, Vec<Key>>> {
        let Key::Product(sku) = due else { return None };
        Some(alerts_of(ledger, sku).boxed())
    }

    fn stale<'a>(&'a self, ledger: &'a Ledger, moved: &'a Key) -> Option<BoxFuture<'a, Option<Key>>> {
        let Key::Level(store, sku) = moved else { return None };
        if self.is_idle() {
            return None;
        }
        let alert = async move {
            self.alert_is_wrong(ledger, store, sku).await.then(|| Key::Alert(store.clone(), sku.clone()))
        };
        Some(alert.boxed())
    }
}

impl LowStock {
    /// True when a level is low and its alert is not raised, or the reverse.
    async fn alert_is_wrong(&self, ledger: &Ledger, store: &StoreId, sku: &Sku) -> bool {
        let low = match ledger.entities.find(&Key::Level(store.clone(), sku.clone())) {
            Some(level) => self.is_low(store, sku, &level.lock().await.state),
            None => false,
        };
        let raised = match ledger.entities.find(&Key::Alert(store.clone(), sku.clone())) {
            Some(alert) => is_raised(&alert.lock().await.state),
            None => false,
        };
        low != raised
    }

    fn is_low(&self, store: &StoreId, sku: &Sku, level: &State) -> bool {
        let State::Level(level) = level else { return false };
        let threshold = self.threshold(store, sku);
        level.version() > 0 && threshold.is_some_and(|threshold| level.qty() <= threshold)
    }
}

/// The keys of the alerts of a SKU in all stores.
async fn alerts_of(ledger: &Ledger, sku: &Sku) -> Vec<Key> {
    // Yields to other tasks: thousands of products may be due.
    tokio::task::coop::consume_budget().await;
    let has_level = |store: &StoreId| ledger.entities.find(&Key::Level(store.clone(), sku.clone())).is_some();
    let stores = ledger.stores_with_stock(None).filter(has_level);
    stores.map(|store| Key::Alert(store, sku.clone())).collect()
}

fn is_raised(alert: &State) -> bool {
    matches!(alert, State::Alert(alert) if alert.raised.is_some())
}
