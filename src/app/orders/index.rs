//! The index of orders: a projection, by the time of the placing, with what lists are filtered by.
//!
//! A page reads each of its orders from the ledger, which waits until it is durable: a page shows every order that was acknowledged
//! when it was requested, and none that a crash could undo.

use crate::ledger::projection::{Moved, Projection};
use crate::orders::filter::{OrderFilter, OrderMark};
use onhand_domain::orders::{Allocation, Order, OrderStatus};
use onhand_domain::{CustomerId, Key, OrderId, Quantity, Sku, State, StoreId, Timestamp};
use parking_lot::{Mutex, RwLock};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tokio::sync::Notify;

/// What a list needs of an order.
struct Listed {
    status: OrderStatus,
    allocation: Allocation,
    customer_id: Option<CustomerId>,
    channel_id: Option<SmolStr>,
    external_id: Option<SmolStr>,
    /// In order, each once.
    stores: Box<[StoreId]>,
    /// Those of the shipments that are not closed.
    open_in: Box<[StoreId]>,
    /// The SKUs that wait for stock, in order.
    waiting: Box<[Sku]>,
}

/// A change of an order, with the time of its placing; nothing for one that is gone.
type Change = (OrderId, Option<(Timestamp, Listed)>);

/// What an order waits for.
type Waits = Option<(OrderMark, Box<[Sku]>)>;

/// The index. Writers only leave the change in a queue: whoever reads the index, or its task, puts changes in their place.
#[derive(Default)]
pub(crate) struct OrderIndex {
    /// In the order of their changes.
    changes: Mutex<Vec<Change>>,
    /// Signals that there are changes.
    pub(super) changed: Notify,
    pub(super) lists: RwLock<Lists>,
    /// The orders that wait for a SKU, oldest first. Held for moments: movements of stock look here.
    pub(super) waiting: RwLock<BTreeMap<Sku, BTreeSet<OrderMark>>>,
    /// SKUs of which there may be stock for orders that wait.
    pub(super) stocked: Mutex<BTreeSet<Sku>>,
    /// Signals that there are some.
    pub(super) news: Notify,
}

#[derive(Default)]
pub(super) struct Lists {
    orders: BTreeMap<OrderMark, Listed>,
    places: HashMap<OrderId, Timestamp, ahash::RandomState>,
    /// The orders with a shipment in a store that is not closed.
    pub(super) open_in: BTreeMap<StoreId, BTreeSet<OrderMark>>,
}

impl OrderFilter {
    fn passes(&self, mark: &OrderMark, listed: &Listed) -> bool {
        fn is<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
            wanted.is_none_or(|wanted| found == Some(wanted))
        }
        let has = |text: &str| {
            self.search.as_ref().is_none_or(|search| text.to_ascii_lowercase().contains(search.as_str()))
        };
        is(self.status.as_ref(), Some(&listed.status))
            && is(self.allocation.as_ref(), Some(&listed.allocation))
            && is(self.channel_id.as_ref(), listed.channel_id.as_ref())
            && is(self.customer_id.as_ref(), listed.customer_id.as_ref())
            && self.store_id.as_ref().is_none_or(|store| listed.stores.binary_search(store).is_ok())
            && (self.scope.is_everywhere() || listed.stores.iter().any(|store| self.scope.covers(store)))
            && (has(mark.order_id.as_str())
                || listed.customer_id.as_ref().is_some_and(|id| has(id.as_str()))
                || listed.external_id.as_ref().is_some_and(|id| has(id)))
    }
}

impl Listed {
    fn of(order: &Order) -> Self {
        let mut stores = order.shipments.clone();
        stores.sort_unstable();
        stores.dedup();
        let waits = order.lines.iter().filter(|line| line.pieces.waiting > Quantity::ZERO);
        let mut waiting: Vec<Sku> = waits.map(|line| line.sku.clone()).collect();
        waiting.sort_unstable();
        waiting.dedup();
        Self {
            status: order.status(),
            allocation: order.allocation(),
            customer_id: order.details.customer_id.clone(),
            channel_id: order.details.channel_id.clone(),
            external_id: order.details.external_id.clone(),
            stores: stores.into(),
            open_in: order
                .open_shipments
                .iter()
                .filter_map(|number| order.store_of(*number).cloned())
                .collect(),
            waiting: waiting.into(),
        }
    }
}

