//! The contract of the store of the central model: `src/app/ports/central_store.rs`.

use crate::ports::memory::{MemoryCentral, Spoiled};
use crate::ports::{broken, hold};
use onhand_app::central::{Central, CentralFile, CentralLevel, CentralModel};
use onhand_app::ports::CentralStore;
use onhand_disk::layout::Layout;
use onhand_domain::stock::LevelAfter;
use onhand_domain::{Quantity, Sequence, Sku, StoreId, Timestamp};
use onhand_file::stores::central::FileCentral;
use onhand_sim_machine::disk::{Crash, DiskOperation, Fault, Injection, SimDisk};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use uuid::Uuid;

/// A store that can be broken, and opened again after a kill.
trait Shelf {
    fn store(&self) -> &dyn CentralStore;
    fn fail_saves(&self);
    fn recover(&self);
    fn restart(&mut self);
}

type Rule = (&'static str, fn(&mut dyn Shelf));

const RULES: &[Rule] = &[
    ("an empty store has no model", an_empty_store_has_no_model),
    ("a model loads as it was saved", a_model_loads_as_it_was_saved),
    ("the newest save is loaded", the_newest_save_is_loaded),
    ("a save that fails leaves the model before it", a_failed_save_leaves_the_one_before),
];

#[test]
fn the_store_on_disk_keeps_the_contract() {
    for failing in
        [DiskOperation::WriteAt, DiskOperation::SyncData, DiskOperation::Create, DiskOperation::Rename]
    {
        hold(RULES, |rule| rule(&mut OnDisk::new(failing)));
    }
}

#[test]
fn the_store_in_memory_keeps_the_contract() {
    hold(RULES, |rule| rule(&mut InMemory::new(Spoiled::Nothing)));
}

#[test]
fn a_mistake_in_a_store_is_seen() {
    for (spoiled, rule) in [
        (Spoiled::Empty, "an empty store has no model"),
        (Spoiled::Checkpoints, "a model loads as it was saved"),
        (Spoiled::SecondSave, "the newest save is loaded"),
        (Spoiled::SaveThatFails, "a save that fails leaves the model before it"),
    ] {
        let broken = broken(RULES, |rule| rule(&mut InMemory::new(spoiled)));
        assert!(broken.contains(&rule), "{spoiled:?} breaks only {broken:?}");
    }
}

struct OnDisk {
    disk: SimDisk,
    store: FileCentral,
    failing: DiskOperation,
}

impl OnDisk {
    fn new(failing: DiskOperation) -> Self {
        let disk = SimDisk::new(1);
        Self { store: Self::open(&disk), disk, failing }
    }

    fn open(disk: &SimDisk) -> FileCentral {
        FileCentral::open(Arc::new(disk.clone()), Layout::new(Path::new("/data"))).unwrap()
    }
}

impl Shelf for OnDisk {
    fn store(&self) -> &dyn CentralStore {
        &self.store
    }

    fn fail_saves(&self) {
        self.disk.inject(Injection::at(self.disk.operations(), Fault::Eio).only(self.failing));
    }

    fn recover(&self) {
        self.disk.clear_faults();
    }

    fn restart(&mut self) {
        self.disk.crash(Crash::DropUnsynced);
        self.store = Self::open(&self.disk);
    }
}

struct InMemory(MemoryCentral);

impl InMemory {
    fn new(spoiled: Spoiled) -> Self {
        Self(MemoryCentral { kept: Arc::default(), failing: false.into(), spoiled })
    }
}

impl Shelf for InMemory {
    fn store(&self) -> &dyn CentralStore {
        &self.0
    }

    fn fail_saves(&self) {
        self.0.failing.store(true, Ordering::SeqCst);
    }

    fn recover(&self) {
        self.0.failing.store(false, Ordering::SeqCst);
    }

    fn restart(&mut self) {
        let kept = Arc::clone(&self.0.kept);
        self.0 = MemoryCentral { kept, failing: false.into(), spoiled: self.0.spoiled };
    }
}

/// A model of so many events of two nodes, the second of which is one of a ledger of several.
fn model(events: u64) -> CentralModel {
    let mut central = Central::default();
    let ledger = Uuid::from_u128(9);
    for (number, of) in [(1, Uuid::from_u128(1)), (2, ledger)] {
        for sku in ["RICE", "TEA"] {
            let qty = |pieces| Quantity::new(pieces).unwrap();
            let numbers = LevelAfter { on_hand: qty(10), reserved: qty(3), version: events };
            let node = Uuid::from_u128(number);
            let level = CentralLevel { ledger: of, node, numbers, updated_at: Timestamp::EPOCH };
            central.put(&(StoreId::new("LONDON").unwrap(), Sku::new(sku).unwrap()), level);
        }
        central.advance(Uuid::from_u128(number), Sequence(events));
    }
    CentralModel::new(central)
}

fn save(shelf: &dyn Shelf, events: u64) -> std::io::Result<()> {
    shelf.store().save(&model(events).copy())
}

fn load(shelf: &dyn Shelf) -> Option<CentralFile> {
    shelf.store().load().unwrap().map(|central| CentralModel::new(central).copy().whole())
}

fn whole(events: u64) -> CentralFile {
    model(events).copy().whole()
}

fn an_empty_store_has_no_model(shelf: &mut dyn Shelf) {
    assert_eq!(load(shelf), None);
    shelf.restart();
    assert_eq!(load(shelf), None);
}

fn a_model_loads_as_it_was_saved(shelf: &mut dyn Shelf) {
    save(shelf, 42).unwrap();
    assert_eq!(load(shelf), Some(whole(42)));
    shelf.restart();
    assert_eq!(load(shelf), Some(whole(42)), "also after a kill: it was durable");
}

fn the_newest_save_is_loaded(shelf: &mut dyn Shelf) {
    for events in 1..=5 {
        save(shelf, events).unwrap();
        assert_eq!(load(shelf), Some(whole(events)));
    }
    // No new event: the same model is saved once more.
    save(shelf, 5).unwrap();
    shelf.restart();
    assert_eq!(load(shelf), Some(whole(5)));
}

fn a_failed_save_leaves_the_one_before(shelf: &mut dyn Shelf) {
    shelf.fail_saves();
    save(shelf, 1).unwrap_err();
    shelf.recover();
    assert_eq!(load(shelf), None);
    save(shelf, 1).unwrap();
    shelf.fail_saves();
    save(shelf, 2).unwrap_err();
    shelf.recover();
    assert_eq!(load(shelf), Some(whole(1)));
    shelf.restart();
    assert_eq!(load(shelf), Some(whole(1)));
    save(shelf, 2).unwrap();
    assert_eq!(load(shelf), Some(whole(2)), "and the next one succeeds");
}
