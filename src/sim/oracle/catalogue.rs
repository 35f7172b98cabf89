//! The details of products and of the store, and their consequences: thresholds, and the alerts of low levels.

use crate::oracle::acts::{CatalogueRequest, Expect, Goods, What};
use std::collections::BTreeMap;

/// Details of one thing, with a version of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versioned<T> {
    /// None before the thing is created and after it is removed.
    pub details: Option<T>,
    /// The version: the number of events.
    pub version: u64,
}

/// The alert of a level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AlertModel {
    /// The pieces and the threshold that raised it, while it is raised.
    pub raised: Option<(i64, i64)>,
    /// The version: the number of events.
    pub version: u64,
}

/// Products, the store, thresholds and alerts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalogue {
    /// Product details by SKU.
    pub products: BTreeMap<&'static str, Versioned<Goods>>,
    /// The name of the store.
    pub store: Versioned<u32>,
    /// The store's own thresholds, by SKU.
    pub thresholds: BTreeMap<&'static str, Versioned<i64>>,
    /// Alerts by SKU.
    pub alerts: BTreeMap<&'static str, AlertModel>,
}

impl<T> Default for Versioned<T> {
    fn default() -> Self {
        Self { details: None, version: 0 }
    }
}

impl<T: Copy> Versioned<T> {
    /// The version that a precondition is compared with: 0 for a thing that does not exist.
    fn met(self) -> u64 {
        if self.details.is_some() { self.version } else { 0 }
    }

    /// The details that are shown, and their version.
    pub fn shown(self) -> Option<(T, u64)> {
        Some((self.details?, self.version))
    }

    pub(super) fn turn(&mut self, details: Option<T>) -> u64 {
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

    /// The version of the thing before the change.
    pub fn version(&self, saying: &CatalogueRequest) -> u64 {
        match saying {
            CatalogueRequest::Create(sku, _)
            | CatalogueRequest::Replace(sku, _)
            | CatalogueRequest::Change(sku, _)
            | CatalogueRequest::Remove(sku) => self.product(sku).met(),
            CatalogueRequest::Store { .. } => self.store.met(),
            CatalogueRequest::Threshold(sku, _) => {
                self.thresholds.get(sku).copied().unwrap_or_default().met()
            }
        }
    }

    pub(super) fn product(&self, sku: &str) -> Versioned<Goods> {
        self.products.get(sku).copied().unwrap_or_default()
    }

    /// The state after a change and its version, or the code of the rejection. The precondition is checked first.
    pub(super) fn say(
        &mut self,
        saying: &CatalogueRequest,
        expect: Expect,
    ) -> Result<(What, u64), &'static str> {
        let version = self.version(saying);
        match expect {
            Expect::Wrong => return Err("version-conflict"),
            Expect::Exists if version == 0 => return Err("version-conflict"),
            Expect::Any | Expect::Right | Expect::Exists => {}
        }
        match *saying {
            CatalogueRequest::Create(..) if version > 0 => Err("product-exists"),
            CatalogueRequest::Change(..) | CatalogueRequest::Remove(_) if version == 0 => {
                Err("product-not-found")
            }
            CatalogueRequest::Store { create: true, .. } if version > 0 => Err("store-exists"),
            CatalogueRequest::Threshold(_, None) if version == 0 => Err("threshold-not-found"),
            CatalogueRequest::Create(sku, goods) | CatalogueRequest::Replace(sku, goods) => {
                Ok(self.describe(sku, Some(goods)))
            }
            CatalogueRequest::Change(sku, threshold) => {
                let known = self.product(sku).details;
                Ok(self.describe(sku, known.map(|goods| Goods { threshold, ..goods })))
            }
            CatalogueRequest::Remove(sku) => Ok(self.describe(sku, None)),
            CatalogueRequest::Store { name, .. } => Ok((What::Store(name), self.store.turn(Some(name)))),
            CatalogueRequest::Threshold(sku, pieces) => {
                let version = self.thresholds.entry(sku).or_default().turn(pieces);
                Ok((What::Threshold(pieces), version))
            }
        }
    }

    pub(super) fn describe(&mut self, sku: &'static str, goods: Option<Goods>) -> (What, u64) {
        (What::Product(goods), self.products.entry(sku).or_default().turn(goods))
    }

    /// Raises or clears the alert of a level with so many sellable pieces (none when there is no such level), if it is due.
    pub(super) fn ring(&mut self, sku: &'static str, pieces: Option<i64>) -> Option<(What, u64)> {
        let threshold = self.threshold(sku);
        let low = pieces.zip(threshold).filter(|(pieces, threshold)| pieces <= threshold);
        let AlertModel { raised, version } = self.alerts.get(sku).copied().unwrap_or_default();
        if raised.is_some() == low.is_some() {
            return None;
        }
        let version = version + 1;
        self.alerts.insert(sku, AlertModel { raised: low, version });
        let qty = pieces.unwrap_or_default();
        Some((What::Alert { raised: low.is_some(), qty, threshold }, version))
    }
}
