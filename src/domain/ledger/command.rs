//! Commands: what a caller wants; one variant a capability.

use crate::domain::catalogue;
use crate::domain::catalogue::{ProductCommand, Products, StoreCommand};
use crate::domain::clock;
use crate::domain::imports::{self, ImportRows};
use crate::domain::low_stock;
use crate::domain::low_stock::ThresholdCommand;
use crate::domain::stock::{self, Batch, StockCommand};
use crate::domain::{Draft, Idempotency, Key, Refusal, Timestamp};

/// A wish to change something.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// One movement of one level.
    Stock(StockCommand),
    /// Many movements, atomic or each by itself.
    Batch(Batch),
    /// The next rows of a bulk import.
    Import(ImportRows),
    /// Something is said of a product.
    Product(ProductCommand),
    /// Something is said of many products.
    Products(Products),
    /// Something is said of a store.
    Store(StoreCommand),
    /// A store is to have a low-stock threshold of its own, or none.
    Threshold(ThresholdCommand),
    /// Let what is due on these states happen, and nothing else; an alert is looked at with its level.
    Due(Vec<Key>),
    /// Let the time of the log go on from this one, which is later.
    Leap(Timestamp),
}

impl Command {
    /// The states it decides on, sorted and unique: the order in which their mutexes are taken.
    pub fn keys(&self) -> Vec<Key> {
        let mut keys = match self {
            Self::Stock(command) => vec![command.key()],
            Self::Batch(batch) => batch.operations.iter().map(|operation| operation.command.key()).collect(),
            Self::Import(import) => {
                let levels = import.rows.iter().map(|row| Key::Level(row.store_id.clone(), row.sku.clone()));
                levels.chain([Key::Import(import.import_id.clone())]).collect()
            }
            Self::Product(command) => vec![Key::Product(command.sku.clone())],
            Self::Products(command) => {
                command.products.iter().map(|said| Key::Product(said.sku.clone())).collect()
            }
            Self::Store(command) => vec![Key::Store(command.store_id.clone())],
            Self::Threshold(command) => vec![Key::Threshold(command.store_id.clone(), command.sku.clone())],
            Self::Due(keys) => {
                let levels = keys.iter().filter_map(|key| match key {
                    Key::Alert(store, sku) => Some(Key::Level(store.clone(), sku.clone())),
                    _ => None,
                });
                keys.iter().cloned().chain(levels).collect()
            }
            Self::Leap(_) => vec![Key::Clock],
        };
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// The idempotency of each operation that has its own, with the operation's index.
    pub fn operation_idempotency(&self) -> impl Iterator<Item = (usize, &Idempotency)> {
        let operations = match self {
            Self::Batch(batch) => batch.operations.as_slice(),
            Self::Stock(_)
            | Self::Import(_)
            | Self::Product(_)
            | Self::Products(_)
            | Self::Store(_)
            | Self::Threshold(_)
            | Self::Due(_)
            | Self::Leap(_) => &[],
        };
        operations
            .iter()
            .enumerate()
            .filter_map(|(index, operation)| Some((index, operation.idempotency.as_ref()?)))
    }

    /// Notes what is known of an operation's idempotency key; without a note it is decided.
    pub fn note(&mut self, index: usize, known: stock::KnownKey) {
        if let Self::Batch(batch) = self
            && let Some(operation) = batch.operations.get_mut(index)
        {
            operation.known = Some(known);
        }
    }
}

/// Decides a command: records its events in the draft, or says why not.
///
/// The draft must hold a state for each of [`Command::keys`], with nothing due. On a refusal the draft is as it was.
pub fn decide(draft: &mut Draft<'_>, command: &Command) -> Result<(), Refusal> {
    match command {
        Command::Stock(command) => stock::decide(draft, command).map_err(Refusal::from),
        Command::Batch(batch) => stock::decide_batch(draft, batch),
        Command::Import(import) => imports::decide(draft, import).map_err(Refusal::from),
        Command::Product(command) => catalogue::decide_product(draft, command).map_err(Refusal::from),
        Command::Products(command) => {
            catalogue::decide_products(draft, command);
            Ok(())
        }
        Command::Store(command) => catalogue::decide_store(draft, command).map_err(Refusal::from),
        Command::Threshold(command) => low_stock::decide_threshold(draft, command).map_err(Refusal::from),
        Command::Due(_) => Ok(()),
        Command::Leap(to) => {
            clock::decide(draft, *to);
            Ok(())
        }
    }
}
