//! Thresholds: a store's own low-stock threshold of a SKU, in place of the product's.

use crate::identity::{Access, Denied, Permission};
use crate::master::{Master, MasterAfter, NOT_IN_CATALOGUE, master_kind};
use crate::{
    Decide, Draft, EventKind, Expected, Fact, Key, Kind, Misfit, Quantity, Refusal, Rejection, Sku, StoreId,
    Timestamp,
};
use serde::{Deserialize, Deserializer, Serialize};

/// `THRESHOLD`: the threshold of the SKU in the store from now on; without one the product's applies again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ThresholdFact {
    /// The store of the threshold.
    pub store_id: StoreId,
    /// The SKU of the threshold.
    pub sku: Sku,
    /// The level is low at this number of sellable pieces or fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_stock_threshold: Option<Quantity>,
}

/// Thresholds as a kind of state; each is a [`Master`] of a quantity.
#[derive(Debug)]
pub enum Threshold {}

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

/// The command that sets or removes a store's own threshold.
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdCommand {
    /// The store of the threshold.
    pub store_id: StoreId,
    /// The SKU of the threshold.
    pub sku: Sku,
    /// The condition on its version.
    pub expected: Expected,
    /// The threshold; none removes it.
    pub low_stock_threshold: Option<Quantity>,
}

impl Decide for ThresholdCommand {
    fn permit(&self, access: &Access) -> Result<(), Denied> {
        access.permit_in(Permission::StockThreshold, &self.store_id)
    }

    fn add_keys(&self, keys: &mut Vec<Key>) {
        keys.push(Key::Threshold(self.store_id.clone(), self.sku.clone()));
    }

    /// The version is checked first.
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Refusal> {
        let Self { store_id, sku, expected, low_stock_threshold } = self;
        let master = draft.state::<Threshold>(&Key::Threshold(store_id.clone(), sku.clone()));
        master.check(*expected)?;
        if low_stock_threshold.is_none() && master.details.is_none() {
            return Err(Rejection::ThresholdNotFound.into());
        }
        let (store_id, sku, low_stock_threshold) = (store_id.clone(), sku.clone(), *low_stock_threshold);
        draft.record(Fact::Threshold(ThresholdFact { store_id, sku, low_stock_threshold }));
        Ok(())
    }
}

impl Kind for Threshold {
    type Id = (StoreId, Sku);
    type State = Master<Quantity>;
    type Fact = ThresholdFact;
    type After = MasterAfter;
    type Record = ThresholdRecord;
    type Undo = Self::State;

    master_kind!(ThresholdFact, Threshold, |fact| fact.low_stock_threshold.as_ref());

    fn id(fact: &ThresholdFact) -> (StoreId, Sku) {
        (fact.store_id.clone(), fact.sku.clone())
    }

    fn place(fact: &ThresholdFact) -> Option<(&StoreId, &Sku)> {
        Some((&fact.store_id, &fact.sku))
    }

    fn record(master: &Master<Quantity>, (store_id, sku): (StoreId, Sku)) -> ThresholdRecord {
        let Master { details: low_stock_threshold, version, updated_at } = *master;
        ThresholdRecord { store_id, sku, low_stock_threshold, version, updated_at }
    }

    fn restore(record: ThresholdRecord) -> Result<((StoreId, Sku), Master<Quantity>), Misfit> {
        let ThresholdRecord { store_id, sku, low_stock_threshold: details, version, updated_at } = record;
        if version == 0 {
            return Err(NOT_IN_CATALOGUE);
        }
        Ok(((store_id, sku), Master { details, version, updated_at }))
    }

    fn id_in(record: &ThresholdRecord) -> (StoreId, Sku) {
        (record.store_id.clone(), record.sku.clone())
    }

    fn updated_at_in(record: &ThresholdRecord) -> Timestamp {
        record.updated_at
    }

    fn place_in(record: &ThresholdRecord) -> Option<(&StoreId, &Sku)> {
        Some((&record.store_id, &record.sku))
    }
}
