//! The central model: the levels of every node by store and SKU, and the checkpoint of each node's log.
//!
//! A level is a row of 64 bytes that refers to its store and node by number. Rows are found through a hash table of row numbers, and
//! iterated through two sorted lists of them, by store and by SKU. Rows are never removed.

use crate::central::Poison;
use crate::central::model::change::Change;
use crate::central::model::level::{CentralLevel, Levels};
use crate::central::model::numbered::Numbered;
use crate::central::model::order::Order;
use crate::central::model::step::{Origin, StepOutcome, step};
use crate::central::model::waits::{LevelPlace, Waits};
use hashbrown::HashTable;
use onhand_domain::stock::LevelAfter;
use onhand_domain::{Sequence, Sku, StoreId, Timestamp};
use smallvec::smallvec;
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use uuid::Uuid;

/// The levels of all ledgers. A level in several ledgers is their sum; usually it is in one.
#[derive(Debug, Clone, Default)]
pub struct Central {
    rows: Vec<LevelRow>,
    /// The rows by store and SKU.
    table: HashTable<u32>,
    hasher: RandomState,
    by_store: Order,
    by_sku: Order,
    stores: Numbered<StoreId>,
    origins: Numbered<Origin>,
    /// The levels of further ledgers, by row.
    others: HashMap<u32, Vec<CentralLevel>>,
    /// The checkpoint of each node's log.
    as_of: BTreeMap<Uuid, Sequence>,
    /// The events before a checkpoint that are not in the model.
    waits: BTreeMap<Uuid, Waits>,
    /// During a copy: the levels that have changed since its start, as they were then; empty for a new level. A tree, because a
    /// hash table blocks all readers while it grows.
    before: Option<BTreeMap<LevelPlace, Levels>>,
}

/// A level with the numbers of the first ledger that reported it.
#[derive(Debug, Clone)]
struct LevelRow {
    sku: Sku,
    store: u32,
    origin: u32,
    numbers: LevelAfter,
    updated_at: Timestamp,
}

impl Central {
    /// Applies one event of a log, whose last event for the same level is in the model; `rebase` as in [`step()`].
    ///
    /// # Errors
    /// [`Poison`]; the model is as it was.
    pub(crate) fn apply(
        &mut self,
        origin: Origin,
        change: &Change,
        at: Timestamp,
        rebase: bool,
    ) -> Result<StepOutcome, Poison> {
        let row = self.find(&change.place.0, &change.place.1);
        let known = row.and_then(|row| self.level_of_ledger(row, origin.ledger));
        let step = step(known.as_ref(), origin, change, at, rebase)?;
        if let StepOutcome::To(level) = step {
            self.put_at(row, &change.place, level);
        }
        Ok(step)
    }

    /// Sets the level of a ledger.
    pub fn put(&mut self, place: &(StoreId, Sku), level: CentralLevel) {
        self.put_at(self.find(&place.0, &place.1), place, level);
    }

    /// As [`Central::put`], with the row of the level; none when there is none.
    fn put_at(&mut self, number: Option<u32>, place: &LevelPlace, level: CentralLevel) {
        if self.before.as_ref().is_some_and(|before| !before.contains_key(place)) {
            let was = number.map_or_else(Levels::new, |row| self.levels(row));
            self.before.get_or_insert_default().insert(place.clone(), was);
        }
        let Some(number) = number else { return self.add(place, level) };
        let CentralLevel { ledger, node, numbers, updated_at } = level;
        let Some(row) = self.rows.get_mut(number as usize) else { return };
        let origin = *self.origins.value(row.origin);
        if origin.ledger == ledger {
            (row.numbers, row.updated_at) = (numbers, updated_at);
            if origin.node != node {
                row.origin = self.origins.give(&Origin { node, ledger });
            }
            return;
        }
        let others = self.others.entry(number).or_default();
        match others.iter_mut().find(|other| other.ledger == ledger) {
            Some(other) => *other = level,
            None => others.push(level),
        }
    }

    /// Adds a level that has no row.
    fn add(&mut self, place: &LevelPlace, level: CentralLevel) {
        let CentralLevel { ledger, node, numbers, updated_at } = level;
        let number = u32::try_from(self.rows.len()).expect("fewer than four thousand million levels");
        let (store, origin) = (self.stores.give(&place.0), self.origins.give(&Origin { node, ledger }));
        self.rows.push(LevelRow { sku: place.1.clone(), store, origin, numbers, updated_at });
        let Self { rows, table, hasher, stores, .. } = self;
        let row = |number: u32| rows.get(number as usize).expect("a row that was added");
        let name = |row: &LevelRow| stores.value(row.store);
        let hash = |number: &u32| hasher.hash_one((row(*number).store, &row(*number).sku));
        table.insert_unique(hash(&number), number, hash);
        let new = row(number);
        self.by_store.insert(number, |other| {
            let other = row(other);
            let store = if other.store == store { Ordering::Equal } else { name(other).cmp(&place.0) };
            store.then_with(|| other.sku.cmp(&new.sku))
        });
        self.by_sku.insert(number, |other| {
            let other = row(other);
            other.sku.cmp(&new.sku).then_with(|| name(other).cmp(&place.0))
        });
    }

