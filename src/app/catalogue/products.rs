//! Reads of products: one, a filtered page, the history, and names.

use crate::Ledger;
use crate::blocking;
use crate::ports::{History, HistoryError, MovementQuery};
use crate::stock::movements::ReadError;
use memchr::memmem::Finder;
use onhand_domain::catalogue::{Product, ProductFact};
use onhand_domain::master::Master;
use onhand_domain::{Fact, Key, Sequence, Sku, State, Timestamp};
use smol_str::SmolStr;
use std::ops::Bound;

/// A product of the catalogue.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductView {
    /// The SKU of the product.
    pub sku: Sku,
    /// The details of the product.
    pub product: Product,
    /// The version of the details.
    pub version: u64,
    /// The time of the last change.
    pub updated_at: Timestamp,
}

/// One version of a product's details.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductRevision {
    /// The version, counted from 1.
    pub version: u64,
    /// The time of the change.
    pub at: Timestamp,
    /// The details; none when the change removed the product from the catalogue.
    pub product: Option<Product>,
    /// The principal, if it is known.
    pub actor: Option<SmolStr>,
}

/// Events of one read.
const EVENTS_PER_READ: usize = 256;

/// A filter of products; a condition that is not set accepts every product.
#[derive(Debug, Clone)]
pub struct ProductFilter {
    /// Searchers of the words, in lower case, that must all occur in SKU, name or barcode.
    words: Vec<Finder<'static>>,
    category: Option<SmolStr>,
    active: Option<bool>,
}

impl ProductView {
    /// The view of a product; none when it is not in the catalogue.
    pub(crate) fn of(sku: &Sku, master: &Master<Product>) -> Option<Self> {
        let product = master.details.clone()?;
        Some(Self { sku: sku.clone(), product, version: master.version, updated_at: master.updated_at })
    }
}

impl ProductFilter {
    /// A filter for the words of a text (case does not matter), a category, and whether they are active.
    pub fn new(text: &str, category: Option<SmolStr>, active: Option<bool>) -> Self {
        let ready = |word: &str| Finder::new(word).into_owned();
        let words = text.to_lowercase().split_whitespace().map(ready).collect();
        Self { words, category, active }
    }

    fn passes(&self, product: &Product, text: &str) -> bool {
        self.category.as_ref().is_none_or(|wanted| product.category.as_ref() == Some(wanted))
            && self.active.is_none_or(|wanted| product.active == wanted)
            && self.words.iter().all(|word| word.find(text.as_bytes()).is_some())
    }
}

impl Ledger {
    /// A product as it is now; none when it is not in the catalogue.
    ///
    /// # Errors
    /// [`ReadError::History`] when the log of another process cannot be read.
    pub async fn product(&self, sku: &Sku) -> Result<Option<ProductView>, ReadError> {
        let key = Key::Product(sku.clone());
        let seen = self.read(&key, |state| match state {
            State::Product(master) => ProductView::of(sku, master),
            _ => None,
        });
        Ok(seen.await?.flatten())
    }

    /// At most `limit` products that match, in the order of their SKUs, after `after`.
    ///
    /// # Errors
    /// As [`Ledger::product`].
    pub async fn products(
        &self,
        filter: ProductFilter,
        after: Option<Sku>,
        limit: usize,
    ) -> Result<Vec<ProductView>, ReadError> {
        let look = self.search_products(move |products| {
            let after = after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
            let matching = products
                .range::<Sku, _>((after, Bound::Unbounded))
                .filter(|(_, listed)| filter.passes(&listed.view.product, &listed.text));
            matching.take(limit).map(|(_, listed)| listed.view.clone()).collect()
        });
        Ok(look.await?)
    }

    /// The history of a product's details after the version `after`, oldest first; also of a product that was removed from the catalogue.
    ///
    /// # Errors
    /// [`ReadError::History`] when the log cannot be read back.
    pub async fn product_history(
        &self,
        sku: &Sku,
        after: u64,
        limit: usize,
    ) -> Result<Vec<ProductRevision>, ReadError> {
        let histories = self.histories().await?;
        let key = Key::Product(sku.clone());
        let read = move || {
            let mut revisions = Vec::new();
            // Each log has the versions that its process wrote.
            for (_, history) in histories {
                revisions.extend(revisions_in(&*history, &key, after, limit)?);
            }
            revisions.sort_by_key(|revision| revision.version);
            revisions.truncate(limit);
            Ok::<_, HistoryError>(revisions)
        };
        Ok(blocking(read).await?)
    }

    /// The names of these SKUs, where they are in the catalogue.
    ///
    /// # Errors
    /// As [`Ledger::product`].
    pub async fn product_names(&self, skus: &[&Sku]) -> Result<Vec<Option<SmolStr>>, ReadError> {
        let look = self.with_products(|products| {
            let name = |sku: &&Sku| products.get(*sku).map(|listed| listed.view.product.name.clone());
            skus.iter().map(name).collect()
        });
        Ok(look.await?)
    }
}

/// The versions of a product in one log after the version `after`, at most `limit`.
fn revisions_in(
    history: &dyn History,
    key: &Key,
    after: u64,
    limit: usize,
) -> Result<Vec<ProductRevision>, HistoryError> {
    let mut query = MovementQuery {
        after: Sequence::START,
        limit: EVENTS_PER_READ,
        kind: None,
        since: None,
        until: None,
    };
    let mut revisions = Vec::new();
    loop {
        let movements = history.movements(key, &query)?;
        let Some(last) = movements.last() else { break };
        query.after = last.sequence;
        for movement in movements {
            let version = movement.event.after.version();
            if let Fact::Product(fact) = movement.event.fact
                && version > after
            {
                let ProductFact { product, .. } = *fact;
                revisions.push(ProductRevision { version, at: movement.at, product, actor: movement.actor });
            }
        }
        if revisions.len() >= limit {
            break;
        }
    }
    Ok(revisions)
}
