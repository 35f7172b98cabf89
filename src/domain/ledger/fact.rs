//! Facts: what an event says, one variant a capability.

use crate::domain::catalogue::{ProductFact, StoreFact};
use crate::domain::clock::Leap;
use crate::domain::low_stock::AlertFact;
use crate::domain::low_stock::ThresholdFact;
use crate::domain::stock::StockFact;
use crate::domain::{After, EventKind, Key, Sku, StateRecord, StoreId, Taken, Timestamp, imports};
use serde::Serialize;

/// What an event says; one variant a capability.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Fact {
    /// A movement of a level.
    Stock(StockFact),
    /// A step of a bulk import.
    Import(imports::Progress),
    /// A state that another log moved until now.
    Take(Box<Taken>),
    /// A leap of the log's time.
    Clock(Leap),
    /// What is said of a product.
    Product(Box<ProductFact>),
    /// What is said of a store.
    Store(Box<StoreFact>),
    /// A store has a threshold of its own, or none any more.
    Threshold(ThresholdFact),
    /// A level is low, or not any more.
    Alert(AlertFact),
}

impl Fact {
    /// Which kind of event says it.
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::Stock(StockFact::Adjust(_)) => EventKind::Adjust,
            Self::Stock(StockFact::Reserve(_)) => EventKind::Reserve,
            Self::Stock(StockFact::Release(_)) => EventKind::Release,
            Self::Stock(StockFact::Commit(_)) => EventKind::Commit,
            Self::Stock(StockFact::Expire(_)) => EventKind::Expire,
            Self::Stock(StockFact::Count(_)) => EventKind::Count,
            Self::Import(_) => EventKind::Import,
            Self::Take(_) => EventKind::Take,
            Self::Clock(_) => EventKind::Clock,
            Self::Product(_) => EventKind::Product,
            Self::Store(_) => EventKind::Store,
            Self::Threshold(_) => EventKind::Threshold,
            Self::Alert(_) => EventKind::Alert,
        }
    }

    /// Which state it moves.
    pub fn key(&self) -> Key {
        match self {
            Self::Stock(fact) => {
                let (store, sku) = fact.place();
                Key::Level(store.clone(), sku.clone())
            }
            Self::Import(progress) => Key::Import(progress.import_id.clone()),
            Self::Take(taken) => taken.key(),
            Self::Clock(_) => Key::Clock,
            Self::Product(fact) => Key::Product(fact.sku.clone()),
            Self::Store(fact) => Key::Store(fact.store_id.clone()),
            Self::Threshold(fact) => Key::Threshold(fact.store_id.clone(), fact.sku.clone()),
            Self::Alert(fact) => Key::Alert(fact.store_id.clone(), fact.sku.clone()),
        }
    }

    /// When its state moved last, if the event is of the time `at`: what is taken over did not move then.
    pub fn moved_at(&self, at: Timestamp) -> Timestamp {
        match self {
            Self::Take(taken) => match &taken.state {
                StateRecord::Level(level) => level.updated_at,
                StateRecord::Import(import) => import.updated_at,
                StateRecord::Clock(clock) => clock.updated_at,
                StateRecord::Product(product) => product.updated_at,
                StateRecord::Store(store) => store.updated_at,
                StateRecord::Threshold(threshold) => threshold.updated_at,
                StateRecord::Alert(alert) => alert.updated_at,
            },
            _ => at,
        }
    }

    /// Where and what, when it is about one SKU in one store.
    pub fn place(&self) -> Option<(&StoreId, &Sku)> {
        match self {
            Self::Stock(fact) => Some(fact.place()),
            Self::Threshold(fact) => Some((&fact.store_id, &fact.sku)),
            Self::Alert(fact) => Some((&fact.store_id, &fact.sku)),
            Self::Take(taken) => match &taken.state {
                StateRecord::Level(level) => Some((&level.store_id, &level.sku)),
                StateRecord::Threshold(threshold) => Some((&threshold.store_id, &threshold.sku)),
                StateRecord::Alert(alert) => Some((&alert.store_id, &alert.sku)),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Fact {
    /// What the state was before the event, from what it was after; nothing when the two cannot belong together.
    pub fn before(&self, after: After) -> Option<After> {
        match (self, after) {
            (Self::Stock(fact), After::Level(after)) => fact.before(after).map(After::Level),
            (Self::Import(progress), After::Import(after)) => progress.before(after).map(After::Import),
            (Self::Take(taken), after) => taken.state.is_of(after).then_some(after),
            (Self::Clock(leap), After::Clock(after)) => leap.before(after).map(After::Clock),
            (Self::Product(_) | Self::Store(_) | Self::Threshold(_), After::Master(after)) => {
                after.before().map(After::Master)
            }
            (Self::Alert(fact), After::Alert(after)) => fact.before(after).map(After::Alert),
            _ => None,
        }
    }
}
