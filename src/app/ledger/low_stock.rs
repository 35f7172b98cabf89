//! Low stock in the write path: which alerts a command decides on beside its levels, and when a changed threshold is
//! looked at.

use super::Ledger;
use crate::app::low_stock::thresholds::Changed;
use crate::domain::{Key, Quantity, Sequence, Sku, State, StoreId};
use std::collections::HashMap;
use std::time::Duration;

/// How long is waited for those who are noting something.
const NOTING: Duration = Duration::from_millis(1);

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
    ///
    /// Waits for those who are noting something, and keeps nobody from it.
    pub(crate) async fn noted_end(&self) -> Sequence {
        let end = self.parts.log.durable().sequence();
        // Whoever appended something up to there has noted it once this is had.
        while self.noting.try_write().is_none() {
            self.parts.clock.sleep(NOTING).await;
        }
        end
    }

    /// A threshold is another one now: somebody looks at all levels it is held against.
    pub(super) fn look_at_changed(&self, changed: Changed) {
        match changed {
            Changed::Store(store, sku) => self.look_at(store, sku),
            // Whoever looks finds the levels: thousands of products may change in one command.
            Changed::Product(sku) => self.due.note(self.now_of_logs(), Key::Product(sku)),
        }
    }

    /// The thresholds of these products have changed: somebody looks at their levels, in whatever store.
    pub(super) async fn look_at_levels_of(&self, products: Vec<Key>) {
        let stores: Vec<StoreId> = self.stores_with_stock(None).collect();
        for product in products {
            let Key::Product(sku) = product else { continue };
            // Others have their turn in between.
            tokio::task::coop::consume_budget().await;
            for store in &stores {
                if self.entities.find(&Key::Level(store.clone(), sku.clone())).is_some() {
                    self.look_at(store.clone(), sku.clone());
                }
            }
        }
    }

    /// True when a level is low and its alert is not raised, or the other way round.
    pub(super) async fn alert_is_wrong(&self, store: &StoreId, sku: &Sku) -> bool {
        if self.low_stock.is_idle() {
            return false;
        }
        let low = match self.entities.find(&Key::Level(store.clone(), sku.clone())) {
            Some(level) => self.is_low(store, sku, &level.lock().await.state),
            None => false,
        };
        let raised = match self.entities.find(&Key::Alert(store.clone(), sku.clone())) {
            Some(alert) => is_raised(&alert.lock().await.state),
            None => false,
        };
        low != raised
    }

    /// Another process has moved this level, perhaps before it knew of a threshold that is known here, and may be gone by now:
    /// somebody looks at it if its alert does not fit.
    pub(super) async fn look_at_moved(&self, key: &Key) {
        if let Key::Level(store, sku) = key
            && self.alert_is_wrong(store, sku).await
        {
            self.look_at(store.clone(), sku.clone());
        }
    }

    fn is_low(&self, store: &StoreId, sku: &Sku, level: &State) -> bool {
        let State::Level(level) = level else { return false };
        let threshold = self.low_stock.threshold(store, sku);
        level.version() > 0 && threshold.is_some_and(|threshold| level.after().qty() <= threshold)
    }

    /// At once: log time is never before the last entry, and while others are joined it is not known yet.
    fn look_at(&self, store: StoreId, sku: Sku) {
        self.due.note(self.now_of_logs(), Key::Alert(store, sku));
    }

    /// At a start: takes in thresholds and alerts, and has somebody look at levels that are not as their alert says,
    /// because the last run ended between a change of a threshold and the look at its levels.
    pub(super) fn restore_low_stock(&self, states: &HashMap<Key, State>) {
        for (key, state) in states {
            self.low_stock.note(key, state);
        }
        if self.low_stock.is_idle() {
            return;
        }
        for (key, state) in states {
            let Key::Level(store, sku) = key else { continue };
            let raised = states.get(&Key::Alert(store.clone(), sku.clone())).is_some_and(is_raised);
            if self.is_low(store, sku, state) != raised {
                self.look_at(store.clone(), sku.clone());
            }
        }
    }
}

fn is_raised(alert: &State) -> bool {
    matches!(alert, State::Alert(alert) if alert.raised.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Meta;
    use crate::domain::low_stock::ThresholdCommand;
    use crate::domain::stock::{Batch, Operation, StockCommand, Verb};
    use crate::domain::{Command, EventKind, Expected};
    use crate::sim::disk::SimDisk;
    use crate::sim::node::{SimNode, SimSettings};
    use std::pin::pin;
    use std::task::{Context, Waker};

    fn place(sku: &str) -> (StoreId, Sku) {
        (StoreId::new("S").unwrap(), Sku::new(sku).unwrap())
    }

    fn qty(pieces: i64) -> Quantity {
        Quantity::new(pieces).unwrap()
    }

    fn adjust(sku: &str, delta: i64) -> Operation {
        let verb = Verb::Adjust { delta: qty(delta), reason: None, reference: None };
        let (store_id, sku) = place(sku);
        let command = StockCommand { store_id, sku, expected: Expected::Any, verb };
        Operation { command, idempotency: None, known: None }
    }

    fn batch(operations: Vec<Operation>) -> Command {
        Command::Batch(Batch { atomic: true, operations })
    }

    /// The batch has found that nobody watches B, and waits for A; meanwhile B gets a threshold, and that has been looked at
    /// before the batch comes to B.
    #[tokio::test]
    async fn a_command_that_had_looked_at_the_old_threshold_has_its_levels_looked_at_again() {
        let disk = SimDisk::new(1);
        let node = SimNode::open(
            &disk,
            &std::sync::Arc::default(),
            &std::sync::Arc::default(),
            SimSettings::default(),
        );
        let (node, meta) = (node.unwrap(), Meta::default());
        node.execute(batch(vec![adjust("A", 10), adjust("B", 10)]), &meta).await.unwrap();
        let (store, sku) = place("A");
        let entity = node.ledger.entities.entity(&Key::Level(store, sku));
        let held = entity.lock().await;
        let mut late = pin!(node.ledger.execute(batch(vec![adjust("A", -1), adjust("B", -8)]), &meta));
        assert!(late.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let (store_id, sku) = place("B");
        let low_stock_threshold = Some(qty(5));
        let set = ThresholdCommand { store_id, sku, expected: Expected::Any, low_stock_threshold };
        node.execute(Command::Threshold(set), &meta).await.unwrap();
        node.drive(node.ledger.expire_due()).await.unwrap();
        drop(held);
        let done = node.drive(late).await.unwrap();
        assert!(done.events.iter().all(|event| event.kind == EventKind::Adjust), "it knew of no threshold");
        node.drive(node.ledger.expire_due()).await.unwrap();
        assert_eq!(node.ledger.alerts_raised(), 1);
    }
}
