//! The catalogue as a gate: where `CATALOG_STRICT` is on, stock comes only to levels whose SKU it knows.
//!
//! Which SKUs it knows is asked of memory when a command is decided, without the product's mutex or lease: a change of the
//! product at the same moment counts or does not, as it happens. Among several processes a SKU that is unknown here is
//! looked for in what the others have written before it is refused.

use crate::app::Ledger;
use crate::app::ledger::entities::Entity;
use crate::app::ledger::projection::{Moved, Projection};
use crate::domain::catalogue::UnlistedKeys;
use crate::domain::{Evidence, Key, Sequence, Sku, State};
use parking_lot::RwLock;
use std::collections::{HashMap, HashSet};
use std::ops::Bound;

/// The products there are.
#[derive(Debug, Default)]
pub(in crate::app) struct KnownProducts(RwLock<KnownSkus>);

#[derive(Debug, Default)]
struct KnownSkus {
    skus: HashSet<Sku>,
    /// Those that were taken out, and the entry that did it by where it ends: a refusal that rests on it waits until then.
    gone: HashMap<Sku, Sequence>,
}

impl Projection for KnownProducts {
    fn changed(&self, moved: &Moved<'_>) -> Option<Key> {
        if let (Key::Product(sku), State::Product(master)) = (moved.key, moved.state) {
            let mut known = self.0.write();
            if master.details.is_some() {
                known.skus.insert(sku.clone());
                // Also when memory is rolled back: what never happened is not waited for.
                known.gone.remove(sku);
            } else {
                known.skus.remove(sku);
                known.gone.insert(sku.clone(), moved.head);
            }
        }
        None
    }

    fn restored(&self, states: &HashMap<Key, State>) -> Vec<Key> {
        for (key, state) in states {
            self.changed(&Moved { key, state, head: Sequence::START, own: false });
        }
        Vec::new()
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
    /// Which of these keys are of levels whose SKU the catalogue does not know.
    fn unlisted(&self, keys: &[Key]) -> Vec<bool> {
        let known = self.0.read();
        keys.iter().map(|key| matches!(key, Key::Level(_, sku) if !known.skus.contains(sku))).collect()
    }
}

impl Ledger {
    /// The same ledger, which takes in and promises only what the catalogue knows.
    #[must_use]
    pub fn with_strict_catalog(mut self) -> Self {
        let known = KnownProducts::default();
        for key in self.entities.keys_after(Bound::Unbounded, usize::MAX) {
            if let Some(slot) = self.entities.find(&key).as_deref().and_then(Entity::try_lock) {
                known.changed(&Moved { key: &key, state: &slot.state, head: slot.head, own: true });
            }
        }
        self.projections.known_products = Some(known);
        self
    }
}
