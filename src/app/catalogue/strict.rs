//! The strict catalogue: with `CATALOG_STRICT`, only levels of known SKUs may receive stock.
//!
//! A decision reads the known SKUs from memory, without the product's lock or lease; a concurrent change of the product is seen or not.
//! Among several processes the logs of the others are applied before an unknown SKU is refused.

use crate::Ledger;
use crate::ledger::entities::Entity;
use crate::ledger::projection::{Moved, Projection};
use onhand_domain::catalogue::UnlistedKeys;
use onhand_domain::{Evidence, Key, Sequence, Sku, State};
use parking_lot::RwLock;
use std::collections::{HashMap, HashSet};
use std::ops::Bound;

/// The SKUs of the catalogue.
#[derive(Debug, Default)]
pub(crate) struct KnownProducts(RwLock<KnownSkus>);

#[derive(Debug, Default)]
struct KnownSkus {
    skus: HashSet<Sku>,
    /// The removed SKUs with the last sequence of the removing entry: a refusal that rests on the removal waits until it is durable.
    gone: HashMap<Sku, Sequence>,
}

impl Projection for KnownProducts {
    fn changed(&self, moved: &Moved<'_>) -> Option<Key> {
        if let (Key::Product(sku), State::Product(master)) = (moved.key, moved.state) {
            let mut known = self.0.write();
            if master.details.is_some() {
                known.skus.insert(sku.clone());
                // A rollback of the removal ends here, too: no refusal may wait for an entry that never becomes durable.
                known.gone.remove(sku);
            } else {
                known.skus.remove(sku);
                known.gone.insert(sku.clone(), moved.head);
            }
        }
        None
    }

    fn evidence(&self, keys: &[Key], evidence: &mut Evidence) {
        evidence.add(UnlistedKeys(self.unlisted(keys)));
    }

    fn is_in_doubt(&self, keys: &[Key]) -> bool {
        self.unlisted(keys).contains(&true)
    }

    fn rests_on(&self, keys: &[Key]) -> Sequence {
        let known = self.0.read();
        let gone = |key: &Key| match key {
            Key::Level(_, sku) => known.gone.get(sku).copied(),
            _ => None,
        };
        keys.iter().filter_map(gone).max().unwrap_or_default()
    }
}

impl KnownProducts {
    /// For each key whether it is a level of a SKU that the catalogue does not know.
    fn unlisted(&self, keys: &[Key]) -> Vec<bool> {
        let known = self.0.read();
        keys.iter().map(|key| matches!(key, Key::Level(_, sku) if !known.skus.contains(sku))).collect()
    }
}

impl Ledger {
    /// The ledger with a strict catalogue: it accepts and reserves stock of known SKUs only.
    #[must_use]
    pub fn with_strict_catalog(mut self) -> Self {
        let known = KnownProducts::default();
        for key in self.entities.keys_after(Bound::Unbounded, usize::MAX) {
            if let Some(slot) = self.entities.find(&key).as_deref().and_then(Entity::try_lock) {
                known.changed(&Moved {
                    key: &key,
                    state: &slot.state,
                    head: slot.head,
                    own: true,
                    rolled_back: false,
                });
            }
        }
        self.projections.known_products = Some(known);
        self
    }
}