    /// The row of a level.
    fn find(&self, store: &StoreId, sku: &Sku) -> Option<u32> {
        let store = self.stores.find(store)?;
        let is_it = |row: &LevelRow| row.store == store && row.sku == *sku;
        let found = |number: &u32| self.rows.get(*number as usize).is_some_and(is_it);
        self.table.find(self.hasher.hash_one((store, sku)), found).copied()
    }

    /// The level of a ledger in a row.
    fn level_of_ledger(&self, number: u32, ledger: Uuid) -> Option<CentralLevel> {
        let first = self.row(number).map(|row| self.first(row)).filter(|first| first.ledger == ledger);
        first.or_else(|| {
            let others = self.others.get(&number).into_iter().flatten();
            others.copied().find(|other| other.ledger == ledger)
        })
    }

    fn row(&self, number: u32) -> Option<&LevelRow> {
        self.rows.get(number as usize)
    }

    /// The level of the row's first ledger.
    fn first(&self, row: &LevelRow) -> CentralLevel {
        let Origin { node, ledger } = *self.origins.value(row.origin);
        CentralLevel { ledger, node, numbers: row.numbers, updated_at: row.updated_at }
    }

    /// The levels of all ledgers in a row.
    fn levels(&self, number: u32) -> Levels {
        let Some(row) = self.row(number) else { return Levels::new() };
        let mut levels: Levels = smallvec![self.first(row)];
        if let Some(others) = self.others.get(&number) {
            levels.extend(others.iter().copied());
            levels.sort_unstable_by_key(|level| level.ledger);
        }
        levels
    }

    fn shown(&self, number: u32) -> Option<(&StoreId, &Sku, Levels)> {
        let row = self.row(number)?;
        Some((self.stores.value(row.store), &row.sku, self.levels(number)))
    }

    /// Sets the level of a ledger, unless another log of that ledger has a later version of it.
    pub(crate) fn put_unless_later(&mut self, place: &LevelPlace, level: CentralLevel) {
        let known = self.of_ledger(level.ledger, place);
        let later =
            |known: CentralLevel| known.node != level.node && known.numbers.version > level.numbers.version;
        if !known.is_some_and(later) {
            self.put(place, level);
        }
    }

    /// Begins a copy: from now on the model keeps the old numbers of each level that changes.
    pub(crate) fn begin_copy(&mut self) {
        self.before = Some(BTreeMap::new());
    }

    /// The next levels of the copy, by store and SKU, at most `limit`; a level that is newer than the copy is empty. Nothing at the end.
    pub(crate) fn copy_on(
        &self,
        last: Option<&LevelPlace>,
        limit: usize,
    ) -> Option<Vec<(LevelPlace, Levels)>> {
        let places = self.after(last.map(|(store, sku)| (store, sku)));
        let piece = places.take(limit).map(|(store, sku, levels)| {
            let place = (store.clone(), sku.clone());
            let was = self.before.as_ref().and_then(|before| before.get(&place));
            let levels = was.cloned().unwrap_or(levels);
            (place, levels)
        });
        Some(piece.collect()).filter(|piece: &Vec<_>| !piece.is_empty())
    }

    /// Ends a copy. Returns the old numbers, so that the caller drops them, which takes time, without the lock.
    pub(crate) fn end_copy(&mut self) -> Option<BTreeMap<LevelPlace, Levels>> {
        self.before.take()
    }

    /// Sets the checkpoint of a node: every event up to `sequence` is in the model, or a dead letter, or waits behind one.
    pub fn advance(&mut self, node: Uuid, sequence: Sequence) {
        self.as_of.insert(node, sequence);
    }

    /// The level of one ledger.
    pub(crate) fn of_ledger(&self, ledger: Uuid, place: &LevelPlace) -> Option<CentralLevel> {
        self.find(&place.0, &place.1).and_then(|row| self.level_of_ledger(row, ledger))
    }

    /// The events of a node before its checkpoint that are not in the model; usually none.
    pub(crate) fn waits(&self, node: Uuid) -> Option<&Waits> {
        self.waits.get(&node).filter(|waits| !waits.is_empty())
    }

    pub(crate) fn waits_mut(&mut self, node: Uuid) -> &mut Waits {
        self.waits.entry(node).or_default()
    }

    /// The checkpoint of each node's log.
    pub fn as_of(&self) -> &BTreeMap<Uuid, Sequence> {
        &self.as_of
    }

    /// The number of events in the model: the sum of all checkpoints.
    pub fn sequence(&self) -> Sequence {
        Sequence(self.as_of.values().fold(0, |sum, sequence| sum.saturating_add(sequence.0)))
    }

    /// The number of levels.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True when there are no levels.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// One level, as each ledger has it.
    pub fn level(&self, store: &StoreId, sku: &Sku) -> Option<Levels> {
        self.find(store, sku).map(|row| self.levels(row))
    }

