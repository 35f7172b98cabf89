//! Low stock in the write path: which alerts a command decides on beside its levels, and when a changed threshold is
//! looked at.

use super::Ledger;
use crate::app::low_stock::Changed;
use crate::domain::{Key, Quantity, Sequence, Sku, State, StoreId};
use std::collections::HashMap;

impl Ledger {
    /// The keys of a command and of the alerts of its levels, as far as those have a threshold; sorted and unique.
    pub(super) fn with_alerts(&self, mut keys: Vec<Key>) -> Vec<Key> {
        if self.low_stock.changes() == 0 {
            return keys;
        }
        let alert = |key: &Key| match key {
            Key::Level(store, sku) if self.low_stock.threshold(store, sku).is_some() => {
                Some(Key::Alert(store.clone(), sku.clone()))
            }
            _ => None,
        };
        let alerts: Vec<Key> = keys.iter().filter_map(alert).collect();
        if !alerts.is_empty() {
            keys.extend(alerts);
            keys.sort_unstable();
            keys.dedup();
        }
        keys
    }

    /// The thresholds at the positions of the alerts' keys; empty when there are no alerts among them.
    pub(super) fn thresholds(&self, keys: &[Key]) -> Vec<Option<Quantity>> {
        // Alerts stand behind all other keys.
        if !matches!(keys.last(), Some(Key::Alert(..))) {
            return Vec::new();
        }
        let threshold = |key: &Key| match key {
            Key::Alert(store, sku) => self.low_stock.threshold(store, sku),
            _ => None,
        };
        keys.iter().map(threshold).collect()
    }

    /// Has somebody look at the levels of these keys, because a threshold has changed since they were collected: the
    /// change may have been looked at before what was done to them now.
    pub(super) fn look_again(&self, keys: &[Key], changes: u64) {
        if self.low_stock.changes() != changes {
            for key in keys {
                if let Key::Level(store, sku) = key {
                    self.look_at(store.clone(), sku.clone());
                }
            }
        }
    }

    /// The durable end of the log, up to which every alert has been heard of.
    pub(crate) fn noted_end(&self) -> Sequence {
        let end = self.parts.log.durable().sequence();
        // Whoever appended something up to there has noted it once this is had.
        drop(self.noting.write());
        end
    }

    /// A threshold is another one now: somebody looks at all levels it is held against.
    pub(super) fn look_at_changed(&self, changed: Changed) {
        match changed {
            Changed::Store(store, sku) => self.look_at(store, sku),
            Changed::Product(sku) => {
                let mut store = self.next_with_stock(None);
                while let Some(current) = store {
                    if self.entities.find(&Key::Level(current.clone(), sku.clone())).is_some() {
                        self.look_at(current.clone(), sku.clone());
                    }
                    store = self.next_with_stock(Some(&current));
                }
            }
        }
    }

    fn look_at(&self, store: StoreId, sku: Sku) {
        self.due.note(self.now(), Key::Alert(store, sku));
    }

    /// At a start: takes in thresholds and alerts, and has somebody look at levels that are not as their alert says,
    /// because the last run ended between a change of a threshold and the look at its levels.
    pub(super) fn restore_low_stock(&self, states: &HashMap<Key, State>) {
        for (key, state) in states {
            self.low_stock.note(key, state);
        }
        if self.low_stock.changes() == 0 {
            return;
        }
        for (key, state) in states {
            let (Key::Level(store, sku), State::Level(level)) = (key, state) else { continue };
            let threshold = self.low_stock.threshold(store, sku);
            let low = threshold.is_some_and(|threshold| level.after().qty() <= threshold);
            let raised = match states.get(&Key::Alert(store.clone(), sku.clone())) {
                Some(State::Alert(alert)) => alert.raised.is_some(),
                _ => false,
            };
            if low != raised {
                self.look_at(store.clone(), sku.clone());
            }
        }
    }
}
