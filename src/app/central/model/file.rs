//! The central file: model, checkpoints and waiting levels in one JSON document.
//!
//! A save costs as much as the model is large. It therefore happens only after as many events as a tenth of the levels, and is followed by a
//! pause of nine times its duration; fewer events are saved for at most a hundredth of the time. After a crash the logs are
//! read again from the saved checkpoints.

use crate::central::model::level::Levels;
use crate::central::model::waits::{LevelPlace, Waits};
use crate::central::{Central, CentralLevel, Closing, Parked};
use onhand_domain::stock::LevelAfter;
use onhand_domain::{Quantity, Sequence, Sku, StoreId, Timestamp};
use serde::de::{self, DeserializeSeed, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use uuid::Uuid;

/// `central-<sequence>.json` without its checksum, in memory as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CentralFile {
    /// The number of events in the model.
    pub sequence: Sequence,
    /// The checkpoint of every node.
    pub sources: BTreeMap<Uuid, SourceRecord>,
    /// The model: store, SKU, level.
    pub stores: BTreeMap<StoreId, BTreeMap<Sku, CentralLevelRecord>>,
}

/// A node's checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SourceRecord {
    /// Every event up to here is in the model, or a dead letter, or waits behind one.
    pub sequence: Sequence,
    /// Levels that wait behind a dead letter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parked: Vec<ParkedRecord>,
    /// Levels whose next event is accepted with its numbers, because the event before it was discarded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub loose: Vec<(StoreId, Sku)>,
    /// Letters that are closed in this model, and perhaps not yet in the letter file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closing: Vec<Closing>,
}

/// A level that waits behind a dead letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParkedRecord {
    /// The store of the level.
    pub store_id: StoreId,
    /// The SKU of the level.
    pub sku: Sku,
    /// The letter it waits for, and the number of events.
    #[serde(flatten)]
    pub parked: Parked,
}

/// The level of one ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CentralLevelRecord {
    /// Number of sellable pieces.
    pub qty: Quantity,
    /// Number of pieces on hand.
    pub on_hand: Quantity,
    /// Number of reserved pieces.
    pub reserved: Quantity,
    /// The level's version.
    pub version: u64,
    /// The time of the last event.
    pub updated_at: Timestamp,
    /// The node whose log last moved it or took it over.
    pub node: Uuid,
    /// The ledger, if several nodes share it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Uuid>,
    /// The same level in other ledgers; usually none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<CentralLevelRecord>,
}

impl CentralLevelRecord {
    /// The record of a level of all ledgers; none when no ledger has it.
    pub(crate) fn of(levels: &Levels) -> Option<Self> {
        let mut records = levels.iter().map(|level| {
            let CentralLevel { ledger, node, numbers, updated_at } = *level;
            let ledger = Some(ledger).filter(|ledger| *ledger != node);
            let LevelAfter { on_hand, reserved, version } = numbers;
            let qty = numbers.qty();
            Self { qty, on_hand, reserved, version, updated_at, node, ledger, others: Vec::new() }
        });
        let first = records.next()?;
        Some(Self { others: records.collect(), ..first })
    }

    fn level(&self) -> CentralLevel {
        let Self { on_hand, reserved, version, updated_at, node, ledger, .. } = *self;
        let numbers = LevelAfter { on_hand, reserved, version };
        CentralLevel { ledger: ledger.unwrap_or(node), node, numbers, updated_at }
    }

    /// Adds the record to a model.
    fn put(&self, central: &mut Central, place: &LevelPlace) {
        for level in std::iter::once(self).chain(&self.others) {
            central.put(place, level.level());
        }
    }
}

impl SourceRecord {
    pub(crate) fn of(sequence: Sequence, waits: Option<&Waits>) -> Self {
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

/// Deserialises level by level into a model, without the document in memory.
impl<'de> Deserialize<'de> for Central {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Document { sequence, sources, stores } = Document::deserialize(deserializer)?;
        let mut central = stores.0;
        for (node, source) in &sources {
            central.resume(*node, source);
        }
        if central.sequence() != sequence {
            let sum = central.sequence();
            return Err(de::Error::custom(format!("it has {sequence} events, its sources have {sum}")));
        }
        Ok(central)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    sequence: Sequence,
    sources: BTreeMap<Uuid, SourceRecord>,
    stores: StoresIn,
}

struct StoresIn(Central);

struct StoreIn<'a>(&'a mut Central, StoreId);

impl<'de> Deserialize<'de> for StoresIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Stores;

        impl<'de> Visitor<'de> for Stores {
            type Value = StoresIn;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("levels by store and SKU")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut stores: A) -> Result<StoresIn, A::Error> {
                let mut central = Central::default();
                while let Some(store) = stores.next_key()? {
                    stores.next_value_seed(StoreIn(&mut central, store))?;
                }
                Ok(StoresIn(central))
            }
        }

        deserializer.deserialize_map(Stores)
    }
}

impl<'de> DeserializeSeed<'de> for StoreIn<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for StoreIn<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("levels by SKU")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut skus: A) -> Result<(), A::Error> {
        let Self(central, store) = self;
        while let Some((sku, record)) = skus.next_entry::<Sku, CentralLevelRecord>()? {
            record.put(central, &(store.clone(), sku));
        }
        Ok(())
    }
}

impl Central {
    /// Restores a node's checkpoint.
    fn resume(&mut self, node: Uuid, source: &SourceRecord) {
        self.advance(node, source.sequence);
        if let Some(waits) = source.waits() {
            *self.waits_mut(node) = waits;
        }
    }
}

impl From<&CentralFile> for Central {
    fn from(file: &CentralFile) -> Self {
        let mut central = Self::default();
        for (store, skus) in &file.stores {
            for (sku, record) in skus {
                record.put(&mut central, &(store.clone(), sku.clone()));
            }
        }
        for (node, source) in &file.sources {
            central.resume(*node, source);
        }
        central
    }
}
