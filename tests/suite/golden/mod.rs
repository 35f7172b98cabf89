//! The bytes of every format, as they were written when the format was introduced: `tests/golden/format-1` and so on.
//!
//! Today's program writes the bytes of the last format and reads those of all; the format changes only with a new number, a new
//! directory and a reader for the old one. `ONHAND_GOLDEN=write` writes the directory anew, for a new format.

mod catalogue;
mod clock;
mod damaged;
mod identity;
mod orders;
mod products;
mod several;
mod tills;
mod upgrade;

use crate::node::{World, qty};
use crate::rules;
use onhand_app::ports::Moment;
use onhand_app::{Meta, fingerprint};
use onhand_disk::{Disk, OpenMode, read_all};
use onhand_domain::imports::{ImportRow, ImportRows};
use onhand_domain::stock::{AdjustKind, Batch, Commit, CountAsOf, Operation, Reserve, StockCommand, Verb};
use onhand_domain::{
    Command, EventKind, Expected, Idempotency, ImportId, ReservationId, Sequence, Sku, StoreId, Timestamp,
};
use onhand_file::format::segment::{FORMAT, FORMATS};
use onhand_sim::node::{SimNode, SimSettings};
use onhand_sim_machine::disk::{Crash, SimDisk};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const SETTINGS: SimSettings =
    SimSettings { segment_bytes: 5_900, snapshot_every: 17, idempotency_ttl_ms: 300_000, archive: false };

/// The files of the format; an index is derived and may change its form at any time.
const FILES: [&str; 5] = [
    "node.json",
    "log/00000000000000000001.jsonl",
    "log/00000000000000000018.jsonl",
    "log/mark",
    "snapshots/node-17.json",
];

fn directory(format: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/format-{format}"))
}

/// The golden files of a format on a simulated disk.
fn golden(format: u32) -> SimDisk {
    let disk = SimDisk::new(1);
    for file in FILES {
        disk.put(Path::new("/data").join(file), &fs::read(directory(format).join(file)).unwrap());
    }
    disk
}

fn on(sku: &str, expected: Expected, verb: Verb) -> StockCommand {
    StockCommand { store_id: StoreId::new("LONDON-1").unwrap(), sku: Sku::new(sku).unwrap(), expected, verb }
}

fn id(name: &str) -> ReservationId {
    ReservationId::new(name).unwrap()
}

fn adjust(sku: &str, delta: i64) -> StockCommand {
    on(sku, Expected::Any, Verb::Adjust { delta: qty(delta), reason: None, reference: None })
}

fn reserve(name: &str, pieces: i64, ttl_seconds: Option<i64>, expected: Expected) -> StockCommand {
    let reference = ttl_seconds.map(|_| "order 7 \u{2013} \u{201e}Gr\u{fc}\u{df}e\u{201c}".into());
    on(
        "BANK CHARGES",
        expected,
        Verb::Reserve(Reserve { qty: qty(pieces), reservation_id: id(name), ttl_seconds, reference }),
    )
}

fn known_by(key: &str, scope: &str) -> Idempotency {
    Idempotency { key: key.into(), scope: scope.into(), fingerprint: fingerprint(key.as_bytes()) }
}

fn whole(key: &str, scope: &str) -> Meta {
    let (actor, request_id) = (Some("till-3".into()), Some("req.1".into()));
    Meta { actor, request_id, idempotency: Some(known_by(key, scope)) }
}

