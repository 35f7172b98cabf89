//! The central model: every node's levels, by store and SKU, and how far each node's log is in it.

use crate::app::sync::Poison;
use crate::app::sync::apply::Change;
use crate::app::sync::step::{ABSENT, Origin, Step, step};
use crate::app::sync::waits::{Place, Waits};
use crate::domain::stock::LevelAfter;
use crate::domain::{Quantity, Sequence, Sku, StoreId, Timestamp};
use smallvec::{SmallVec, smallvec};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use uuid::Uuid;

/// A level as central knows it: what one ledger has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CentralLevel {
    /// The ledger: the node's own, or the one that several nodes write.
    pub ledger: Uuid,
    /// The node whose log moved it last, or took it over.
    pub node: Uuid,
    /// The numbers.
    pub numbers: LevelAfter,
    /// The time of the last event.
    pub updated_at: Timestamp,
}

/// Levels of all ledgers. A level that several ledgers have is their sum; as a rule one has it.
#[derive(Debug, Default)]
pub struct Central {
    /// Never an empty list.
    levels: HashMap<Place, Levels>,
    by_store: BTreeMap<StoreId, BTreeSet<Sku>>,
    by_sku: BTreeMap<Sku, BTreeSet<StoreId>>,
    /// How far each node's log is in the model.
    as_of: BTreeMap<Uuid, Sequence>,
    /// What of it is not, all the same.
    waits: BTreeMap<Uuid, Waits>,
    /// While a copy is made: what the levels that have changed since it was begun were then; nothing of a new one. A
    /// tree, because a table that grows stops everybody while it is built anew.
    before: Option<BTreeMap<Place, Levels>>,
}

/// What each ledger says of one level, ordered by ledger. One stands in the map itself: looking it up is most of the work
/// when there are many.
pub(super) type Levels = SmallVec<[CentralLevel; 1]>;

impl Central {
    /// Applies one event of a log, whose last event for the same level is in the model; `rebase` as in [`step()`].
    ///
    /// # Errors
    /// [`Poison`]; the model is as it was.
    pub(super) fn apply(
        &mut self,
        origin: Origin,
        change: &Change,
        at: Timestamp,
        rebase: bool,
    ) -> Result<Step, Poison> {
        let levels = self.levels.get_mut(&change.place);
        let kept = levels.and_then(|levels| levels.iter_mut().find(|kept| kept.ledger == origin.ledger));
        let step = step(kept.as_deref(), origin, change, at, rebase)?;
        if let Step::To(level) = step {
            match kept {
                Some(kept) if self.before.is_none() => *kept = level,
                _ => self.put(change.place.clone(), level),
            }
        }
        Ok(step)
    }

    /// Sets what a ledger says of a level.
    pub fn put(&mut self, place: (StoreId, Sku), level: CentralLevel) {
        if let Some(before) = &mut self.before
            && !before.contains_key(&place)
        {
            before.insert(place.clone(), self.levels.get(&place).cloned().unwrap_or_default());
        }
        if let Some(levels) = self.levels.get_mut(&place) {
            match levels.binary_search_by_key(&level.ledger, |other| other.ledger) {
                Ok(found) => {
                    if let Some(kept) = levels.get_mut(found) {
                        *kept = level;
                    }
                }
                Err(between) => levels.insert(between, level),
            }
            return;
        }
        let (store, sku) = place.clone();
        self.by_store.entry(store.clone()).or_default().insert(sku.clone());
        self.by_sku.entry(sku).or_default().insert(store);
        self.levels.insert(place, smallvec![level]);
    }

    /// Sets what a ledger says of a level, unless another of its logs has told more of it meanwhile.
    pub(super) fn put_unless_later(&mut self, place: Place, level: CentralLevel) {
        let known = self.of_ledger(level.ledger, &place);
        let later =
            |known: CentralLevel| known.node != level.node && known.numbers.version > level.numbers.version;
        if !known.is_some_and(later) {
            self.put(place, level);
        }
    }

    /// Begins a copy: from now on the model remembers what its levels were at this moment.
    pub(super) fn begin_copy(&mut self) {
        self.before = Some(BTreeMap::new());
    }

    /// The next levels of the copy, by store and SKU: at most `limit` places are looked at. Nothing at the end.
    pub(super) fn copy_on(&self, last: Option<&Place>, limit: usize) -> Option<Vec<(Place, Levels)>> {
        let places = self.after(last.map(|(store, sku)| (store, sku)));
        let piece = places.take(limit).map(|(store, sku, levels)| {
            let place = (store.clone(), sku.clone());
            let was = self.before.as_ref().and_then(|before| before.get(&place));
            let levels = was.cloned().unwrap_or_else(|| levels.into());
            (place, levels)
        });
        Some(piece.collect()).filter(|piece: &Vec<_>| !piece.is_empty())
    }

    /// Ends a copy, and hands out what was remembered: it takes time to let go of that.
    pub(super) fn end_copy(&mut self) -> Option<BTreeMap<Place, Levels>> {
        self.before.take()
    }

    /// Everything of that node up to `sequence` is in the model, or a dead letter.
    pub fn advance(&mut self, node: Uuid, sequence: Sequence) {
        self.as_of.insert(node, sequence);
    }

    /// What a ledger says of a level.
    pub(super) fn of_ledger(&self, ledger: Uuid, place: &Place) -> Option<CentralLevel> {
        self.levels.get(place)?.iter().find(|level| level.ledger == ledger).copied()
    }

    /// What of a node's log is not in the model although it was passed; nothing as a rule.
    pub(super) fn waits(&self, node: Uuid) -> Option<&Waits> {
        self.waits.get(&node).filter(|waits| !waits.is_empty())
    }

    pub(super) fn waits_mut(&mut self, node: Uuid) -> &mut Waits {
        self.waits.entry(node).or_default()
    }

