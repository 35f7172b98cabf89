//! The catalogue as a gate: where `CATALOG_STRICT` is on, pieces come only to levels whose SKU it knows.
//!
//! Which SKUs it knows is asked of memory when a command is decided, without the product's mutex or lease: what is said of
//! a product at the same moment counts or does not, as it happens. Among several processes a SKU that is unknown here is
//! looked for in what the others have written before it is refused.

use super::Ledger;
use crate::app::ledger::entities::{Entity, Slot};
use crate::app::ports::HistoryError;
use crate::domain::{Key, Sequence, Sku, State};
use parking_lot::RwLock;
use std::collections::{HashMap, HashSet};
use std::ops::Bound;

/// The products there are.
#[derive(Debug, Default)]
pub(super) struct KnownProducts(RwLock<Known>);

#[derive(Debug, Default)]
struct Known {
    skus: HashSet<Sku>,
    /// Those that were taken out, and the entry that did it by where it ends: a refusal that rests on it waits until then.
    gone: HashMap<Sku, Sequence>,
}

impl KnownProducts {
    /// The state under this key has moved, in the entry that ends there.
    pub(super) fn note(&self, key: &Key, slot: &Slot) {
        if let (Key::Product(sku), State::Product(master)) = (key, &slot.state) {
            let mut known = self.0.write();
            if master.details.is_some() {
                known.skus.insert(sku.clone());
                // Also when memory goes back: what never happened is not waited for.
                known.gone.remove(sku);
            } else {
                known.skus.remove(sku);
                known.gone.insert(sku.clone(), slot.head);
            }
        }
    }
}

impl Ledger {
    /// The same ledger, which takes in and promises only what the catalogue knows.
    #[must_use]
    pub fn with_strict_catalog(mut self) -> Self {
        let known = KnownProducts::default();
        for key in self.entities.keys_after(Bound::Unbounded, usize::MAX) {
            if let Some(slot) = self.entities.find(&key).as_deref().and_then(Entity::try_lock) {
                known.note(&key, &slot);
            }
        }
        self.known_products = Some(known);
        self
    }

    /// Which of these keys are of levels whose SKU the catalogue must know and does not; empty when it must not.
    pub(super) fn unlisted(&self, keys: &[Key]) -> Vec<bool> {
        let Some(known) = &self.known_products else { return Vec::new() };
        let known = known.0.read();
        keys.iter().map(|key| matches!(key, Key::Level(_, sku) if !known.skus.contains(sku))).collect()
    }

    /// How far the log must be durable for these keys to be unlisted for good.
    pub(super) fn unlisted_head(&self, keys: &[Key]) -> Sequence {
        let Some(known) = &self.known_products else { return Sequence::START };
        let known = known.0.read();
        let gone = |key: &Key| match key {
            Key::Level(_, sku) => known.gone.get(sku).copied(),
            _ => None,
        };
        keys.iter().filter_map(gone).max().unwrap_or_default()
    }

    /// Before a SKU is refused that is unknown here: what other processes have said until now.
    pub(super) async fn look_for_products(&self, keys: &[Key]) -> Result<(), HistoryError> {
        if self.is_shared() && self.unlisted(keys).contains(&true) {
            self.catch_up().await?;
        }
        Ok(())
    }
}
