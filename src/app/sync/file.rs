//! The central file: model, checkpoints and what is parked, in one JSON document that a person can open.

use crate::app::sync::central::Levels;
use crate::app::sync::waits::{Place, Waits};
use crate::app::sync::{Central, CentralLevel, Closing, Parked};
use crate::domain::stock::LevelAfter;
use crate::domain::{Quantity, Sequence, Sku, StoreId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// `central-<sequence>.json` without its checksum.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CentralFile {
    /// How many events are in the model.
    pub sequence: Sequence,
    /// The checkpoint of every node.
    pub sources: BTreeMap<Uuid, SourceRecord>,
    /// The model: store, SKU, level.
    pub stores: BTreeMap<StoreId, BTreeMap<Sku, LevelRecord>>,
}

/// A node's checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SourceRecord {
    /// Everything up to here is in the model, or a dead letter, or waits behind one.
    pub sequence: Sequence,
    /// Levels that wait behind a dead letter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parked: Vec<ParkedRecord>,
    /// Levels whose next event is taken as it is, because one in front of it was discarded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub loose: Vec<(StoreId, Sku)>,
    /// Letters that are closed in this model, but perhaps not yet in their file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closing: Vec<Closing>,
}

/// A level that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParkedRecord {
    /// Where.
    pub store_id: StoreId,
    /// What.
    pub sku: Sku,
    /// Since when, and how much.
    #[serde(flatten)]
    pub parked: Parked,
}

/// What one ledger says of one level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LevelRecord {
    /// Sellable pieces.
    pub qty: Quantity,
    /// Pieces there.
    pub on_hand: Quantity,
    /// Pieces promised.
    pub reserved: Quantity,
    /// The level's version.
    pub version: u64,
    /// The time of the last event.
    pub updated_at: Timestamp,
    /// The node whose log says so.
    pub node: Uuid,
    /// The ledger, where that is not the node's alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Uuid>,
    /// What other ledgers say of the same level; as a rule there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<LevelRecord>,
}

impl LevelRecord {
    fn of(level: &CentralLevel) -> Self {
        let CentralLevel { ledger, node, numbers, updated_at } = *level;
        let ledger = Some(ledger).filter(|ledger| *ledger != node);
        let LevelAfter { on_hand, reserved, version } = numbers;
        let qty = numbers.qty();
        Self { qty, on_hand, reserved, version, updated_at, node, ledger, others: Vec::new() }
    }

    fn level(&self) -> CentralLevel {
        let Self { on_hand, reserved, version, updated_at, node, ledger, .. } = *self;
        let numbers = LevelAfter { on_hand, reserved, version };
        CentralLevel { ledger: ledger.unwrap_or(node), node, numbers, updated_at }
    }
}

impl SourceRecord {
    fn of(sequence: Sequence, waits: Option<&Waits>) -> Self {
        let Some(waits) = waits else { return Self { sequence, ..Self::default() } };
        let parked = waits.parked.iter().map(|((store_id, sku), parked)| ParkedRecord {
            store_id: store_id.clone(),
            sku: sku.clone(),
            parked: *parked,
        });
        Self {
            sequence,
            parked: parked.collect(),
            loose: waits.loose.iter().cloned().collect(),
            closing: waits.closing.values().cloned().collect(),
        }
    }

    fn waits(&self) -> Option<Waits> {
        let parked = self.parked.iter().cloned();
        let waits = Waits {
            parked: parked.map(|record| ((record.store_id, record.sku), record.parked)).collect(),
            loose: self.loose.iter().cloned().collect(),
            closing: self.closing.iter().map(|closing| (closing.sequence, closing.clone())).collect(),
        };
        Some(waits).filter(|waits| !waits.is_empty())
    }
}

impl CentralFile {
    /// The file of a model, with checkpoints and what waits as they are now, and no levels yet.
    pub(super) fn begin(central: &Central) -> Self {
        let sources = central
            .as_of()
            .iter()
            .map(|(node, sequence)| (*node, SourceRecord::of(*sequence, central.waits(*node))))
            .collect();
        Self { sequence: central.sequence(), sources, stores: BTreeMap::new() }
    }

    /// Adds levels.
    pub(super) fn add(&mut self, levels: Vec<(Place, Levels)>) {
        for ((store, sku), levels) in levels {
            let mut records = levels.iter().map(LevelRecord::of);
            if let Some(first) = records.next() {
                let record = LevelRecord { others: records.collect(), ..first };
                self.stores.entry(store).or_default().insert(sku, record);
            }
        }
    }

    /// The model in the file.
    pub fn central(&self) -> Central {
        let mut central = Central::default();
        for (store, skus) in &self.stores {
            for (sku, record) in skus {
                for level in std::iter::once(record).chain(&record.others) {
                    central.put((store.clone(), sku.clone()), level.level());
                }
            }
        }
        for (node, source) in &self.sources {
            central.advance(*node, source.sequence);
            if let Some(waits) = source.waits() {
                *central.waits_mut(*node) = waits;
            }
        }
        central
    }
}
