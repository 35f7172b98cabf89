//! Low stock: the alerts that are raised, and thresholds of single stores.

use crate::app::Ledger;
use crate::app::stock::movements::ReadError;
use crate::domain::low_stock::Raised;
use crate::domain::{Key, Quantity, Sku, State, StoreId, Timestamp};

/// An alert that is raised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertView {
    /// Where.
    pub store_id: StoreId,
    /// What.
    pub sku: Sku,
    /// The numbers that raised it.
    pub raised: Raised,
    /// How often it was raised and cleared.
    pub version: u64,
    /// Since when.
    pub raised_at: Timestamp,
}

/// Which alerts; what is not set lets everything pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertFilter {
    /// Only those of this store.
    pub store_id: Option<StoreId>,
    /// Only those of this SKU.
    pub sku: Option<Sku>,
}

/// The low-stock threshold that a store has for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThresholdView {
    /// So many sellable pieces or fewer are low.
    pub low_stock_threshold: Quantity,
    /// The version of the threshold.
    pub version: u64,
    /// The time of the last change.
    pub updated_at: Timestamp,
}

impl AlertFilter {
    fn passes(&self, store_id: &StoreId, sku: &Sku) -> bool {
        self.store_id.as_ref().is_none_or(|wanted| wanted == store_id)
            && self.sku.as_ref().is_none_or(|wanted| wanted == sku)
    }
}

impl Ledger {
    /// At most `limit` raised alerts in the order of stores and SKUs, behind `after`.
    ///
    /// # Errors
    /// [`ReadError::History`] when the log of another process cannot be read.
    pub async fn alerts(
        &self,
        filter: &AlertFilter,
        mut after: Option<(StoreId, Sku)>,
        limit: usize,
    ) -> Result<Vec<AlertView>, ReadError> {
        self.catch_up().await?;
        let mut alerts = Vec::new();
        while alerts.len() < limit {
            let wanted = |store: &StoreId, sku: &Sku| filter.passes(store, sku);
            let places =
                self.projections.low_stock.alerts_after(after.as_ref(), limit - alerts.len(), wanted);
            let Some((last, _)) = places.last() else { break };
            after = Some(last.clone());
            for (place, note) in &places {
                // What is not durable yet is waited for: what is raised may be cleared by then, or what is cleared raised still.
                let alert = self.alert(&place.0, &place.1).await?;
                if alert.is_none() {
                    self.projections.low_stock.seen_cleared(place, *note);
                }
                alerts.extend(alert);
            }
        }
        Ok(alerts)
    }

    async fn alert(&self, store_id: &StoreId, sku: &Sku) -> Result<Option<AlertView>, ReadError> {
        let key = Key::Alert(store_id.clone(), sku.clone());
        let seen = self.read(&key, |state| match state {
            State::Alert(alert) => alert.raised.map(|raised| (raised, alert.version, alert.updated_at)),
            _ => None,
        });
        Ok(seen.await?.flatten().map(|(raised, version, raised_at)| AlertView {
            store_id: store_id.clone(),
            sku: sku.clone(),
            raised,
            version,
            raised_at,
        }))
    }

    /// How many alerts are raised, for the metrics.
    pub fn alerts_raised(&self) -> usize {
        self.projections.low_stock.raised()
    }

    /// The low-stock threshold that a store has for itself; nothing when that of the product counts.
    ///
    /// # Errors
    /// As [`Ledger::alerts`].
    pub async fn threshold(&self, store_id: &StoreId, sku: &Sku) -> Result<Option<ThresholdView>, ReadError> {
        let key = Key::Threshold(store_id.clone(), sku.clone());
        let seen = self.read(&key, |state| match state {
            State::Threshold(master) => {
                let (version, updated_at) = (master.version, master.updated_at);
                let view = |low_stock_threshold| ThresholdView { low_stock_threshold, version, updated_at };
                master.details.map(view)
            }
            _ => None,
        });
        Ok(seen.await?.flatten())
    }
}
