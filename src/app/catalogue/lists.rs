//! Lists of what is described, in the order of names: a projection of the states, which are a projection of the log.
//!
//! The ledger notes which states have moved. A task brings them in behind the writes, and who wants to read a list brings
//! in what is left first. So a list shows whatever was durable when it was asked for, writes pay for a note, a page does not
//! pay for what was described long ago, and a list is right again after whatever happened to memory.

use crate::app::Ledger;
use crate::app::blocking;
use crate::app::catalogue::{ProductView, StoreView};
use crate::app::ledger::projection::{Moved, Projection};
use crate::app::ports::HistoryError;
use crate::domain::{Key, Sku, State, StoreId};
use parking_lot::{Mutex, RwLock};
use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::Notify;

/// The lists, and what is not in them yet.
#[derive(Default)]
pub(crate) struct Lists {
    /// States that have moved since they were last brought in, each with the number of the note.
    moved: Mutex<ChangedKeys>,
    /// There are such states.
    news: Notify,
    /// Held by the one who brings them in.
    refreshing: tokio::sync::Mutex<()>,
    products: RwLock<BTreeMap<Sku, ListedProduct>>,
    stores: RwLock<BTreeMap<StoreId, StoreView>>,
}

#[derive(Default)]
struct ChangedKeys {
    keys: BTreeMap<Key, u64>,
    notes: u64,
}

/// A product, and the text it is found by.
pub(crate) struct ListedProduct {
    pub(crate) view: ProductView,
    /// SKU, name and barcode in small letters, a line each.
    pub(crate) text: Box<str>,
}

/// One state that is brought in.
enum ListedView {
    Product(ProductView),
    Store(StoreView),
}

impl Lists {
    /// The state under this key has moved.
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

    /// It is in the lists as it was at that note; it stays noted if it has moved since.
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

    fn restored(&self, states: &HashMap<Key, State>) -> Vec<Key> {
        states.keys().for_each(|key| self.note(key));
        Vec::new()
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
    /// Brings into the lists what moves, for ever.
    pub(crate) async fn keep_lists(&self) -> Infallible {
        loop {
            self.projections.lists.news.notified().await;
            // What cannot be brought in now stays noted, for the next news or the next reader.
            let _ = self.refresh().await;
        }
    }

    /// Brings into the lists what has moved until now.
    ///
    /// Cancel safe: what was not brought in stays noted. While the disk does not answer a change that is on its way, the
    /// lists stay as they are.
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

    /// Looks at the products, in the order of their SKUs.
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

    /// As [`Ledger::with_products`], for a look at very many: on a thread where nobody else waits for it.
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

    /// Looks at the stores that are described, in the order of their names.
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
