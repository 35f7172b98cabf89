//! Products: one, or those that match, in the order of their SKUs.

use crate::app::Ledger;
use crate::app::blocking;
use crate::app::ports::{History, HistoryError, MovementQuery};
use crate::app::stock::movements::ReadError;
use crate::domain::catalogue::{Master, Product, ProductFact};
use crate::domain::{Fact, Key, Sequence, Sku, State, Timestamp};
use memchr::memmem::Finder;
use smol_str::SmolStr;
use std::ops::Bound;

/// A product as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductView {
    /// Which.
    pub sku: Sku,
    /// What is said of it.
    pub product: Product,
    /// The version of what is said.
    pub version: u64,
    /// The time of the last change.
    pub updated_at: Timestamp,
}

/// What was said of a product at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductSaid {
    /// The version it made.
    pub version: u64,
    /// When.
    pub at: Timestamp,
    /// What; nothing when it was taken out of the catalogue.
    pub product: Option<Product>,
    /// Who said it, where that is known.
    pub actor: Option<SmolStr>,
}

/// How many events are read at once.
const EVENTS_PER_READ: usize = 256;

/// Which products; what is not set lets everything pass.
#[derive(Debug, Clone)]
pub struct ProductFilter {
    /// Words that must all stand in SKU, name or barcode, in small letters, each made ready to be looked for.
    words: Vec<Finder<'static>>,
    category: Option<SmolStr>,
    active: Option<bool>,
}

impl ProductView {
    /// The product under that SKU; nothing when it is not in the catalogue.
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
    /// A product as it is now; nothing when it is not in the catalogue.
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

    /// What was said of a product, oldest first, behind the version `after`; also of one that is not in the catalogue any more.
    ///
    /// # Errors
    /// [`ReadError::History`] when the log cannot be read back.
    pub async fn product_history(
        &self,
        sku: &Sku,
        after: u64,
        limit: usize,
    ) -> Result<Vec<ProductSaid>, ReadError> {
        let histories = self.histories().await?;
        let key = Key::Product(sku.clone());
        let read = move || {
            let mut said = Vec::new();
            // Each log has some of the versions, whoever described it there.
            for (_, history) in histories {
                said.extend(said_in(&*history, &key, after, limit)?);
            }
            said.sort_by_key(|said| said.version);
            said.truncate(limit);
            Ok::<_, HistoryError>(said)
        };
        Ok(blocking(read).await?)
    }

    /// What the products of these SKUs are called, where they are in the catalogue.
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

/// What one log has of a product behind a version, at most `limit`.
fn said_in(
    history: &dyn History,
    key: &Key,
    after: u64,
    limit: usize,
) -> Result<Vec<ProductSaid>, HistoryError> {
    let mut query = MovementQuery {
        after: Sequence::START,
        limit: EVENTS_PER_READ,
        kind: None,
        since: None,
        until: None,
    };
    let mut said = Vec::new();
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
                said.push(ProductSaid { version, at: movement.at, product, actor: movement.actor });
            }
        }
        if said.len() >= limit {
            break;
        }
    }
    Ok(said)
}
