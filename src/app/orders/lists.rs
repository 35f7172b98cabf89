//! Lists of orders, from the index.

use crate::Ledger;
use crate::blocking;
use crate::orders::index::{OrderFilter, OrderMark};
use crate::orders::reads::OrderView;
use crate::stock::ReadError;
use onhand_domain::orders::Order;
use onhand_domain::{Key, Sku, State, StoreId};
use std::convert::Infallible;
use std::sync::Arc;

impl Ledger {
    /// Applies changes to the index of orders until it is dropped.
    pub async fn keep_order_index(&self) -> Infallible {
        loop {
            self.projections.orders.moved.news.notified().await;
            // A change that cannot be applied now stays noted for the next signal or the next reader.
            let _ = self.refresh_orders().await;
        }
    }

    async fn refresh_orders(&self) -> Result<(), ReadError> {
        self.catch_up().await?;
        let index = &self.projections.orders;
        let _one_at_a_time = index.moved.applying.lock().await;
        while let Some((key, note)) = index.moved.next() {
            let durable = self.parts.log.durable();
            let order = tokio::select! {
                biased;
                order = self.read(&key, order_in) => order?.flatten(),
                () = durable.silence() => return Ok(()),
            };
            if let Key::Order(order_id) = &key {
                let waiting = index.lists.write().put(order_id, order.as_ref());
                // Stock that came in before the order was listed signalled nobody.
                if !waiting.is_empty() {
                    index.stocked.lock().extend(waiting);
                    index.news.notify_one();
                }
            }
            index.moved.done(&key, note);
        }
        Ok(())
    }

    /// At most `limit` orders that match, the newest first, behind `after`.
    ///
    /// # Errors
    /// As [`Ledger::order`].
    pub async fn orders(
        &self,
        filter: OrderFilter,
        after: Option<OrderMark>,
        limit: usize,
    ) -> Result<Vec<OrderView>, ReadError> {
        self.refresh_orders().await?;
        let index = Arc::clone(&self.projections.orders);
        let found = blocking(move || index.lists.read().page(&filter, after, limit)).await;
        let mut views = Vec::with_capacity(found.len());
        for mark in found {
            views.extend(self.order(&mark.order_id).await?);
        }
        Ok(views)
    }

    /// The orders that wait for a SKU, oldest first, at most `limit`.
    pub(super) fn orders_waiting_for(
        &self,
        sku: &Sku,
        after: Option<&OrderMark>,
        limit: usize,
    ) -> Vec<OrderMark> {
        let lists = self.projections.orders.lists.read();
        let Some(waiting) = lists.waiting.get(sku) else { return Vec::new() };
        let behind = waiting.iter().filter(|mark| after.is_none_or(|after| *mark > after));
        behind.take(limit).cloned().collect()
    }

    /// At most `limit` orders with a shipment in the store that is not closed, oldest first, behind `after`.
    ///
    /// # Errors
    /// As [`Ledger::order`].
    pub async fn open_orders_of(
        &self,
        store_id: &StoreId,
        after: Option<&OrderMark>,
        limit: usize,
    ) -> Result<Vec<(OrderMark, OrderView)>, ReadError> {
        self.refresh_orders().await?;
        let marks: Vec<OrderMark> = {
            let lists = self.projections.orders.lists.read();
            let open = lists.open_in.get(store_id).into_iter().flatten();
            open.filter(|mark| after.is_none_or(|after| *mark > after)).take(limit).cloned().collect()
        };
        let mut views = Vec::with_capacity(marks.len());
        for mark in marks {
            let view = self.order(&mark.order_id).await?;
            views.extend(view.map(|view| (mark, view)));
        }
        Ok(views)
    }
}

fn order_in(state: &State) -> Option<Order> {
    match state {
        State::Order(order) if order.version > 0 => Some(order.as_ref().clone()),
        _ => None,
    }
}