/// Every kind of event, with all and with none of its optional members.
fn stock_commands() -> Vec<(StockCommand, Meta)> {
    let sku = "BANK CHARGES";
    let nobody = Meta::default;
    let reason = "\"counted\" \\ twice \u{1F4E6}\tend";
    let adjusted =
        Verb::Adjust { delta: qty(20), reason: Some(reason.into()), reference: Some("invoice/4711".into()) };
    let commit = |name, pieces, close_remainder| {
        Verb::Commit(Commit { reservation_id: id(name), qty: pieces, close_remainder })
    };
    let as_of = Some(CountAsOf { sequence: Sequence(1), on_hand: qty(20) });
    vec![
        (on(sku, Expected::Version(0), adjusted), whole("k-1", "adjust LONDON-1/BANK CHARGES")),
        (reserve("r-1", 5, None, Expected::Version(1)), nobody()),
        (reserve("r-2", 4, Some(60), Expected::Any), whole("k-2", "reserve LONDON-1/BANK CHARGES")),
        (on(sku, Expected::Any, Verb::Release { reservation_id: id("r-1"), qty: Some(qty(1)) }), nobody()),
        (on(sku, Expected::Exists, commit("r-1", Some(qty(2)), true)), nobody()),
        (
            on(sku, Expected::Any, Verb::Count { counted: qty(19), as_of, reason: Some("shelf".into()) }),
            nobody(),
        ),
        (adjust("85123A", 3), nobody()),
        (on("85123A", Expected::Any, Verb::Count { counted: qty(2), as_of: None, reason: None }), nobody()),
    ]
}

fn batch() -> Command {
    let operation = |command, key: Option<&str>| Operation {
        command,
        idempotency: key.map(|key| known_by(key, "adjust LONDON-1/85123A")),
        known: None,
    };
    let operations = vec![
        operation(adjust("85123A", 4), Some("item-1")),
        operation(adjust("85123A", -400), Some("item-2")),
        operation(reserve("r-3", 1, None, Expected::Any), None),
        operation(reserve("r-3", 1, None, Expected::Any), None),
        operation(on("85123A", Expected::Version(1), adjust("85123A", 1).verb), None),
    ];
    Command::Batch(Batch { atomic: false, operations })
}

/// Only a replay and one more: the log has the sequence of the first event.
fn batch_again() -> Command {
    let Command::Batch(Batch { mut operations, .. }) = batch() else { unreachable!("made above") };
    operations.truncate(1);
    operations.push(Operation { command: adjust("85123A", 1), idempotency: None, known: None });
    Command::Batch(Batch { atomic: true, operations })
}

fn import(after_row: u64, rows: Vec<ImportRow>, last: bool) -> Command {
    let through_row = after_row + 4;
    let import_id = ImportId::new("0123456789abcdef0123456789abcdef").unwrap();
    Command::Import(ImportRows { import_id, after_row, through_row, last, rows, is_own: true })
}

fn row(row: u64, kind: AdjustKind, quantity: i64, opening: Option<i64>) -> ImportRow {
    ImportRow {
        row,
        store_id: StoreId::new("NL.2").unwrap(),
        sku: Sku::new("22423").unwrap(),
        kind,
        quantity: qty(quantity),
        reference: opening.map(|_| "536365".into()),
        occurred_at: opening.map(|_| Timestamp::parse("2010-12-01T08:26:00Z").unwrap()),
        opening_stock: opening.map(qty),
    }
}

/// Compares the files with those in `directory`, or writes those.
#[track_caller]
fn are_golden(disk: &SimDisk, files: &[&str], directory: &Path) {
    for file in files {
        let bytes = now(disk, file).unwrap_or_else(|| panic!("{file}: {:?}", disk.files()));
        let path = directory.join(file);
        if std::env::var("ONHAND_GOLDEN").is_ok_and(|wish| wish == "write") {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &bytes).unwrap();
        }
        let golden = fs::read(&path).unwrap_or_default();
        assert_eq!(String::from_utf8_lossy(&bytes), String::from_utf8_lossy(&golden), "{file}");
    }
}

async fn write(world: &World) -> SimNode {
    let mut node = world.open();
    for (command, meta) in stock_commands() {
        node.execute(Command::Stock(command), &meta).await.unwrap();
        world.clock.pass(1_001);
    }
    world.clock.pass(60_000);
    node.execute(batch(), &whole("k-3", "batch")).await.unwrap();
    let meta = Meta { idempotency: None, ..whole("", "") };
    node.execute(batch_again(), &meta).await.unwrap();
    let rows = vec![
        row(1, AdjustKind::Sale, 6, Some(10)),
        row(2, AdjustKind::Removal, 5, None),
        row(4, AdjustKind::Return, 1, None),
    ];
    node.execute(import(0, rows, false), &whole("k-4", "import 0123")).await.unwrap();
    node.upkeep().unwrap();
    node.execute(import(4, vec![row(5, AdjustKind::StockIn, 2, None)], true), &Meta::default())
        .await
        .unwrap();
    node.execute(Command::Stock(adjust("22423", 1)), &Meta::default()).await.unwrap();
    node
}

