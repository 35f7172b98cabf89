//! A consistent copy of the central model, streamed into a file.
//!
//! The levels are read piece by piece while the model changes; the copy needs memory only for the levels that change meanwhile.

use crate::central::model::waits::LevelPlace;
use crate::central::{CentralFile, CentralLevelRecord, CentralModel, SourceRecord};
use onhand_domain::{Sequence, Sku, StoreId};
use parking_lot::MutexGuard;
use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::iter::Peekable;
use uuid::Uuid;

/// Levels copied under one lock; readers and the worker wait for no more than these.
const COPY_LEVELS: usize = 500;

/// The model at the moment the copy began; serialised as a [`CentralFile`].
pub struct CentralCopy<'a> {
    model: &'a CentralModel,
    sequence: Sequence,
    sources: BTreeMap<Uuid, SourceRecord>,
    /// The model supports one copy at a time.
    _one: MutexGuard<'a, ()>,
}

impl CentralModel {
    /// The model at this moment, to be read piece by piece while it changes.
    pub fn copy(&self) -> CentralCopy<'_> {
        CentralCopy::begin(self, self.copying.lock())
    }
}

impl<'a> CentralCopy<'a> {
    pub(crate) fn begin(model: &'a CentralModel, one: MutexGuard<'a, ()>) -> Self {
        let mut central = model.write();
        central.begin_copy();
        let waits = |node| central.waits(node);
        let sources = central.as_of().iter();
        let sources = sources.map(|(node, sequence)| (*node, SourceRecord::of(*sequence, waits(*node))));
        Self { model, sequence: central.sequence(), sources: sources.collect(), _one: one }
    }

    /// The number of events in it.
    pub fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// The whole copy in memory.
    pub fn whole(&self) -> CentralFile {
        let mut stores: BTreeMap<StoreId, BTreeMap<Sku, CentralLevelRecord>> = BTreeMap::new();
        for ((store, sku), record) in self.levels() {
            stores.entry(store).or_default().insert(sku, record);
        }
        CentralFile { sequence: self.sequence, sources: self.sources.clone(), stores }
    }

    /// Every level, by store and SKU.
    fn levels(&self) -> impl Iterator<Item = (LevelPlace, CentralLevelRecord)> {
        let mut last: Option<LevelPlace> = None;
        let pieces = std::iter::from_fn(move || {
            let piece = self.model.look(|central| central.copy_on(last.as_ref(), COPY_LEVELS))?;
            last = piece.last().map(|(place, _)| place.clone());
            Some(piece)
        });
        pieces.flatten().filter_map(|(place, levels)| Some((place, CentralLevelRecord::of(&levels)?)))
    }
}

impl Drop for CentralCopy<'_> {
    fn drop(&mut self) {
        let remembered = self.model.write().end_copy();
        drop(remembered);
    }
}

impl Serialize for CentralCopy<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let stores = StoresOut(RefCell::new(self.levels().peekable()));
        let mut document = serializer.serialize_struct("CentralFile", 3)?;
        document.serialize_field("sequence", &self.sequence)?;
        document.serialize_field("sources", &self.sources)?;
        document.serialize_field("stores", &stores)?;
        document.end()
    }
}

/// The stores of a copy by name; each takes its levels from the shared iterator.
struct StoresOut<I: Iterator>(RefCell<Peekable<I>>);

struct StoreOut<'a, I: Iterator>(&'a StoresOut<I>, &'a StoreId);

impl<I: Iterator<Item = (LevelPlace, CentralLevelRecord)>> Serialize for StoresOut<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut stores = serializer.serialize_map(None)?;
        let next = || self.0.borrow_mut().peek().map(|((store, _), _)| store.clone());
        while let Some(store) = next() {
            stores.serialize_entry(&store, &StoreOut(self, &store))?;
        }
        stores.end()
    }
}

impl<I: Iterator<Item = (LevelPlace, CentralLevelRecord)>> Serialize for StoreOut<'_, I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(stores, own) = self;
        let mut skus = serializer.serialize_map(None)?;
        let next = || stores.0.borrow_mut().next_if(|((store, _), _)| store == *own);
        while let Some(((_, sku), record)) = next() {
            skus.serialize_entry(&sku, &record)?;
        }
        skus.end()
    }
}
