//! The index of orders: a projection, by the time of the placing, with what lists are filtered by.
//!
//! Like every list it applies changes in the background, or before the next read: a page shows every order that was durable when
//! it was requested.

use crate::changed_keys::ChangedKeys;
use crate::ledger::projection::{Moved, Projection};
use onhand_domain::identity::StoreScope;
use onhand_domain::orders::{Allocation, Order, OrderStatus, ShipmentId};
use onhand_domain::{CustomerId, Key, OrderId, Quantity, Sku, State, StoreId, Timestamp};
use parking_lot::RwLock;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tokio::sync::Notify;

/// The place of an order in a list: the newest comes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderMark {
    /// When it was placed.
    pub placed_at: Timestamp,
    /// Its id.
    pub order_id: OrderId,
}

/// A filter of orders; a condition that is not set accepts every order.
#[derive(Debug, Clone, Default)]
pub struct OrderFilter {
    /// The status.
    pub status: Option<OrderStatus>,
    /// How far stores are found.
    pub allocation: Option<Allocation>,
    /// The channel.
    pub channel_id: Option<SmolStr>,
    /// The customer.
    pub customer_id: Option<CustomerId>,
    /// A store that has, or had, a shipment of it.
    pub store_id: Option<StoreId>,
    /// Part of the id of the order, of the customer, or of the id in the channel, in lower case.
    pub search: Option<String>,
    /// The earliest time of the placing.
    pub from: Option<Timestamp>,
    /// The time before which it was placed.
    pub to: Option<Timestamp>,
    /// The stores of the caller: one of them has, or had, a shipment of it.
    pub scope: StoreScope,
}

/// What a list needs of an order.
struct Listed {
    status: OrderStatus,
    allocation: Allocation,
    customer_id: Option<CustomerId>,
    channel_id: Option<SmolStr>,
    external_id: Option<SmolStr>,
    /// In order, each once.
    stores: Box<[StoreId]>,
    /// The SKUs that wait for stock, in order.
    waiting: Box<[Sku]>,
}

/// The index.
#[derive(Default)]
pub(crate) struct OrderIndex {
    pub(super) moved: ChangedKeys,
    pub(super) lists: RwLock<Lists>,
    /// SKUs of which stock has come in that orders may wait for.
    pub(super) stocked: parking_lot::Mutex<BTreeSet<Sku>>,
    /// Signals that there are some.
    pub(super) news: Notify,
}

#[derive(Default)]
pub(super) struct Lists {
    orders: BTreeMap<OrderMark, Listed>,
    places: HashMap<OrderId, Timestamp, ahash::RandomState>,
    /// The orders that wait for a SKU, oldest first.
    pub(super) waiting: BTreeMap<Sku, BTreeSet<OrderMark>>,
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
            waiting: waiting.into(),
        }
    }
}

impl Lists {
    fn remove(&mut self, order_id: &OrderId) {
        let Some(placed_at) = self.places.remove(order_id) else { return };
        let mark = OrderMark { placed_at, order_id: order_id.clone() };
        let Some(listed) = self.orders.remove(&mark) else { return };
        for sku in &listed.waiting {
            take_out(&mut self.waiting, sku, &mark);
        }
        for store in &listed.stores {
            take_out(&mut self.open_in, store, &mark);
        }
    }

    /// Puts an order in its place, or takes out one that is gone; returns the SKUs it waits for.
    pub(super) fn put(&mut self, order_id: &OrderId, order: Option<&Order>) -> Vec<Sku> {
        self.remove(order_id);
        let Some(order) = order else { return Vec::new() };
        let listed = Listed::of(order);
        let mark = OrderMark { placed_at: order.placed_at, order_id: order_id.clone() };
        // An order that is cancelled or delivered serves nobody who waits.
        for sku in &listed.waiting {
            self.waiting.entry(sku.clone()).or_default().insert(mark.clone());
        }
        for store in order.open_shipments.iter().filter_map(|number| order.store_of(*number)) {
            self.open_in.entry(store.clone()).or_default().insert(mark.clone());
        }
        self.places.insert(order_id.clone(), order.placed_at);
        let waiting = listed.waiting.to_vec();
        self.orders.insert(mark, listed);
        waiting
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

impl Projection for OrderIndex {
    fn changed(&self, moved: &Moved<'_>) -> Option<Key> {
        match (moved.key, moved.state) {
            (Key::Order(_), _) => self.moved.note(moved.key),
            // Most levels have nobody who waits for them.
            (Key::Level(_, sku), State::Level(level))
                if level.qty() > Quantity::ZERO && self.lists.read().waiting.contains_key(sku) =>
            {
                self.stocked.lock().insert(sku.clone());
                self.news.notify_one();
            }
            _ => {}
        }
        None
    }

    fn restored(&self, states: &HashMap<Key, State>) -> Vec<Key> {
        let mut lists = self.lists.write();
        for (key, state) in states {
            if let (Key::Order(order_id), State::Order(order)) = (key, state) {
                lists.put(order_id, Some(order));
            }
        }
        // The last run may have ended before it served all who wait.
        self.stocked.lock().extend(lists.waiting.keys().cloned());
        self.news.notify_one();
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

impl OrderMark {
    /// Reads the form that [`std::fmt::Display`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        let (milliseconds, order_id) = text.split_once('/')?;
        let placed_at = Timestamp::from_milliseconds(milliseconds.parse().ok()?);
        Some(Self { placed_at, order_id: OrderId::new(order_id).ok()? })
    }

    /// That of a shipment's order.
    pub fn of(shipment_id: &ShipmentId, placed_at: Timestamp) -> Self {
        Self { placed_at, order_id: shipment_id.order_id() }
    }
}

impl std::fmt::Display for OrderMark {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.placed_at.milliseconds(), self.order_id)
    }
}
