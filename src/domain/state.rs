//! States: what the events of one key add up to.

use crate::domain::catalog::{Master, Product, ProductRecord, Store, StoreRecord};
use crate::domain::clock::{Clock, ClockRecord};
use crate::domain::imports::Import;
use crate::domain::stock::{Level, LevelRecord, LevelUndo};
use crate::domain::{After, Fact, ImportId, Key, Sku, StoreId, Taken, Timestamp, imports};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

/// One state of the ledger; one variant a capability.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// The stock of one SKU in one store.
    Level(Level),
    /// The progress of one bulk import.
    Import(Import),
    /// The time of the log.
    Clock(Clock),
    /// What is said of a product.
    Product(Box<Master<Product>>),
    /// What is said of a store.
    Store(Box<Master<Store>>),
}

/// How to take one event back, in reverse order of applying.
#[derive(Debug)]
pub enum Undo {
    /// For a level.
    Level(LevelUndo),
    /// For an import: what it was.
    Import(Import),
    /// For a state that was taken over: what it was.
    Taken(Box<State>),
    /// For the time of the log: what it was.
    Clock(Clock),
    /// For a product: what was said of it.
    Product(Box<Master<Product>>),
    /// For a store: what was said of it.
    Store(Box<Master<Store>>),
}

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
        }
    }
}

/// The event does not fit the state: the log contradicts itself, or the caller did not decide on this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// A number would be negative or out of range.
    #[error("the event would make a number negative or too large")]
    Number,
    /// A reservation that is not open, or one that is open already.
    #[error("the event names a reservation that is not in the right state")]
    Reservation,
    /// An import step that does not follow the last one.
    #[error("the event does not follow the import's last row")]
    Import,
    /// A state is taken over as it was before events that it has seen.
    #[error("the event takes the state over in an older version")]
    Taken,
    /// A leap that leads back, or begins before the last event of its kind.
    #[error("the event would turn the time of the log back")]
    Clock,
    /// Something is taken out of the catalogue that is not in it, or said of it without a version.
    #[error("the event takes something out of the catalogue that is not in it")]
    Master,
    /// The event belongs to another capability than the state.
    #[error("the event belongs to another kind of state")]
    Kind,
}

impl State {
    /// The state of a key of which no event is known: version 0.
    pub fn absent(key: &Key) -> Self {
        match key {
            Key::Level(..) => Self::Level(Level::default()),
            Key::Import(_) => Self::Import(Import::default()),
            Key::Clock => Self::Clock(Clock::default()),
            Key::Product(_) => Self::Product(Box::default()),
            Key::Store(_) => Self::Store(Box::default()),
        }
    }

    /// Moves the state by one event of its key.
    ///
    /// # Errors
    /// [`Misfit`] when the event cannot have happened to this state, which is then unchanged.
    pub fn apply(&mut self, fact: &Fact, at: Timestamp) -> Result<Undo, Misfit> {
        match (self, fact) {
            (Self::Level(level), Fact::Stock(fact)) => level.apply(fact, at).map(Undo::Level),
            (Self::Import(import), Fact::Import(progress)) => import.apply(progress, at).map(Undo::Import),
            (state, Fact::Take(taken)) => state.take(taken).map(Undo::Taken),
            (Self::Clock(clock), Fact::Clock(leap)) => clock.apply(leap, at).map(Undo::Clock),
            (Self::Product(master), Fact::Product(fact)) => {
                master.apply(fact.product.as_ref(), at).map(|before| Undo::Product(Box::new(before)))
            }
            (Self::Store(master), Fact::Store(fact)) => {
                master.apply(Some(&fact.store), at).map(|before| Undo::Store(Box::new(before)))
            }
            _ => Err(Misfit::Kind),
        }
    }

    /// Becomes what is taken over, up to the time of its last movement; answers what it was.
    fn take(&mut self, taken: &Taken) -> Result<Box<Self>, Misfit> {
        let (_, restored) = taken.state.clone().restore()?;
        match (&*self, &restored) {
            (Self::Level(_), Self::Level(_))
            | (Self::Import(_), Self::Import(_))
            | (Self::Product(_), Self::Product(_))
            | (Self::Store(_), Self::Store(_)) => {}
            _ => return Err(Misfit::Kind),
        }
        if restored.version() < self.version() {
            return Err(Misfit::Taken);
        }
        Ok(Box::new(std::mem::replace(self, restored)))
    }

    /// Takes the last event back.
    pub fn undo(&mut self, undo: Undo) {
        match (self, undo) {
            (Self::Level(level), Undo::Level(undo)) => level.undo(undo),
            (Self::Import(import), Undo::Import(before)) => *import = before,
            (state, Undo::Taken(before)) => *state = *before,
            (Self::Clock(clock), Undo::Clock(before)) => *clock = before,
            (Self::Product(master), Undo::Product(before)) => *master = before,
            (Self::Store(master), Undo::Store(before)) => *master = before,
            _ => unreachable!("an undo goes back to the state it came from"),
        }
    }

    /// The numbers that an event records as `after`.
    pub fn after(&self) -> After {
        match self {
            Self::Level(level) => After::Level(level.after()),
            Self::Import(import) => After::Import(import.after()),
            Self::Clock(clock) => After::Clock(clock.after()),
            Self::Product(master) => After::Master(master.after()),
            Self::Store(master) => After::Master(master.after()),
        }
    }

    /// Strictly increasing by 1 with every event; 0 when there was none.
    pub fn version(&self) -> u64 {
        match self {
            Self::Level(level) => level.version(),
            Self::Import(import) => import.version,
            Self::Clock(clock) => clock.version,
            Self::Product(master) => master.version,
            Self::Store(master) => master.version,
        }
    }

    /// Sets the time of the last change, once the log has given the entry its time.
    pub fn set_updated_at(&mut self, at: Timestamp) {
        match self {
            Self::Level(level) => level.set_updated_at(at),
            Self::Import(import) => import.updated_at = at,
            Self::Clock(clock) => clock.updated_at = at,
            Self::Product(master) => master.updated_at = at,
            Self::Store(master) => master.updated_at = at,
        }
    }

    /// When something of this state falls due by itself: the first expiry of a hold.
    pub fn next_due(&self) -> Option<Timestamp> {
        match self {
            Self::Level(level) => level.next_due(),
            Self::Import(_) | Self::Clock(_) | Self::Product(_) | Self::Store(_) => None,
        }
    }

    /// The snapshot line of the state under that key.
    pub fn record(&self, key: &Key) -> StateRecord {
        match (self, key) {
            (Self::Level(level), Key::Level(store, sku)) => {
                StateRecord::Level(level.record(store.clone(), sku.clone()))
            }
            (Self::Import(import), Key::Import(id)) => StateRecord::Import(import.record(id.clone())),
            (Self::Clock(clock), Key::Clock) => StateRecord::Clock(clock.record()),
            (Self::Product(master), Key::Product(sku)) => {
                StateRecord::Product(ProductRecord::new(sku.clone(), master))
            }
            (Self::Store(master), Key::Store(store)) => {
                StateRecord::Store(StoreRecord::new(store.clone(), master))
            }
            _ => unreachable!("a state stands under a key of its own capability"),
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
                | (Self::Product(_) | Self::Store(_), After::Master(_))
        )
    }

    /// How many open holds it carries.
    pub fn holds(&self) -> u64 {
        match self {
            Self::Level(record) => record.holds.len() as u64,
            Self::Import(_) | Self::Clock(_) | Self::Product(_) | Self::Store(_) => 0,
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
        }
    }
}
