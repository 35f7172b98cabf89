//! One unreadable event in the middle of the real trade history.

use super::poison::{poison, segment};
use super::{Levels, central_file, fold, newest, onhand, serve, text};
use crate::binary::trade::real_history;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A movement as it is in the log.
struct Movement {
    sequence: u64,
    place: (String, String),
    delta: i64,
}

/// The movements of a log, read line by line without code of the program.
fn movements(data_dir: &Path) -> Vec<Movement> {
    let lines = fs::read_to_string(segment(data_dir)).unwrap();
    let mut movements = Vec::new();
    for line in lines.lines().skip(1).filter(|line| line.starts_with('{')) {
        let entry: Value = serde_json::from_str(line).unwrap();
        for (sequence, event) in (entry["seq"].as_u64().unwrap()..).zip(entry["events"].as_array().unwrap()) {
            let payload = &event["payload"];
            let name = |name: &str| payload[name].as_str().unwrap().to_owned();
            match event["type"].as_str().unwrap() {
                "ADJUST" => {
                    let (place, delta) = ((name("storeId"), name("sku")), payload["delta"].as_i64().unwrap());
                    movements.push(Movement { sequence, place, delta });
                }
                other => assert_eq!(other, "IMPORT"),
            }
        }
    }
    movements
}

/// The sum of movements: pieces and version of each level.
fn added<'a>(movements: impl Iterator<Item = &'a Movement>) -> Levels {
    let mut levels = Levels::new();
    for movement in movements {
        let (pieces, version) = levels.entry(movement.place.clone()).or_default();
        *pieces += movement.delta;
        *version += 1;
    }
    levels
}

#[test]
fn a_poison_event_in_the_middle_of_the_real_history_stops_nothing_else() {
    let Some(sales) = real_history("a poison event in the middle of the real trade history") else { return };
    let shop = TempDir::new().unwrap();
    let data = text(shop.path());
    let node = serve(shop.path(), None, &["--sync", "off"]);
    let columns = ["--store-column", "Country", "--sku-column", "StockCode", "--quantity-column", "Quantity"];
    let report = shop.path().join("refused.csv");
    let mut import = vec!["import", text(&sales), "--server", node.url(), "--opening-stock", "1000"];
    import.extend(columns);
    import.extend(["--time-column", "InvoiceDate", "--time-format", "%d/%m/%Y %H:%M"]);
    import.extend(["--reference-column", "InvoiceNo", "--report", text(&report)]);
    let said = onhand(&import);
    assert!(said.starts_with("exit code 0"), "{said}");
    node.stop(super::PATIENCE).unwrap();

    let all = movements(shop.path());
    assert!(all.len() > 39_000, "{} movements", all.len());
    let whole = added(all.iter());
    assert_eq!(whole, fold(shop.path()));
    // From the middle on, the first event with many behind it: a SKU that is sold every day.
    let behind = |bad: &Movement| {
        all.iter().filter(|other| other.place == bad.place && other.sequence > bad.sequence).count()
    };
    let bad = all[all.len() / 2..].iter().find(|movement| behind(movement) > 20).unwrap();
    let waiting = behind(bad);
    let passes = |other: &&Movement| other.place != bad.place || other.sequence < bad.sequence;
    let rest = added(all.iter().filter(passes));
    assert!(rest[&bad.place].1 > 1 && rest.len() == whole.len(), "its level is known before");

    let good = fs::read(segment(shop.path())).unwrap();
    poison(shop.path(), bad.sequence);
    let worker = ["sync-worker", "--data-dir", data, "--once", "--retry-base-ms", "1"];
    let said = onhand(&worker);
    assert!(said.starts_with("exit code 0") && said.contains("dead letters  1"), "{said}");
    assert_eq!(central_file(shop.path()), rest);
    let letters = fs::read_to_string(shop.path().join("dead-letters/dead-letters.jsonl")).unwrap();
    let letters: Vec<Value> = letters.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let named: Vec<_> =
        letters.iter().map(|letter| (letter["sequence"].as_u64(), &letter["state"])).collect();
    assert_eq!(named, [(Some(bad.sequence), &Value::from("open"))]);
    let saved: Value = serde_json::from_slice(&fs::read(newest(shop.path())).unwrap()).unwrap();
    let sources: BTreeMap<String, Value> =
        serde_json::from_value(saved["central"]["sources"].clone()).unwrap();
    let (store, sku) = &bad.place;
    let parked = serde_json::json!([
        {"storeId": store, "sku": sku, "from": bad.sequence, "waiting": waiting}
    ]);
    assert_eq!(sources.values().map(|source| &source["parked"]).collect::<Vec<_>>(), [&parked]);

    fs::write(segment(shop.path()), good).unwrap();
    let driven = onhand(&["dead-letters", "--data-dir", data, "redrive", "--all"]);
    assert!(driven.starts_with("exit code 0") && driven.contains("0 still wait"), "{driven}");
    assert_eq!(central_file(shop.path()), whole);
    let said = onhand(&worker);
    assert!(said.starts_with("exit code 0") && said.contains("dead letters  0"), "{said}");
    assert_eq!(central_file(shop.path()), whole);
}
