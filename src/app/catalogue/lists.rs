//! Sorted lists of products and stores: a projection of the states.
//!
//! The ledger notes the keys of changed states. A task applies them in the background, and a reader applies the remaining ones first. A list
//! therefore shows every change that was durable when it was requested; a write costs one note, a page costs nothing for old changes,
//! and a rollback of memory is a change like any other.

use crate::Ledger;
use crate::blocking;
use crate::catalogue::{ProductView, StoreView};
use crate::ledger::projection::{Moved, Projection};
use crate::ports::HistoryError;
use onhand_domain::{Key, Sku, State, StoreId};
use parking_lot::{Mutex, RwLock};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::Notify;

/// The lists, and the changes that are not applied to them yet.
#[derive(Default)]
pub(crate) struct Lists {
    /// The keys of changed states, each with the number of its latest note.
    moved: Mutex<ChangedKeys>,
    /// Signals that there are changed states.
    news: Notify,
    /// Held by the caller that applies the changes.
    refreshing: tokio::sync::Mutex<()>,
    products: RwLock<BTreeMap<Sku, ListedProduct>>,
    stores: RwLock<BTreeMap<StoreId, StoreView>>,
}

#[derive(Default)]
struct ChangedKeys {
    keys: BTreeMap<Key, u64>,
    notes: u64,
}

/// A product with the text that a search matches.
pub(crate) struct ListedProduct {
    pub(crate) view: ProductView,
    /// SKU, name and barcode in lower case, one a line.
    pub(crate) text: Box<str>,
}

/// The listed form of one state.
enum ListedView {
    Product(ProductView),
    Store(StoreView),
}

impl Lists {
    /// Notes that the state under this key has changed.
    fn note(&self, key: &Key) {
        if matches!(key, Key::Product(_) | Key::Store(_)) {
            let mut moved = self.moved.lock();
            moved.notes += 1;
            let note = moved.notes;
            moved.keys.insert(key.clone(), note);
            drop(moved);
            self.news.notify_one();
        }
    }

    fn next(&self) -> Option<(Key, u64)> {
        self.moved.lock().keys.first_key_value().map(|(key, note)| (key.clone(), *note))
    }

    /// Removes the note of an applied key, unless the state has changed since.
    fn done(&self, key: &Key, note: u64) {
        let mut moved = self.moved.lock();
        if moved.keys.get(key) == Some(&note) {
            moved.keys.remove(key);
        }
    }

    fn put(&self, key: &Key, view: Option<ListedView>) {
        match (key, view) {
            (Key::Product(sku), Some(ListedView::Product(view))) => {
                self.products.write().insert(sku.clone(), ListedProduct::new(view));
            }
            (Key::Product(sku), _) => {
                self.products.write().remove(sku);
            }
            (Key::Store(store), Some(ListedView::Store(view))) => {
                self.stores.write().insert(store.clone(), view);
            }
            (Key::Store(store), _) => {
                self.stores.write().remove(store);
            }
            _ => {}
        }
    }
}

impl Projection for Lists {
    fn changed(&self, moved: &Moved<'_>) -> Option<Key> {
        self.note(moved.key);
        None
    }
}

impl ListedProduct {
    fn new(view: ProductView) -> Self {
        let barcode = view.product.barcode.as_deref().unwrap_or_default();
        let text = format!("{}\n{}\n{barcode}", view.sku, view.product.name).to_lowercase();
        Self { view, text: text.into_boxed_str() }
    }
}

impl Ledger {
    /// Applies changes to the lists until it is dropped.
    pub async fn keep_lists(&self) -> Infallible {
        loop {
            self.projections.lists.news.notified().await;
            // A change that cannot be applied now stays noted for the next signal or the next reader.
            let _ = self.refresh().await;
        }
    }

    /// Applies all changes noted until now.
    ///
    /// Cancel safe: a change that was not applied stays noted. While the disk does not answer, the lists stay as they are.
    ///
    /// # Errors
    /// As [`Ledger::read`].
    async fn refresh(&self) -> Result<(), HistoryError> {
        self.catch_up().await?;
        let _one_at_a_time = self.projections.lists.refreshing.lock().await;
        while let Some((key, note)) = self.projections.lists.next() {
            let durable = self.parts.log.durable();
            let view = tokio::select! {
                biased;
                view = self.read(&key, |state| view(&key, state)) => view?.flatten(),
                () = durable.silence() => return Ok(()),
            };
            self.projections.lists.put(&key, view);
            self.projections.lists.done(&key, note);
        }
        Ok(())
    }

    /// Reads the products in the order of their SKUs.
    ///
    /// # Errors
    /// As [`Ledger::read`].
    pub(crate) async fn with_products<T>(
        &self,
        look: impl FnOnce(&BTreeMap<Sku, ListedProduct>) -> T,
    ) -> Result<T, HistoryError> {
        self.refresh().await?;
        Ok(look(&self.projections.lists.products.read()))
    }

    /// As [`Ledger::with_products`], for a scan over many products: on a thread that may block.
    ///
    /// # Errors
    /// As [`Ledger::read`].
    pub(crate) async fn search_products<T: Send + 'static>(
        &self,
        look: impl FnOnce(&BTreeMap<Sku, ListedProduct>) -> T + Send + 'static,
    ) -> Result<T, HistoryError> {
        self.refresh().await?;
        let lists = Arc::clone(&self.projections.lists);
        Ok(blocking(move || look(&lists.products.read())).await)
    }

    /// Reads the described stores in the order of their ids.
    ///
    /// # Errors
    /// As [`Ledger::read`].
    pub(crate) async fn with_stores<T>(
        &self,
        look: impl FnOnce(&BTreeMap<StoreId, StoreView>) -> T,
    ) -> Result<T, HistoryError> {
        self.refresh().await?;
        Ok(look(&self.projections.lists.stores.read()))
    }
}

fn view(key: &Key, state: &State) -> Option<ListedView> {
    match (key, state) {
        (Key::Product(sku), State::Product(master)) => ProductView::of(sku, master).map(ListedView::Product),
        (Key::Store(store), State::Store(master)) => StoreView::of(store, master).map(ListedView::Store),
        _ => None,
    }
}
