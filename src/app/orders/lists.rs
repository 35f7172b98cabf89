//! Lists of orders, from the index.

use crate::Ledger;
use crate::blocking;
use crate::orders::filter::{OrderFilter, OrderMark};
use crate::orders::reads::OrderView;
use crate::stock::ReadError;
use onhand_domain::{Sku, StoreId};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::ops::Bound;
use std::sync::Arc;

impl Ledger {
    /// Applies changes to the index of orders until it is dropped.
    pub async fn keep_order_index(&self) -> Infallible {
        loop {
            self.projections.orders.changed.notified().await;
            let index = Arc::clone(&self.projections.orders);
            blocking(move || index.apply()).await;
        }
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
        self.catch_up().await?;
        let index = Arc::clone(&self.projections.orders);
        let look = move || {
            index.apply();
            index.lists.read().page(&filter, after, limit)
        };
        let found = blocking(look).await;
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
        let waiting = self.projections.orders.waiting.read();
        let Some(waiting) = waiting.get(sku) else { return Vec::new() };
        marks_behind(waiting, after, limit)
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
        self.catch_up().await?;
        let index = Arc::clone(&self.projections.orders);
        let (store_id, after) = (store_id.clone(), after.cloned());
        let look = move || {
            index.apply();
            let lists = index.lists.read();
            lists.open_in.get(&store_id).map(|open| marks_behind(open, after.as_ref(), limit))
        };
        let marks = blocking(look).await.unwrap_or_default();
        let mut views = Vec::with_capacity(marks.len());
        for mark in marks {
            let view = self.order(&mark.order_id).await?;
            views.extend(view.map(|view| (mark, view)));
        }
        Ok(views)
    }
}

fn marks_behind(marks: &BTreeSet<OrderMark>, after: Option<&OrderMark>, limit: usize) -> Vec<OrderMark> {
    let after = after.map_or(Bound::Unbounded, Bound::Excluded);
    marks.range::<OrderMark, _>((after, Bound::Unbounded)).take(limit).cloned().collect()
}
