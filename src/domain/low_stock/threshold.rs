//! Thresholds: below which stock of a SKU one store counts as low, where that is not what the product says.

use crate::domain::catalogue::Master;
use crate::domain::{Draft, Expected, Fact, Key, Misfit, Quantity, Rejection, Sku, StoreId, Timestamp};
use serde::{Deserialize, Serialize};

/// `THRESHOLD`: from now on this is the threshold of the SKU in the store; without one the product's counts again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ThresholdFact {
    /// Where.
    pub store_id: StoreId,
    /// What.
    pub sku: Sku,
    /// So many sellable pieces or fewer are low.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_stock_threshold: Option<Quantity>,
}

/// A threshold in a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields of Master, under their names")]
pub struct ThresholdRecord {
    pub store_id: StoreId,
    pub sku: Sku,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_stock_threshold: Option<Quantity>,
    pub version: u64,
    pub updated_at: Timestamp,
}

/// A store is to have a threshold of its own, or none.
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdCommand {
    /// Where.
    pub store_id: StoreId,
    /// What.
    pub sku: Sku,
    /// Which version it must have.
    pub expected: Expected,
    /// The threshold; none takes it away.
    pub low_stock_threshold: Option<Quantity>,
}

/// Decides on a threshold. The version is looked at first.
pub fn decide_threshold(draft: &mut Draft<'_>, command: &ThresholdCommand) -> Result<(), Rejection> {
    let ThresholdCommand { store_id, sku, expected, low_stock_threshold } = command;
    let master = draft.threshold(&Key::Threshold(store_id.clone(), sku.clone()));
    master.check(*expected)?;
    if low_stock_threshold.is_none() && master.details.is_none() {
        return Err(Rejection::ThresholdNotFound);
    }
    let (store_id, sku, low_stock_threshold) = (store_id.clone(), sku.clone(), *low_stock_threshold);
    draft.record(Fact::Threshold(ThresholdFact { store_id, sku, low_stock_threshold }));
    Ok(())
}

impl ThresholdRecord {
    pub(in crate::domain) fn new(store_id: StoreId, sku: Sku, master: &Master<Quantity>) -> Self {
        let Master { details: low_stock_threshold, version, updated_at } = *master;
        Self { store_id, sku, low_stock_threshold, version, updated_at }
    }

    pub(in crate::domain) fn restore(self) -> Result<(StoreId, Sku, Master<Quantity>), Misfit> {
        let Self { store_id, sku, low_stock_threshold: details, version, updated_at } = self;
        if version == 0 {
            return Err(Misfit::Master);
        }
        Ok((store_id, sku, Master { details, version, updated_at }))
    }
}
