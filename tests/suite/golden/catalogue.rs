//! The bytes of products, stores, thresholds and alerts, which were added to format 1 later:
//! `tests/golden/format-*-catalogue`.

use super::{FORMAT, are_golden, whole};
use crate::node::{World, adjust, qty};
use crate::rules;
use onhand_app::Meta;
use onhand_domain::catalogue::{
    Currency, Price, Product, ProductChange, ProductCommand, ProductVerb, Store, StoreCommand, StoreKind,
};
use onhand_domain::low_stock::ThresholdCommand;
use onhand_domain::{Command, EventKind, Expected, Sku, StoreId};
use onhand_sim::node::{SimNode, SimSettings};
use onhand_sim_machine::disk::SimDisk;
use std::fs;
use std::path::{Path, PathBuf};

const SETTINGS: SimSettings =
    SimSettings { segment_bytes: 2_600, snapshot_every: 4, idempotency_ttl_ms: 300_000, archive: false };
const FILES: [&str; 4] = [
    "node.json",
    "log/00000000000000000001.jsonl",
    "log/00000000000000000008.jsonl",
    "snapshots/node-9.json",
];

fn directory(format: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/format-{format}-catalogue"))
}

fn product(sku: &str, verb: ProductVerb) -> Command {
    Command::Product(ProductCommand { sku: Sku::new(sku).unwrap(), expected: Expected::Any, verb })
}

fn store(name: &str, address: Option<&str>) -> Command {
    let store = Box::new(Store {
        name: name.into(),
        kind: if address.is_some() { StoreKind::Shop } else { StoreKind::Warehouse },
        address: address.map(Into::into),
        time_zone: address.map(|_| "Europe/London".into()),
        active: address.is_some(),
    });
    let store_id = StoreId::new("LONDON-1").unwrap();
    Command::Store(StoreCommand { store_id, expected: Expected::Any, create: false, store })
}

fn threshold(low_stock_threshold: Option<i64>) -> Command {
    Command::Threshold(ThresholdCommand {
        store_id: StoreId::new("LONDON").unwrap(),
        sku: Sku::new("TEA 1").unwrap(),
        expected: Expected::Any,
        low_stock_threshold: low_stock_threshold.map(qty),
    })
}

/// A product with all details, and one with as few as possible.
fn tea() -> Product {
    Product {
        name: "\"Green\" t\u{e9}a \\ 250 g \u{1F375}".into(),
        category: Some("tea".into()),
        unit_price: Some(Price { amount_minor: 1_250, currency: Currency::new("GBP").unwrap() }),
        barcode: Some("5012345678900".into()),
        low_stock_threshold: Some(qty(5)),
        active: true,
    }
}

fn bare() -> Product {
    let name = "Coffee".into();
    Product {
        name,
        category: None,
        unit_price: None,
        barcode: None,
        low_stock_threshold: None,
        active: false,
    }
}

async fn write(world: &World) -> SimNode {
    let mut node = world.open();
    let change = ProductChange { barcode: Some(None), active: Some(false), ..ProductChange::default() };
    for (command, meta) in [
        (product("TEA 1", ProductVerb::Create(Box::new(tea()))), whole("k-1", "create product TEA 1")),
        (product("C-2", ProductVerb::Replace(Box::new(bare()))), Meta::default()),
        (product("TEA 1", ProductVerb::Change(Box::new(change))), Meta::default()),
        (store("London Bridge", Some("1 Tooley Street")), Meta::default()),
        (product("C-2", ProductVerb::Remove), Meta::default()),
        (adjust("TEA 1", 9), Meta::default()),
        (threshold(Some(3)), Meta::default()),
        (adjust("TEA 1", -6), Meta::default()),
    ] {
        node.execute(command, &meta).await.unwrap();
        world.clock.pass(1_001);
    }
    node.upkeep().unwrap();
    for command in [store("London Bridge", None), adjust("TEA 1", 6), threshold(None)] {
        node.execute(command, &Meta::default()).await.unwrap();
    }
    node
}

/// The kinds of its events, as today's program reads them, from the snapshot and from the log alone.
pub(super) async fn kinds(format: u32) -> Vec<EventKind> {
    let disk = SimDisk::new(1);
    for file in FILES {
        disk.put(Path::new("/data").join(file), &fs::read(directory(format).join(file)).unwrap());
    }
    let entries = rules::entries(&disk);
    rules::check(&entries);
    for snapshot in [true, false] {
        let disk = disk.fork();
        if !snapshot {
            onhand_disk::Disk::remove(&disk, Path::new("/data/snapshots/node-9.json")).unwrap();
        }
        let node = World { disk, ..World::new(SETTINGS) }.open();
        assert_eq!(node.report.snapshot.0, if snapshot { 9 } else { 0 });
        let node = &node;
        let read = async |sku| node.drive(node.ledger.product(&Sku::new(sku).unwrap())).await;
        let known = read("TEA 1").await.unwrap().unwrap();
        assert_eq!((known.version, known.product), (2, Product { barcode: None, active: false, ..tea() }));
        assert_eq!(read("C-2").await.unwrap(), None);
    }
    entries.iter().flat_map(|entry| &entry.events).map(|event| event.kind).collect()
}

#[tokio::test]
async fn today_writes_the_bytes_of_the_catalogue() {
    let world = World::new(SETTINGS);
    let _node = write(&world).await;
    are_golden(&world.disk, &FILES, &directory(FORMAT));
}
