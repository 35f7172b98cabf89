//! Stores: what is said of a place that holds stock.

use crate::domain::catalogue::Master;
use crate::domain::{Draft, Expected, Fact, Key, Misfit, Rejection, StoreId, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// What is said of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Store {
    /// What it is called: 1-256 characters.
    pub name: SmolStr,
    /// What it is for.
    pub kind: StoreKind,
    /// Where it is: 1-256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<SmolStr>,
    /// Its time zone by the name in the IANA database, such as `Europe/London`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<SmolStr>,
    /// False when it is closed, although it is still described.
    pub active: bool,
}

/// What a store is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreKind {
    /// People come to buy.
    Shop,
    /// Goods are kept and sent.
    Warehouse,
}

/// `STORE`: from now on this is said of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoreFact {
    /// Which.
    pub store_id: StoreId,
    /// All that is said of it.
    pub store: Store,
}

/// A store in a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields of Master, under their names")]
pub struct StoreRecord {
    pub store_id: StoreId,
    pub store: Store,
    pub version: u64,
    pub updated_at: Timestamp,
}

/// A store is to be described.
#[derive(Debug, Clone, PartialEq)]
pub struct StoreCommand {
    /// Which.
    pub store_id: StoreId,
    /// Which version it must have.
    pub expected: Expected,
    /// True when it must not be described yet.
    pub create: bool,
    /// All that is said of it.
    pub store: Box<Store>,
}

/// Decides what is said of a store. The version is looked at first.
pub fn decide_store(draft: &mut Draft<'_>, command: &StoreCommand) -> Result<(), Rejection> {
    let master = draft.store(&Key::Store(command.store_id.clone()));
    master.check(command.expected)?;
    if command.create && master.details.is_some() {
        return Err(Rejection::StoreExists { current_version: master.version });
    }
    let (store_id, store) = (command.store_id.clone(), (*command.store).clone());
    draft.record(Fact::Store(Box::new(StoreFact { store_id, store })));
    Ok(())
}

impl StoreRecord {
    pub(in crate::domain) fn new(store_id: StoreId, master: &Master<Store>) -> Self {
        let Master { details, version, updated_at } = master.clone();
        Self { store_id, store: details.expect("a store is never taken out"), version, updated_at }
    }

    pub(in crate::domain) fn restore(self) -> Result<(StoreId, Master<Store>), Misfit> {
        let Self { store_id, store, version, updated_at } = self;
        if version == 0 {
            return Err(Misfit::Master);
        }
        Ok((store_id, Master { details: Some(store), version, updated_at }))
    }
}