/// The current content of a file, synced or not.
fn now(disk: &SimDisk, file: &str) -> Option<Vec<u8>> {
    let opened = disk.open(&Path::new("/data").join(file), OpenMode::Read).ok()?;
    Some(read_all(&*opened).unwrap())
}

#[tokio::test]
async fn today_writes_the_bytes_of_the_format() {
    let world = World::new(SETTINGS);
    let _node = write(&world).await;
    are_golden(&world.disk, &FILES, &directory(FORMAT));
}

#[tokio::test]
async fn today_reads_the_bytes_of_every_format() {
    for format in FORMATS {
        let world = World { disk: golden(format), ..World::new(SETTINGS) };
        let entries = rules::entries(&world.disk);
        rules::check(&entries);
        let kinds = entries.iter().flat_map(|entry| &entry.events).map(|event| event.kind);
        let kinds: BTreeSet<&str> = kinds
            .chain(clock::kinds(format))
            .chain(catalogue::kinds(format).await)
            .chain(identity::kinds(format).await)
            .chain(orders::kinds(format).await)
            .map(EventKind::as_str)
            .collect();
        // Takeovers from another log are in `several.rs`.
        let later = |kind: EventKind| {
            let of_identity = matches!(kind, EventKind::Principal | EventKind::Token | EventKind::Mode);
            let of_orders = matches!(kind, EventKind::Order | EventKind::Shipment | EventKind::Routing);
            format < 2 && (of_identity || of_orders)
        };
        let own = EventKind::ALL.iter().filter(|kind| **kind != EventKind::Take && !later(**kind));
        assert_eq!(kinds, own.map(|kind| kind.as_str()).collect());
        // From the snapshot and from the log alone.
        for with_snapshot in [true, false] {
            let world = World { disk: world.disk.fork(), ..World::new(SETTINGS) };
            if !with_snapshot {
                world.disk.remove(Path::new("/data/snapshots/node-17.json")).unwrap();
            }
            let node = world.open();
            assert_eq!(node.report.snapshot, Sequence(if with_snapshot { 17 } else { 0 }));
            let (store, sku) = (StoreId::new("LONDON-1").unwrap(), Sku::new("BANK CHARGES").unwrap());
            let seen = node.drive(node.ledger.level(&store, &sku)).await.unwrap().unwrap();
            assert_eq!(
                (seen.numbers.on_hand, seen.numbers.reserved, seen.numbers.version),
                (qty(17), qty(1), 9)
            );
            let then = node.drive(node.ledger.level_as_of(&store, &sku, Moment::Sequence(Sequence(3)))).await;
            assert_eq!(then.unwrap().unwrap().numbers.reserved, qty(9));
            let (first, meta) = stock_commands().remove(0);
            let again = node.execute(Command::Stock(first), &meta).await.unwrap();
            assert_eq!((again.replayed, again.sequence), (true, Sequence(1)));
            let import = ImportId::new("0123456789abcdef0123456789abcdef").unwrap();
            let import = node.drive(node.ledger.import(&import)).await.unwrap().unwrap();
            assert_eq!((import.rows_done, import.applied, import.refused, import.finished), (8, 3, 1, true));
            drop(node);
            world.disk.crash(Crash::DropUnsynced);
            drop(world.open());
        }
    }
}

#[test]
fn every_line_is_json_and_begins_with_its_checksum() {
    let files = FORMATS.flat_map(|format| FILES.map(|file| (file, directory(format).join(file))));
    for (file, path) in files.filter(|(file, _)| !file.ends_with("mark")) {
        let text = fs::read_to_string(path).unwrap();
        if file == "node.json" {
            serde_json::from_str::<serde_json::Value>(&text).unwrap();
            continue;
        }
        assert!(text.ends_with('\n'));
        for line in text.lines() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(value.is_object(), "{line}");
            assert!(file.starts_with("snapshots") || line.starts_with("{\"crc\":\""), "{line}");
        }
    }
}