    /// How far each node's log is in the model.
    pub fn as_of(&self) -> &BTreeMap<Uuid, Sequence> {
        &self.as_of
    }

    /// How many events are in the model: the sum over all nodes.
    pub fn sequence(&self) -> Sequence {
        Sequence(self.as_of.values().map(|sequence| sequence.0).sum())
    }

    /// How many levels there are.
    pub fn len(&self) -> usize {
        self.levels.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }

    /// What the ledgers say of one level.
    pub fn level(&self, store: &StoreId, sku: &Sku) -> Option<&[CentralLevel]> {
        self.levels.get(&(store.clone(), sku.clone())).map(SmallVec::as_slice)
    }

    /// The stores that have a SKU, in order.
    pub fn stores_of(&self, sku: &Sku) -> impl Iterator<Item = &StoreId> {
        self.by_sku.get(sku).into_iter().flatten()
    }

    /// The SKUs of a store after `after`, in order.
    pub fn skus_of<'a>(&'a self, store: &StoreId, after: Option<&'a Sku>) -> impl Iterator<Item = &'a Sku> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.by_store.get(store).into_iter().flat_map(move |skus| skus.range((from, Bound::Unbounded)))
    }

    /// Every level, by store and SKU.
    pub fn all(&self) -> impl Iterator<Item = (&StoreId, &Sku, &[CentralLevel])> {
        self.by_store
            .iter()
            .flat_map(|(store, skus)| skus.iter().map(move |sku| (store, sku)))
            .filter_map(|(store, sku)| Some((store, sku, self.level(store, sku)?)))
    }

    /// The levels after a store and SKU, by store and SKU.
    pub fn after<'a>(
        &'a self,
        last: Option<(&'a StoreId, &'a Sku)>,
    ) -> impl Iterator<Item = (&'a StoreId, &'a Sku, &'a [CentralLevel])> {
        let from = last.map_or(Bound::Unbounded, |(store, _)| Bound::Included(store));
        self.by_store
            .range::<StoreId, _>((from, Bound::Unbounded))
            .flat_map(move |(store, skus)| {
                let behind = last.filter(|(passed, _)| *passed == store).map(|(_, sku)| sku);
                let from = behind.map_or(Bound::Unbounded, Bound::Excluded);
                skus.range::<Sku, _>((from, Bound::Unbounded)).map(move |sku| (store, sku))
            })
            .filter_map(|(store, sku)| Some((store, sku, self.level(store, sku)?)))
    }
}

/// The sum over ledgers: quantities and versions added, the latest time.
pub fn total(levels: &[CentralLevel]) -> (LevelAfter, Timestamp) {
    let add = |sum: Quantity, more: Quantity| sum.checked_add(more).unwrap_or(sum);
    levels.iter().fold((ABSENT, Timestamp::EPOCH), |(sum, latest), level| {
        let numbers = LevelAfter {
            on_hand: add(sum.on_hand, level.numbers.on_hand),
            reserved: add(sum.reserved, level.numbers.reserved),
            version: sum.version.saturating_add(level.numbers.version),
        };
        (numbers, latest.max(level.updated_at))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::sync::CentralFile;

    fn place(number: u64) -> Place {
        let store = StoreId::new(&format!("S{}", number % 3)).unwrap();
        (store, Sku::new(&format!("K{:02}", number / 3)).unwrap())
    }

    fn level(node: u128, version: u64) -> CentralLevel {
        let numbers = LevelAfter { version, ..ABSENT };
        let node = Uuid::from_u128(node);
        CentralLevel { ledger: node, node, numbers, updated_at: Timestamp::EPOCH }
    }

    /// A copy that is made piece by piece, with `change` after each piece.
    fn copy(central: &mut Central, limit: usize, mut change: impl FnMut(&mut Central)) -> CentralFile {
        let mut file = CentralFile::begin(central);
        central.begin_copy();
        let mut last = None;
        while let Some(piece) = central.copy_on(last.as_ref(), limit) {
            last = piece.last().map(|(place, _)| place.clone());
            file.add(piece);
            change(central);
        }
        central.end_copy();
        file
    }

    #[test]
    fn what_was_worked_out_aside_does_not_take_the_place_of_what_another_log_told_meanwhile() {
        let mut central = Central::default();
        let told = |node: u128, version| CentralLevel { node: Uuid::from_u128(node), ..level(9, version) };
        for (known, aside, kept) in [
            (told(1, 5), told(2, 4), told(1, 5)),
            (told(1, 5), told(2, 5), told(2, 5)),
            (told(1, 5), told(2, 6), told(2, 6)),
            // One's own log was taken up again from before a letter that is given up.
            (told(1, 5), told(1, 4), told(1, 4)),
        ] {
            central.put(place(1), known);
            central.put_unless_later(place(1), aside);
            assert_eq!(central.of_ledger(Uuid::from_u128(9), &place(1)), Some(kept));
        }
    }

    #[test]
    fn a_copy_is_what_the_model_was_at_one_moment_whatever_changes_meanwhile() {
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut central = Central::default();
            for number in 0..30 {
                central.put(place(2 * number), level(1, 1));
            }
            let limit = random.usize(1..9);
            let whole = copy(&mut central, limit, |_| ());
            assert_eq!(whole.central().len(), 30);
            let copied = copy(&mut central, limit, |central| {
                for _ in 0..random.usize(..5) {
                    // Known levels and new ones, of one ledger or another, once or twice.
                    central.put(place(random.u64(..60)), level(random.u128(1..3), random.u64(2..9)));
                }
            });
            assert_eq!(copied, whole, "seed {seed}");
            assert_ne!(copy(&mut central, limit, |_| ()), whole, "seed {seed}");
        }
    }
}
