//! Reads of raised alerts and of the thresholds of single stores.

use crate::Ledger;
use crate::stock::LevelView;
use crate::stock::movements::ReadError;
use onhand_domain::identity::StoreScope;
use onhand_domain::low_stock::Raised;
use onhand_domain::{Key, Quantity, Sku, State, StoreId, Timestamp};

/// A raised alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertView {
    /// The store of the level.
    pub store_id: StoreId,
    /// The SKU of the level.
    pub sku: Sku,
    /// The numbers that raised the alert.
    pub raised: Raised,
    /// The number of times it was raised or cleared.
    pub version: u64,
    /// The time it was raised.
    pub raised_at: Timestamp,
}

/// A filter of alerts; a condition that is not set accepts every alert.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertFilter {
    /// Only those of this store.
    pub store_id: Option<StoreId>,
    /// Only those of this SKU.
    pub sku: Option<Sku>,
    /// Only those of these stores.
    pub scope: StoreScope,
}

/// A store's own low-stock threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThresholdView {
    /// The level is low at this number of sellable pieces or fewer.
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
            && self.scope.covers(store_id)
    }
}

impl Ledger {
    /// At most `limit` raised alerts in the order of stores and SKUs, after `after`.
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
                // The read waits for the disk: a rollback may clear an alert that memory has as raised, or the other way round.
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

    /// The number of raised alerts, for the metrics.
    pub fn alerts_raised(&self) -> usize {
        self.projections.low_stock.raised()
    }

    /// A store's own low-stock threshold; none when the product's threshold applies.
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

    /// The threshold of each of these levels: the store's own, or else the product's.
    ///
    /// # Errors
    /// As [`Ledger::alerts`].
    pub async fn thresholds_of(&self, levels: &[LevelView]) -> Result<Vec<Option<Quantity>>, ReadError> {
        if self.projections.low_stock.changes() == 0 {
            self.catch_up().await?;
            return Ok(vec![None; levels.len()]);
        }
        let look = self.with_products(|products| {
            let of_product = |level: &LevelView| products.get(&level.sku)?.view.product.low_stock_threshold;
            levels.iter().map(of_product).collect::<Vec<_>>()
        });
        let mut thresholds = look.await?;
        for (level, threshold) in levels.iter().zip(&mut thresholds) {
            // The projection may know a removal that is not durable yet, so the state itself is asked.
            if let Some(own) = self.threshold(&level.store_id, &level.sku).await? {
                *threshold = Some(own.low_stock_threshold);
            }
        }
        Ok(thresholds)
    }
}
