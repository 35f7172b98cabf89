//! Reads of stores: those with details, and those that only have stock.

use crate::Ledger;
use crate::stock::movements::ReadError;
use onhand_domain::catalogue::Store;
use onhand_domain::limits::ID_BYTES_MAX;
use onhand_domain::master::Master;
use onhand_domain::{Key, Sku, State, StoreId, Timestamp};
use std::iter;
use std::ops::Bound;

/// A store with details or with stock.
#[derive(Debug, Clone, PartialEq)]
pub struct StoreView {
    /// The id of the store.
    pub store_id: StoreId,
    /// The details, if there are any.
    pub described: Option<StoreDescription>,
}

/// The details of a store with their version.
#[derive(Debug, Clone, PartialEq)]
pub struct StoreDescription {
    /// The details of the store.
    pub store: Store,
    /// The version of the details.
    pub version: u64,
    /// The time of the last change.
    pub updated_at: Timestamp,
}

impl StoreView {
    /// The view of a store; none when it has no details.
    pub(crate) fn of(store_id: &StoreId, master: &Master<Store>) -> Option<Self> {
        let store = master.details.clone()?;
        let described = StoreDescription { store, version: master.version, updated_at: master.updated_at };
        Some(Self { store_id: store_id.clone(), described: Some(described) })
    }
}

impl Ledger {
    /// A store; none when it has no details and never had stock.
    ///
    /// # Errors
    /// [`ReadError::History`] when the log of another process cannot be read.
    pub async fn store(&self, store_id: &StoreId) -> Result<Option<StoreView>, ReadError> {
        let key = Key::Store(store_id.clone());
        let seen = self.read(&key, |state| match state {
            State::Store(master) => StoreView::of(store_id, master),
            _ => None,
        });
        if let Some(view) = seen.await?.flatten() {
            return Ok(Some(view));
        }
        let with_stock = self.levels(store_id, None, 1).await?;
        let bare = StoreView { store_id: store_id.clone(), described: None };
        Ok((!with_stock.is_empty()).then_some(bare))
    }

    /// At most `limit` stores in the order of their ids, after `after`.
    ///
    /// # Errors
    /// As [`Ledger::store`].
    pub async fn stores(&self, after: Option<&StoreId>, limit: usize) -> Result<Vec<StoreView>, ReadError> {
        let bound = after.map_or(Bound::Unbounded, Bound::Excluded);
        let look = self.with_stores(|stores| {
            let page = stores.range::<StoreId, _>((bound, Bound::Unbounded)).take(limit);
            page.map(|(_, view)| view.clone()).collect()
        });
        let mut views: Vec<StoreView> = look.await?;
        for store_id in self.stores_with_stock(after).take(limit) {
            let listed = views.iter().any(|view| view.store_id == store_id);
            // The first level of the store may not be durable yet.
            if !listed && !self.levels(&store_id, None, 1).await?.is_empty() {
                views.push(StoreView { store_id, described: None });
            }
        }
        views.sort_by(|one, other| one.store_id.cmp(&other.store_id));
        views.truncate(limit);
        Ok(views)
    }

    /// At most `limit` of some stores after `after` that are described or have or had stock, in the order of their ids.
    ///
    /// # Errors
    /// As [`Ledger::stores`].
    pub async fn stores_within(
        &self,
        stores: &[StoreId],
        after: Option<&StoreId>,
        limit: usize,
    ) -> Result<Vec<StoreView>, ReadError> {
        let begin = after.map_or(0, |after| stores.partition_point(|store| store <= after));
        let mut views = Vec::new();
        for store in stores.iter().skip(begin) {
            if views.len() == limit {
                break;
            }
            views.extend(self.store(store).await?);
        }
        Ok(views)
    }

    /// The stores after `after` that have or had stock, in the order of their ids.
    pub(crate) fn stores_with_stock(&self, after: Option<&StoreId>) -> impl Iterator<Item = StoreId> + '_ {
        iter::successors(self.next_with_stock(after), |store| self.next_with_stock(Some(store)))
    }

    /// The first store after `after` that has or had stock.
    fn next_with_stock(&self, after: Option<&StoreId>) -> Option<StoreId> {
        let last_of = |store: &StoreId| {
            let last = Sku::new(&"z".repeat(ID_BYTES_MAX)).expect("letters are a valid SKU");
            Key::Level(store.clone(), last)
        };
        let last = after.map(last_of);
        let bound = last.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        match self.entities.keys_after(bound, 1).pop()? {
            Key::Level(store, _) => Some(store),
            _ => None,
        }
    }
}
