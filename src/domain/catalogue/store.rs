//! Stores: the details of a place that holds stock.

use crate::identity::{Access, Denied, Permission};
use crate::master::{Master, MasterAfter, NOT_IN_CATALOGUE, master_kind};
use crate::{
    Decide, Draft, EventKind, Expected, Fact, Key, Kind, Misfit, Refusal, Rejection, StoreId, Timestamp,
};
use serde::{Deserialize, Deserializer, Serialize};
use smol_str::SmolStr;

/// The details of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Store {
    /// The name: 1-256 characters.
    pub name: SmolStr,
    /// The kind of store.
    pub kind: StoreKind,
    /// The address: 1-256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<SmolStr>,
    /// Its time zone by the name in the IANA database, such as `Europe/London`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<SmolStr>,
    /// False when the store is closed.
    pub active: bool,
}

/// The kind of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreKind {
    /// Customers buy there.
    Shop,
    /// Goods are kept there and sent.
    Warehouse,
}

/// `STORE`: the details of the store from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoreFact {
    /// The id of the store.
    pub store_id: StoreId,
    /// All details of the store.
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

/// A change of a store's details.
#[derive(Debug, Clone, PartialEq)]
pub struct StoreCommand {
    /// The id of the store.
    pub store_id: StoreId,
    /// The condition on its version.
    pub expected: Expected,
    /// True when the store must not have details yet.
    pub create: bool,
    /// All details of the store.
    pub store: Box<Store>,
}

impl Decide for StoreCommand {
    fn permit(&self, access: &Access) -> Result<(), Denied> {
        access.permit_in(Permission::StoresWrite, &self.store_id)
    }

    fn add_keys(&self, keys: &mut Vec<Key>) {
        keys.push(Key::Store(self.store_id.clone()));
    }

    /// The version is checked first.
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Refusal> {
        let master = draft.state::<Store>(&Key::Store(self.store_id.clone()));
        master.check(self.expected)?;
        if self.create && master.details.is_some() {
            return Err(Rejection::StoreExists { current_version: master.version }.into());
        }
        let (store_id, store) = (self.store_id.clone(), (*self.store).clone());
        draft.record(Fact::Store(Box::new(StoreFact { store_id, store })));
        Ok(())
    }
}

impl Kind for Store {
    type Id = (StoreId,);
    type State = Box<Master<Store>>;
    type Fact = Box<StoreFact>;
    type After = MasterAfter;
    type Record = StoreRecord;
    type Undo = Self::State;

    master_kind!(Box<StoreFact>, Store, |fact| Some(&fact.store));

    fn id(fact: &Box<StoreFact>) -> (StoreId,) {
        (fact.store_id.clone(),)
    }

    fn record(master: &Box<Master<Store>>, (store_id,): (StoreId,)) -> StoreRecord {
        let Master { details, version, updated_at } = (**master).clone();
        StoreRecord { store_id, store: details.expect("a store is never taken out"), version, updated_at }
    }

    fn restore(record: StoreRecord) -> Result<((StoreId,), Box<Master<Store>>), Misfit> {
        let StoreRecord { store_id, store, version, updated_at } = record;
        if version == 0 {
            return Err(NOT_IN_CATALOGUE);
        }
        Ok(((store_id,), Box::new(Master { details: Some(store), version, updated_at })))
    }

    fn id_in(record: &StoreRecord) -> (StoreId,) {
        (record.store_id.clone(),)
    }

    fn updated_at_in(record: &StoreRecord) -> Timestamp {
        record.updated_at
    }
}
