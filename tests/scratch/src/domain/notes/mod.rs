//! Notes: a line of text on a SKU.

use crate::master::{Master, MasterAfter, NOT_IN_CATALOGUE, master_kind};
use crate::identity::{Access, Denied, Permission};
use crate::{Decide, Draft, EventKind, Fact, Key, Kind, Misfit, Refusal, Sku, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use smol_str::SmolStr;

/// Notes as a kind of state; each is a [`Master`] of a text.
#[derive(Debug)]
pub enum Note {}

/// `NOTE`: from now on this is the note on the SKU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NoteFact {
    /// On which SKU.
    pub sku: Sku,
    /// The text.
    pub text: SmolStr,
}

/// A note in a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields of Master, under their names")]
pub struct NoteRecord {
    pub sku: Sku,
    pub text: SmolStr,
    pub version: u64,
    pub updated_at: Timestamp,
}

/// A SKU is to have a note.
#[derive(Debug, Clone, PartialEq)]
pub struct NoteCommand {
    /// Which SKU.
    pub sku: Sku,
    /// The text.
    pub text: SmolStr,
}

impl Decide for NoteCommand {
    fn permit(&self, access: &Access) -> Result<(), Denied> {
        access.permit(Permission::CatalogueWrite)
    }

    fn add_keys(&self, keys: &mut Vec<Key>) {
        keys.push(Key::Note(self.sku.clone()));
    }

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Refusal> {
        draft.record(Fact::Note(NoteFact { sku: self.sku.clone(), text: self.text.clone() }));
        Ok(())
    }
}

impl Kind for Note {
    type Id = (Sku,);
    type State = Master<SmolStr>;
    type Fact = NoteFact;
    type After = MasterAfter;
    type Record = NoteRecord;
    type Undo = Self::State;

    master_kind!(NoteFact, Note, |fact| Some(&fact.text));

    fn id(fact: &NoteFact) -> (Sku,) {
        (fact.sku.clone(),)
    }

    fn record(master: &Master<SmolStr>, (sku,): (Sku,)) -> NoteRecord {
        let Master { details, version, updated_at } = master.clone();
        NoteRecord { sku, text: details.unwrap_or_default(), version, updated_at }
    }

    fn restore(record: NoteRecord) -> Result<((Sku,), Master<SmolStr>), Misfit> {
        let NoteRecord { sku, text, version, updated_at } = record;
        if version == 0 {
            return Err(NOT_IN_CATALOGUE);
        }
        Ok(((sku,), Master { details: Some(text), version, updated_at }))
    }

    fn id_in(record: &NoteRecord) -> (Sku,) {
        (record.sku.clone(),)
    }

    fn updated_at_in(record: &NoteRecord) -> Timestamp {
        record.updated_at
    }
}
