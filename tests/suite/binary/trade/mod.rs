//! A trade history through `onhand import`: a synthetic one everywhere, the real one where it exists. The levels equal
//! a fold of the file that this module computes itself; a repeated import changes nothing, whatever was killed meanwhile.

mod dirty;
mod interrupted;
mod products;

use super::api::Api;
use super::process::{Ended, Node, onhand, run, verify};
use super::skipped;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// On-hand pieces and version by store and SKU.
type Levels = BTreeMap<(String, String), (i64, u64)>;

/// A file of sales and what every level starts with.
struct Sales {
    path: PathBuf,
    opening: i64,
}

/// The expected result of a file.
#[derive(Debug, Default)]
struct Folded {
    rows: u64,
    refused: BTreeSet<u64>,
    levels: Levels,
}

impl Sales {
    fn import(&self, node: &Node, report: &Path) -> Command {
        let opening = self.opening.to_string();
        let mut command = onhand(&["import", "--server", &node.url, "--opening-stock", &opening]);
        command.args([
            "--store-column",
            "Country",
            "--sku-column",
            "StockCode",
            "--quantity-column",
            "Quantity",
        ]);
        command.args(["--time-column", "InvoiceDate", "--time-format", "%d/%m/%Y %H:%M"]);
        command.args(["--reference-column", "InvoiceNo", "--report"]).arg(report).arg(&self.path);
        command
    }

    /// Adds the file up, row by row, by the documented rules: a positive quantity is sold if there is stock, a negative
    /// one is returned, and a new level starts with the opening stock.
    fn fold(&self) -> Folded {
        let mut reader = csv::Reader::from_path(&self.path).unwrap();
        let mut folded = Folded::default();
        for record in reader.byte_records() {
            let record = record.unwrap();
            let field = |place: usize| str::from_utf8(&record[place]).unwrap();
            folded.rows += 1;
            let kept = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            let store = field(7).replace(|c: char| !kept(c), "-");
            let quantity: i64 = field(3).parse().unwrap();
            let level = (store, field(1).to_owned());
            let (on_hand, version) = folded.levels.entry(level).or_insert((self.opening, 1));
            if quantity == 0 || *on_hand < quantity {
                folded.refused.insert(folded.rows);
            } else {
                *on_hand -= quantity;
                *version += 1;
            }
        }
        folded
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generated_history_adds_up() {
    let directory = TempDir::new().unwrap();
    let sales = generated(directory.path());
    assert!(sales.fold().refused.len() > 100, "some of it must be refused");
    imported_twice(&sales).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_history_adds_up() {
    let Some(sales) = real("the real trade history") else { return };
    let folded = sales.fold();
    println!("{} rows, {} refused, {} levels", folded.rows, folded.refused.len(), folded.levels.len());
    imported_twice(&sales).await;
}

/// Imported twice, with and without idempotency records: every row applied or rejected by number, the levels are those
/// of the fold, and the second import changes nothing.
async fn imported_twice(sales: &Sales) {
    let directory = TempDir::new().unwrap();
    let (data, report) = (directory.path().join("data"), directory.path().join("refused.csv"));
    let node = Node::start(&data, &["--idemp-ttl-ms", "1"]);
    let folded = sales.fold();
    let first = succeeded(sales.import(&node, &report));
    assert!(first.stdout.starts_with("Imported "), "{}", first.stdout);
    assert_eq!(refused_rows(&report), folded.refused, "every refused row is in the report, and no other");
    assert_eq!(levels(&node, &folded.levels).await, folded.levels);
    let events: u64 = folded.levels.values().map(|(_, version)| version).sum();
    let after_first = sequence(&node).await;
    assert!(after_first > events, "{events} movements and the steps of the import");
    tokio::time::sleep(Duration::from_millis(10)).await;
    let second = succeeded(sales.import(&node, &report));
    assert!(second.stdout.contains("was imported before"), "{}", second.stdout);
    assert_eq!(refused_rows(&report), folded.refused, "the report is complete also long after");
    node.process.kill();
    let node = Node::start(&data, &["--idemp-ttl-ms", "1"]);
    let third = succeeded(sales.import(&node, &report));
    assert!(third.stdout.contains("was imported before"), "{}", third.stdout);
    assert_eq!(
        (sequence(&node).await, levels(&node, &folded.levels).await),
        (after_first, folded.levels.clone())
    );
    node.stop();
    let told = verify(&data);
    assert!(told.contains(&format!("levels     {}\n", folded.levels.len())), "{told}");
}

/// The node's levels of the expected stores.
async fn levels(node: &Node, expected: &Levels) -> Levels {
    let api = Api::of(node);
    let stores: BTreeSet<&String> = expected.keys().map(|(store, _)| store).collect();
    let mut levels = Levels::new();
    for store in stores {
        for item in api.items(&format!("/stores/{store}/inventory")).await {
            assert_eq!((&item["qty"], &item["reserved"]), (&item["onHand"], &0.into()));
            let sku = item["sku"].as_str().unwrap().to_owned();
            let numbers = (item["onHand"].as_i64().unwrap(), item["version"].as_u64().unwrap());
            levels.insert((store.clone(), sku), numbers);
        }
    }
    levels
}

async fn sequence(node: &Node) -> u64 {
    Api::of(node).get("/health/readiness").await.json["durableSequence"].as_u64().unwrap()
}

fn refused_rows(report: &Path) -> BTreeSet<u64> {
    let mut reader = csv::Reader::from_path(report).unwrap();
    assert_eq!(reader.headers().unwrap().get(0), Some("row"));
    reader.records().map(|record| record.unwrap()[0].parse().unwrap()).collect()
}

#[track_caller]
fn succeeded(command: Command) -> Ended {
    let ended = run(command);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    ended
}

/// Thirty thousand synthetic sales, always the same.
fn generated(directory: &Path) -> Sales {
    const COUNTRIES: [&str; 5] = ["United Kingdom", "France", "EIRE", "Channel Islands", "Germany"];
    let mut text =
        String::from("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n");
    let mut state: u64 = 2010;
    let mut draw = |below: u32| {
        // Knuth's MMIX generator; its high bits are good enough for sales.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let high = u32::try_from(state >> 33).expect("31 bits are left");
        i64::from(high % below)
    };
    for row in 0..30_000_u64 {
        let sku = draw(40) * draw(40) + draw(10);
        let quantity = if draw(50) == 0 { -1 - draw(30) } else { 1 + draw(24) };
        let country = COUNTRIES[usize::try_from(draw(5).min(draw(5))).unwrap()];
        let invoice = row / 9;
        let _ =
            writeln!(text, "{invoice},S{sku:04},\"ITEM, {sku}\",{quantity},01/12/2010 08:26,1.25,,{country}");
    }
    let path = directory.join("generated.csv");
    fs::write(&path, text).unwrap();
    Sales { path, opening: 300 }
}

/// The real history; none, after printing a loud line, where it is missing.
pub(crate) fn real_history(story: &str) -> Option<PathBuf> {
    let named = std::env::var_os("ONHAND_TRADE_HISTORY").map(PathBuf::from);
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/online-retail-2010-12.csv");
    let path = named.unwrap_or(usual);
    if path.is_file() {
        return Some(path);
    }
    skipped(story, &format!("{} is not there; ONHAND_TRADE_HISTORY names another place", path.display()));
    None
}

fn real(story: &str) -> Option<Sales> {
    real_history(story).map(|path| Sales { path, opening: 1000 })
}
