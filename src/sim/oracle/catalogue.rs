//! What is said of products and of the store, and what follows from it: thresholds, and the alerts of levels that are low.

use super::{Expect, ItemFate, Oracle, Saying, What};
use std::collections::BTreeMap;

/// What is said of a product: by a number what it is called, and how few pieces are few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the sentence says it")]
pub struct Goods {
    pub name: u32,
    pub threshold: Option<i64>,
}

/// What is said of one thing, under a version of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said<T> {
    /// Nothing, before the first time and after the last.
    pub details: Option<T>,
    /// Events so far.
    pub version: u64,
}

/// Whether a level is low.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Alert {
    /// The pieces and the threshold that raised it.
    pub raised: Option<(i64, i64)>,
    /// Events so far.
    pub version: u64,
}

/// Everything that is said, and the alerts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalogue {
    /// Of products, by SKU.
    pub products: BTreeMap<&'static str, Said<Goods>>,
    /// Of the store: what it is called.
    pub store: Said<u32>,
    /// The store's own thresholds, by SKU.
    pub thresholds: BTreeMap<&'static str, Said<i64>>,
    /// By SKU.
    pub alerts: BTreeMap<&'static str, Alert>,
}

impl<T> Default for Said<T> {
    fn default() -> Self {
        Self { details: None, version: 0 }
    }
}

impl<T: Copy> Said<T> {
    /// The version somebody meets: what is not there has none.
    fn met(self) -> u64 {
        if self.details.is_some() { self.version } else { 0 }
    }

    /// What is shown of it, and its version.
    pub fn shown(self) -> Option<(T, u64)> {
        Some((self.details?, self.version))
    }

    fn turn(&mut self, details: Option<T>) -> u64 {
        self.version += 1;
        self.details = details;
        self.version
    }
}

impl Catalogue {
    /// The store's own threshold, or that of the product.
    pub fn threshold(&self, sku: &str) -> Option<i64> {
        let own = self.thresholds.get(sku).and_then(|said| said.details);
        own.or_else(|| self.products.get(sku)?.details?.threshold)
    }

    /// The version that is met by who says this.
    pub fn version(&self, saying: &Saying) -> u64 {
        match saying {
            Saying::Create(sku, _)
            | Saying::Replace(sku, _)
            | Saying::Change(sku, _)
            | Saying::Remove(sku) => self.product(sku).met(),
            Saying::Store { .. } => self.store.met(),
            Saying::Threshold(sku, _) => self.thresholds.get(sku).copied().unwrap_or_default().met(),
        }
    }

    fn product(&self, sku: &str) -> Said<Goods> {
        self.products.get(sku).copied().unwrap_or_default()
    }

    /// What comes of saying it, with its version, or the code of the refusal. The version is looked at first.
    pub(super) fn say(&mut self, saying: &Saying, expect: Expect) -> Result<(What, u64), &'static str> {
        let version = self.version(saying);
        match expect {
            Expect::Wrong => return Err("version-conflict"),
            Expect::Exists if version == 0 => return Err("version-conflict"),
            Expect::Any | Expect::Right | Expect::Exists => {}
        }
        match *saying {
            Saying::Create(..) if version > 0 => Err("product-exists"),
            Saying::Change(..) | Saying::Remove(_) if version == 0 => Err("product-not-found"),
            Saying::Store { create: true, .. } if version > 0 => Err("store-exists"),
            Saying::Threshold(_, None) if version == 0 => Err("threshold-not-found"),
            Saying::Create(sku, goods) | Saying::Replace(sku, goods) => Ok(self.describe(sku, Some(goods))),
            Saying::Change(sku, threshold) => {
                let known = self.product(sku).details;
                Ok(self.describe(sku, known.map(|goods| Goods { threshold, ..goods })))
            }
            Saying::Remove(sku) => Ok(self.describe(sku, None)),
            Saying::Store { name, .. } => Ok((What::Store(name), self.store.turn(Some(name)))),
            Saying::Threshold(sku, pieces) => {
                let version = self.thresholds.entry(sku).or_default().turn(pieces);
                Ok((What::Threshold(pieces), version))
            }
        }
    }

    fn describe(&mut self, sku: &'static str, goods: Option<Goods>) -> (What, u64) {
        (What::Product(goods), self.products.entry(sku).or_default().turn(goods))
    }

    /// The alert of a level with so many sellable pieces (nothing: there is no such level) is raised or cleared, if it must be.
    pub(super) fn ring(&mut self, sku: &'static str, pieces: Option<i64>) -> Option<(What, u64)> {
        let threshold = self.threshold(sku);
        let low = pieces.zip(threshold).filter(|(pieces, threshold)| pieces <= threshold);
        let Alert { raised, version } = self.alerts.get(sku).copied().unwrap_or_default();
        if raised.is_some() == low.is_some() {
            return None;
        }
        let version = version + 1;
        self.alerts.insert(sku, Alert { raised: low, version });
        let qty = pieces.unwrap_or_default();
        Some((What::Alert { raised: low.is_some(), qty, threshold }, version))
    }
}

impl Oracle {
    /// Describes products, in order; what becomes of those that are not.
    pub(super) fn describe(
        &mut self,
        now: i64,
        update: bool,
        products: &[(&'static str, Goods)],
    ) -> Vec<(u32, ItemFate)> {
        let mut fates = Vec::new();
        for (op, (sku, goods)) in (0..).zip(products) {
            match self.catalogue.product(sku).details {
                Some(known) if known == *goods => {}
                Some(_) if !update => fates.push((op, ItemFate::Refused("product-differs"))),
                _ => {
                    let (what, version) = self.catalogue.describe(sku, Some(*goods));
                    self.tell(Some(sku), what.kind(), what, version, now);
                }
            }
        }
        fates
    }
}