    /// The stores that have a SKU, in order, with its level there.
    pub fn stores_of<'a>(&'a self, sku: &'a Sku) -> impl Iterator<Item = (&'a StoreId, Levels)> {
        let rows = self.by_sku.from(&|number| self.row(number).is_some_and(|row| row.sku < *sku));
        let shown = rows.filter_map(|number| self.shown(number));
        shown.take_while(move |(_, of, _)| *of == sku).map(|(store, _, levels)| (store, levels))
    }

    /// Every level, by store and SKU.
    pub fn all(&self) -> impl Iterator<Item = (&StoreId, &Sku, Levels)> {
        self.after(None)
    }

    /// The levels after a store and SKU, by store and SKU.
    pub fn after<'a>(
        &'a self,
        last: Option<(&'a StoreId, &'a Sku)>,
    ) -> impl Iterator<Item = (&'a StoreId, &'a Sku, Levels)> {
        self.from(&|store, sku| last.is_some_and(|last| (store, sku) <= last))
    }

    /// The levels of a store after `after`, by SKU.
    pub fn of_store<'a>(
        &'a self,
        store: &'a StoreId,
        after: Option<&'a Sku>,
    ) -> impl Iterator<Item = (&'a StoreId, &'a Sku, Levels)> {
        let passed = |other: &StoreId, sku: &Sku| match other.cmp(store) {
            Ordering::Equal => after.is_some_and(|after| sku <= after),
            order => order == Ordering::Less,
        };
        self.from(&passed).take_while(move |(other, _, _)| *other == store)
    }

    /// The levels by store and SKU, from the first one for which `passed` is false.
    fn from<'a>(
        &'a self,
        passed: &dyn Fn(&StoreId, &Sku) -> bool,
    ) -> impl Iterator<Item = (&'a StoreId, &'a Sku, Levels)> + use<'a> {
        let is_before =
            |number: u32| self.row(number).is_some_and(|row| passed(self.stores.value(row.store), &row.sku));
        self.by_store.from(&is_before).filter_map(|number| self.shown(number))
    }
}

/// Equal levels, checkpoints and waits; the numbering of rows is ignored.
impl PartialEq for Central {
    fn eq(&self, other: &Self) -> bool {
        self.as_of == other.as_of
            && self.waits == other.waits
            && self.len() == other.len()
            && self.all().eq(other.all())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::central::model::level::ABSENT;

    fn place(number: u64) -> LevelPlace {
        let store = StoreId::new(&format!("S{}", number % 3)).unwrap();
        (store, Sku::new(&format!("K{:02}", number / 3)).unwrap())
    }

    fn level(node: u128, version: u64) -> CentralLevel {
        let numbers = LevelAfter { version, ..ABSENT };
        let node = Uuid::from_u128(node);
        CentralLevel { ledger: node, node, numbers, updated_at: Timestamp::EPOCH }
    }

    /// A copy that is made piece by piece, with `change` after each piece.
    fn copy(
        central: &mut Central,
        limit: usize,
        mut change: impl FnMut(&mut Central),
    ) -> BTreeMap<LevelPlace, Levels> {
        let mut copied = BTreeMap::new();
        central.begin_copy();
        let mut last = None;
        while let Some(piece) = central.copy_on(last.as_ref(), limit) {
            last = piece.last().map(|(place, _)| place.clone());
            copied.extend(piece.into_iter().filter(|(_, levels)| !levels.is_empty()));
            change(central);
        }
        central.end_copy();
        copied
    }

    #[test]
    fn a_level_computed_aside_does_not_replace_a_later_version() {
        let mut central = Central::default();
        let of_node = |node: u128, version| CentralLevel { node: Uuid::from_u128(node), ..level(9, version) };
        for (known, aside, kept) in [
            (of_node(1, 5), of_node(2, 4), of_node(1, 5)),
            (of_node(1, 5), of_node(2, 5), of_node(2, 5)),
            (of_node(1, 5), of_node(2, 6), of_node(2, 6)),
            // The own log is read again from before a letter that is discarded.
            (of_node(1, 5), of_node(1, 4), of_node(1, 4)),
        ] {
            central.put(&place(1), known);
            central.put_unless_later(&place(1), aside);
            assert_eq!(central.of_ledger(Uuid::from_u128(9), &place(1)), Some(kept));
        }
    }

    #[test]
    fn a_copy_is_consistent_while_the_model_changes() {
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut central = Central::default();
            for number in 0..30 {
                central.put(&place(2 * number), level(1, 1));
            }
            let limit = random.usize(1..9);
            let whole = copy(&mut central, limit, |_| ());
            assert_eq!(whole.len(), 30);
            let copied = copy(&mut central, limit, |central| {
                for _ in 0..random.usize(..5) {
                    // Known levels and new ones, of one ledger or another, once or twice.
                    central.put(&place(random.u64(..60)), level(random.u128(1..3), random.u64(2..9)));
                }
            });
            assert_eq!(copied, whole, "seed {seed}");
            assert_ne!(copy(&mut central, limit, |_| ()), whole, "seed {seed}");
        }
    }
}
