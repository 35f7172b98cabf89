//! States: what the events of one key add up to.

use crate::domain::catalogue::{Master, Product, ProductRecord, Store, StoreRecord};
use crate::domain::clock::Clock;
use crate::domain::imports::Import;
use crate::domain::low_stock::Alert;
use crate::domain::low_stock::ThresholdRecord;
use crate::domain::stock::{Level, LevelUndo};
use crate::domain::{After, Fact, Key, Quantity, StateRecord, Taken, Timestamp};

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
    /// The low-stock threshold of one SKU in one store.
    Threshold(Master<Quantity>),
    /// Whether one SKU is low in one store.
    Alert(Alert),
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
    /// For a threshold: what it was.
    Threshold(Master<Quantity>),
    /// For an alert: what it was.
    Alert(Alert),
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
    /// An alert is raised that is raised already, or cleared that is not, or by numbers that are not low.
    #[error("the event raises or clears an alert that it cannot")]
    Alert,
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
            Key::Threshold(..) => Self::Threshold(Master::default()),
            Key::Alert(..) => Self::Alert(Alert::default()),
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
            (Self::Threshold(master), Fact::Threshold(fact)) => {
                master.apply(fact.low_stock_threshold.as_ref(), at).map(Undo::Threshold)
            }
            (Self::Alert(alert), Fact::Alert(fact)) => alert.apply(fact, at).map(Undo::Alert),
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
            | (Self::Store(_), Self::Store(_))
            | (Self::Threshold(_), Self::Threshold(_))
            | (Self::Alert(_), Self::Alert(_)) => {}
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
            (Self::Threshold(master), Undo::Threshold(before)) => *master = before,
            (Self::Alert(alert), Undo::Alert(before)) => *alert = before,
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
            Self::Threshold(master) => After::Master(master.after()),
            Self::Alert(alert) => After::Alert(alert.after()),
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
            Self::Threshold(master) => master.version,
            Self::Alert(alert) => alert.version,
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
            Self::Threshold(master) => master.updated_at = at,
            Self::Alert(alert) => alert.updated_at = at,
        }
    }

    /// When something of this state falls due by itself: the first expiry of a hold.
    pub fn next_due(&self) -> Option<Timestamp> {
        match self {
            Self::Level(level) => level.next_due(),
            _ => None,
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
            (Self::Threshold(master), Key::Threshold(store, sku)) => {
                StateRecord::Threshold(ThresholdRecord::new(store.clone(), sku.clone(), master))
            }
            (Self::Alert(alert), Key::Alert(store, sku)) => {
                StateRecord::Alert(alert.record(store.clone(), sku.clone()))
            }
            _ => unreachable!("a state stands under a key of its own capability"),
        }
    }
}
