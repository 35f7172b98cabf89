//! Pieces that wait for stock: when some comes in, stores hold it for the orders that have waited longest.

use crate::orders::{OrderMark, Planning, PlanningError};
use crate::{CommandError, Ledger, Meta};
use onhand_domain::orders::{OrderStatus, StockPolicy};
use onhand_domain::{Command, Expected, Rejection, Sku};
use std::convert::Infallible;
use std::time::Duration;

/// Orders that are read at once.
const ORDERS_PER_READ: usize = 64;
/// The pause after the log has refused a change.
const PAUSE: Duration = Duration::from_secs(1);

impl Ledger {
    /// Serves orders that wait, whenever stock comes in, until it is dropped.
    pub async fn serve_waiting(&self, planning: &Planning) -> Infallible {
        loop {
            self.projections.orders.news.notified().await;
            loop {
                let Some(sku) = self.projections.orders.stocked.lock().pop_first() else { break };
                if let Err(error) = self.serve(&sku, planning).await {
                    // Nothing is lost: the SKU is tried again.
                    tracing::debug!(%error, %sku, "orders that wait are served later");
                    self.projections.orders.stocked.lock().insert(sku);
                    self.parts.clock.sleep(PAUSE).await;
                }
            }
        }
    }

    /// Serves the orders that wait for a SKU, oldest first, as long as there is some of it.
    async fn serve(&self, sku: &Sku, planning: &Planning) -> Result<(), CommandError> {
        let mut after: Option<OrderMark> = None;
        loop {
            let marks = self.orders_waiting_for(sku, after.as_ref(), ORDERS_PER_READ);
            if marks.is_empty() {
                return Ok(());
            }
            for mark in &marks {
                if !self.serve_one(mark, planning).await? {
                    return Ok(());
                }
            }
            after = marks.last().cloned();
        }
    }

    /// False when there is nothing left for those behind it.
    async fn serve_one(&self, mark: &OrderMark, planning: &Planning) -> Result<bool, CommandError> {
        let Ok(Some(view)) = self.order(&mark.order_id).await else { return Ok(true) };
        let details = &view.order.details;
        // An order that holds no stock before it is confirmed does not wait yet.
        let asks = view.order.confirmed || details.policy.stock == StockPolicy::Hold;
        if !asks || !matches!(view.order.status(), OrderStatus::Placed | OrderStatus::Confirmed) {
            return Ok(true);
        }
        let command = match self.allotting(&view, planning, Expected::Version(view.order.version)).await {
            Ok(command) => command,
            Err(PlanningError::Short(_)) => return Ok(false),
            Err(PlanningError::Plan(_)) => return Ok(true),
        };
        match self.execute(Command::Order(command), &Meta::default()).await {
            Ok(_) => Ok(true),
            // Somebody else was faster, and signals again what is left.
            Err(CommandError::Refused(refusal)) => {
                Ok(!matches!(refusal.rejection, Rejection::PlanStale { .. }))
            }
            Err(error) => Err(error),
        }
    }
}