impl Lists {
    /// Puts an order in its place, or takes out one that is gone; returns the SKUs that it has waited for.
    fn put(&mut self, order_id: &OrderId, listed: Option<(Timestamp, Listed)>) -> Waits {
        let before = self.places.remove(order_id).and_then(|placed_at| {
            let mark = OrderMark { placed_at, order_id: order_id.clone() };
            let listed = self.orders.remove(&mark)?;
            for store in &listed.open_in {
                take_out(&mut self.open_in, store, &mark);
            }
            Some((mark, listed.waiting))
        });
        if let Some((placed_at, listed)) = listed {
            let mark = OrderMark { placed_at, order_id: order_id.clone() };
            for store in &listed.open_in {
                self.open_in.entry(store.clone()).or_default().insert(mark.clone());
            }
            self.places.insert(order_id.clone(), placed_at);
            self.orders.insert(mark, listed);
        }
        before
    }
}

fn take_out<K: Ord>(sets: &mut BTreeMap<K, BTreeSet<OrderMark>>, key: &K, mark: &OrderMark) {
    if let Some(set) = sets.get_mut(key) {
        set.remove(mark);
        if set.is_empty() {
            sets.remove(key);
        }
    }
}

impl OrderIndex {
    fn note(&self, order_id: &OrderId, state: &State) {
        let listed = match state {
            State::Order(order) if order.version > 0 => Some((order.placed_at, Listed::of(order))),
            _ => None,
        };
        self.changes.lock().push((order_id.clone(), listed));
        self.changed.notify_one();
    }

    /// Puts the changes until now in their places.
    pub(super) fn apply(&self) {
        let mut lists = self.lists.write();
        // Taken under the lock of the lists, so that two callers apply them in their order.
        let changes = std::mem::take(&mut *self.changes.lock());
        for (order_id, listed) in changes {
            let waits = listed.as_ref().map(|(at, listed)| {
                (OrderMark { placed_at: *at, order_id: order_id.clone() }, listed.waiting.clone())
            });
            let waited = lists.put(&order_id, listed);
            self.wait_for(waited, waits);
        }
    }

    fn wait_for(&self, before: Waits, now: Waits) {
        let waits = |of: &Waits| of.as_ref().is_some_and(|(_, skus)| !skus.is_empty());
        if !waits(&before) && !waits(&now) {
            return;
        }
        let mut waiting = self.waiting.write();
        if let Some((mark, skus)) = before {
            skus.iter().for_each(|sku| take_out(&mut waiting, sku, &mark));
        }
        let Some((mark, skus)) = now.filter(|(_, skus)| !skus.is_empty()) else { return };
        for sku in &skus {
            waiting.entry(sku.clone()).or_default().insert(mark.clone());
        }
        drop(waiting);
        // Stock that came in before the order was listed has signalled nobody.
        self.stocked.lock().extend(skus);
        self.news.notify_one();
    }
}

impl Projection for OrderIndex {
    fn changed(&self, moved: &Moved<'_>) -> Option<Key> {
        match (moved.key, moved.state) {
            (Key::Order(order_id), state) => self.note(order_id, state),
            // Most levels have nobody who waits for them.
            (Key::Level(_, sku), State::Level(level))
                if level.qty() > Quantity::ZERO && self.waiting.read().contains_key(sku) =>
            {
                self.stocked.lock().insert(sku.clone());
                self.news.notify_one();
            }
            _ => {}
        }
        None
    }

    fn restored(&self, states: &HashMap<Key, State>) -> Vec<Key> {
        for (key, state) in states {
            if let Key::Order(order_id) = key {
                self.note(order_id, state);
            }
        }
        // Those who wait are served: the last run may have ended before it did.
        self.apply();
        Vec::new()
    }
}

impl Lists {
    pub(super) fn page(
        &self,
        filter: &OrderFilter,
        after: Option<OrderMark>,
        limit: usize,
    ) -> Vec<OrderMark> {
        let first = |at: Timestamp| OrderMark { placed_at: at, order_id: lowest() };
        let from = filter.from.map_or_else(|| first(Timestamp::EPOCH), first);
        let to = filter.to.map_or_else(|| first(Timestamp::NEVER), first);
        let to = after.map_or(to.clone(), |after| after.min(to));
        if to <= from {
            return Vec::new();
        }
        let matching = self.orders.range(from..to).rev().filter(|(mark, listed)| filter.passes(mark, listed));
        matching.take(limit).map(|(mark, _)| mark.clone()).collect()
    }
}

/// No id is before it.
fn lowest() -> OrderId {
    OrderId::new("-").expect("it has the form of an id")
}
