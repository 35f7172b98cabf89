//! States as lines of snapshots, and as another log takes them over.

use crate::domain::catalogue::{ProductRecord, StoreRecord};
use crate::domain::clock::{Clock, ClockRecord};
use crate::domain::imports::{self, Import};
use crate::domain::low_stock::ThresholdRecord;
use crate::domain::low_stock::{Alert, AlertRecord};
use crate::domain::stock::{Level, LevelRecord};
use crate::domain::{After, ImportId, Key, Misfit, Sku, State, StoreId};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

/// A state as a line of a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StateRecord {
    /// See [`LevelRecord`].
    Level(LevelRecord),
    /// See [`imports::ImportRecord`].
    Import(imports::ImportRecord),
    /// See [`ClockRecord`].
    Clock(ClockRecord),
    /// See [`ProductRecord`].
    Product(ProductRecord),
    /// See [`StoreRecord`].
    Store(StoreRecord),
    /// See [`ThresholdRecord`].
    Threshold(ThresholdRecord),
    /// See [`AlertRecord`].
    Alert(AlertRecord),
}

/// As much of a [`StateRecord`] as tells its key and its holds; reading it skips the rest.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StateKey {
    /// Of a level.
    #[serde(rename_all = "camelCase")]
    Level {
        /// Where.
        store_id: StoreId,
        /// What.
        sku: Sku,
        /// Its open holds.
        #[serde(default)]
        holds: Vec<IgnoredAny>,
    },
    /// Of an import.
    #[serde(rename_all = "camelCase")]
    Import {
        /// Which.
        import_id: ImportId,
    },
    /// Of the time of the log.
    Clock {},
    /// Of a product.
    Product {
        /// Which.
        sku: Sku,
    },
    /// Of a store.
    #[serde(rename_all = "camelCase")]
    Store {
        /// Which.
        store_id: StoreId,
    },
    /// Of a threshold.
    #[serde(rename_all = "camelCase")]
    Threshold {
        /// Where.
        store_id: StoreId,
        /// What.
        sku: Sku,
    },
    /// Of an alert.
    #[serde(rename_all = "camelCase")]
    Alert {
        /// Where.
        store_id: StoreId,
        /// What.
        sku: Sku,
    },
}

impl StateKey {
    /// The key, and the number of open holds.
    pub fn key(self) -> (Key, u64) {
        match self {
            Self::Level { store_id, sku, holds } => (Key::Level(store_id, sku), holds.len() as u64),
            Self::Import { import_id } => (Key::Import(import_id), 0),
            Self::Clock {} => (Key::Clock, 0),
            Self::Product { sku } => (Key::Product(sku), 0),
            Self::Store { store_id } => (Key::Store(store_id), 0),
            Self::Threshold { store_id, sku } => (Key::Threshold(store_id, sku), 0),
            Self::Alert { store_id, sku } => (Key::Alert(store_id, sku), 0),
        }
    }
}

impl StateRecord {
    /// True when the numbers are those of the same kind of state.
    pub(in crate::domain) const fn is_of(&self, after: After) -> bool {
        matches!(
            (self, after),
            (Self::Level(_), After::Level(_))
                | (Self::Import(_), After::Import(_))
                | (Self::Product(_) | Self::Store(_) | Self::Threshold(_), After::Master(_))
                | (Self::Alert(_), After::Alert(_))
        )
    }

    /// How many open holds it carries.
    pub fn holds(&self) -> u64 {
        match self {
            Self::Level(record) => record.holds.len() as u64,
            _ => 0,
        }
    }

    /// The state and its key.
    ///
    /// # Errors
    /// [`Misfit`] when the record contradicts itself.
    pub fn restore(self) -> Result<(Key, State), Misfit> {
        match self {
            Self::Level(record) => {
                let (store, sku, level) = Level::restore(record)?;
                Ok((Key::Level(store, sku), State::Level(level)))
            }
            Self::Import(record) => {
                let (id, import) = Import::restore(record)?;
                Ok((Key::Import(id), State::Import(import)))
            }
            Self::Clock(record) => Ok((Key::Clock, State::Clock(Clock::restore(&record)))),
            Self::Product(record) => {
                let (sku, master) = record.restore()?;
                Ok((Key::Product(sku), State::Product(Box::new(master))))
            }
            Self::Store(record) => {
                let (store, master) = record.restore()?;
                Ok((Key::Store(store), State::Store(Box::new(master))))
            }
            Self::Threshold(record) => {
                let (store, sku, master) = record.restore()?;
                Ok((Key::Threshold(store, sku), State::Threshold(master)))
            }
            Self::Alert(record) => {
                let (store, sku, alert) = Alert::restore(record)?;
                Ok((Key::Alert(store, sku), State::Alert(alert)))
            }
        }
    }
}
