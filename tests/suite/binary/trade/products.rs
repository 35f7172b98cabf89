//! The catalogue of a trade history through `onhand import products`: compared with a count of the file that this
//! module computes itself; a second run changes nothing, whatever was killed meanwhile.

use super::super::api::Api;
use super::super::process::{Node, Process, onhand, verify};
use super::{real_history, sequence, succeeded};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Name and price in pence by SKU.
type Catalogue = BTreeMap<String, (String, u64)>;

/// The expected result of a file.
#[derive(Debug, Default)]
struct Counted {
    products: Catalogue,
    /// The rows that must be reported.
    odd: BTreeSet<u64>,
}

fn import(node: &Node, file: &Path, report: &Path, more: &[&str]) -> Command {
    let mut command = onhand(&["import", "products", "--server", &node.url, "--currency", "GBP"]);
    command.args([
        "--sku-column",
        "StockCode",
        "--name-column",
        "Description",
        "--price-column",
        "UnitPrice",
    ]);
    command.args(more).arg("--report").arg(report).arg(file);
    command
}

/// Counts a file by the documented rules: of each SKU the name and the price of most of its good rows; of equally
/// frequent ones the first.
fn count(file: &Path) -> Counted {
    /// Texts in order of their first row, with the number of their rows.
    type Votes = Vec<(String, u64)>;
    let mut votes: BTreeMap<String, (Votes, Votes)> = BTreeMap::new();
    let mut good: Vec<(u64, String, String, String)> = Vec::new();
    let mut counted = Counted::default();
    for (row, record) in (1..).zip(csv::Reader::from_path(file).unwrap().byte_records()) {
        let record = record.unwrap();
        let field = |place: usize| str::from_utf8(&record[place]).ok().map(|text| text.trim().to_owned());
        let (Some(sku), Some(name), Some(price)) = (field(1), field(2), field(5)) else {
            counted.odd.insert(row);
            continue;
        };
        if !name.chars().any(char::is_alphanumeric)
            || price.starts_with('-')
            || pence(&price).is_none_or(|p| p == 0)
        {
            counted.odd.insert(row);
            continue;
        }
        let price = pence(&price).unwrap().to_string();
        let (names, prices) = votes.entry(sku.clone()).or_default();
        for (votes, said) in [(names, &name), (prices, &price)] {
            match votes.iter_mut().find(|(text, _)| text == said) {
                Some((_, rows)) => *rows += 1,
                None => votes.push((said.clone(), 1)),
            }
        }
        good.push((row, sku, name, price));
    }
    let elected = |votes: &Votes| {
        let most = votes.iter().map(|(_, rows)| *rows).max().unwrap();
        votes.iter().find(|(_, rows)| *rows == most).unwrap().0.clone()
    };
    for (sku, (names, prices)) in &votes {
        counted.products.insert(sku.clone(), (elected(names), elected(prices).parse().unwrap()));
    }
    for (row, sku, name, price) in good {
        let (elected_name, elected_price) = &counted.products[&sku];
        if *elected_name != name || elected_price.to_string() != price {
            counted.odd.insert(row);
        }
    }
    counted
}

/// Pence of `2.5` or `2.55`; none for a finer amount.
fn pence(text: &str) -> Option<u64> {
    let (pounds, rest) = text.split_once('.').unwrap_or((text, ""));
    if rest.len() > 2 {
        return None;
    }
    format!("{pounds}{rest:0<2}").parse().ok()
}

async fn catalogue(node: &Node) -> Catalogue {
    let items = Api::of(node).items("/products").await;
    let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    items
        .iter()
        .map(|item| {
            assert_eq!(
                (&item["version"], &item["unitPrice"]["currency"]),
                (&1.into(), &"GBP".into()),
                "{item}"
            );
            (text(item, "sku"), (text(item, "name"), item["unitPrice"]["amountMinor"].as_u64().unwrap()))
        })
        .collect()
}

fn answered(report: &Path) -> BTreeSet<u64> {
    let mut reader = csv::Reader::from_path(report).unwrap();
    reader.records().map(|record| record.unwrap()[0].parse().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_catalogue_has_the_values_of_most_rows() {
    let Some(file) = real_history("the catalogue of the real trade history") else { return };
    adds_up(&file).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generated_catalogue_has_the_values_of_most_rows() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("history.csv");
    fs::write(&file, history(20_000)).unwrap();
    adds_up(&file).await;
}

/// A dry run, an import, a repeat, one over changed details, and one that replaces those: each time the catalogue is as
/// expected.
async fn adds_up(file: &Path) {
    let directory = TempDir::new().unwrap();
    let (data, report) = (directory.path().join("data"), directory.path().join("odd.csv"));
    let node = Node::start(&data, &[]);
    let counted = count(file);
    println!("{} products, {} odd rows", counted.products.len(), counted.odd.len());
    let dry = succeeded(import(&node, file, &report, &["--dry-run"])).stdout;
    assert!(dry.starts_with("Dry run of "), "{dry}");
    assert_eq!((sequence(&node).await, answered(&report)), (0, counted.odd.clone()));

    let first = succeeded(import(&node, file, &report, &[])).stdout;
    println!("{first}");
    assert!(first.starts_with("Imported the products of "), "{first}");
    assert_eq!(answered(&report), counted.odd, "every odd row is in the report, and no other");
    assert_eq!(catalogue(&node).await, counted.products);
    let after = sequence(&node).await;
    assert_eq!(after, counted.products.len() as u64, "one event a product");
    for more in [&[][..], &["--update"]] {
        let again = succeeded(import(&node, file, &report, more)).stdout;
        assert!(again.contains("nothing changed") && again.contains(" 0 refused"), "{again}");
        assert_eq!((sequence(&node).await, answered(&report)), (after, counted.odd.clone()));
    }
    replaced_only_when_told(&node, file, &report, &counted).await;
    node.stop();
    let told = verify(&data);
    assert!(told.contains(&format!("products   {}\n", counted.products.len())), "{told}");
}

/// Another client has changed one product, and has products that the file does not contain.
async fn replaced_only_when_told(node: &Node, file: &Path, report: &Path, counted: &Counted) {
    let api = Api::of(node);
    let (sku, (name, price)) = counted.products.iter().find(|(sku, _)| !sku.contains(' ')).unwrap();
    let path = format!("/products/{sku}");
    let other = br#"{"name":"Something else","category":"odds and ends"}"#.to_vec();
    let json = [("content-type", "application/json")];
    api.try_send(http::Method::PATCH, &path, &json, other).await.unwrap().is(200, "");
    let told = succeeded(import(node, file, report, &[])).stdout;
    assert!(told.contains(" 1 refused") && told.contains("product-differs"), "{told}");
    assert_eq!(api.get(&path).await.json["name"], "Something else");
    let told = succeeded(import(node, file, report, &["--update"])).stdout;
    assert!(told.contains(" 1 changed"), "{told}");
    let now = api.get(&path).await.json;
    assert_eq!((now["name"].as_str(), &now["version"]), (Some(name.as_str()), &3.into()));
    assert_eq!(
        (&now["category"], &now["unitPrice"]["amountMinor"]),
        (&"odds and ends".into(), &(*price).into())
    );
}

/// A synthetic history of rows, always the same.
fn history(rows: u64) -> String {
    let mut text =
        String::from("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n");
    let mut state = 7_u64;
    for _ in 0..rows {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (number, odd) = ((state >> 33) % 700, (state >> 17) % 40);
        let (name, price) = match odd {
            0 => ("?".to_owned(), "0".to_owned()),
            1 => ("damaged".to_owned(), "0.00".to_owned()),
            2 => (format!("THING {number}, OLD NAME"), format!("{}.5", number + 1)),
            3..=9 => (format!("THING {number}"), format!("{}.99", number + 2)),
            10 => (format!("THING {number}"), "-1.25".to_owned()),
            11 => (format!("THING {number}"), "1.255".to_owned()),
            _ => (format!("THING {number}"), format!("{}.25", number + 1)),
        };
        // Writing to a String cannot fail.
        let _ =
            writeln!(text, "5{number},S{number},\"{name}\",1,01/12/2010 08:26,{price},17850,United Kingdom");
    }
    text
}

/// A catalogue of so many products, a row each.
fn catalogue_of(directory: &Path, products: u64) -> PathBuf {
    let mut text = String::from("StockCode,Description,UnitPrice\n");
    for number in 0..products {
        let _ = writeln!(text, "S{number},Thing {number},{}.50", number % 90 + 1);
    }
    let path = directory.join("catalogue.csv");
    fs::write(&path, text).unwrap();
    path
}

/// First the importer is killed in the middle, then the node: after a repeat every product is there, created once.
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_catalogue_is_whole_after_another_run() {
    const PRODUCTS: u64 = 150_000;
    let directory = TempDir::new().unwrap();
    let (data, report) = (directory.path().join("data"), directory.path().join("odd.csv"));
    let file = catalogue_of(directory.path(), PRODUCTS);
    let node = Node::start(&data, &[]);
    let port = node.address().rsplit_once(':').unwrap().1.to_owned();
    let importer = Process::spawn(import(&node, &file, &report, &[]));
    comes_to(&node, PRODUCTS / 8).await;
    importer.kill();
    let done = sequence(&node).await;
    assert!(done < PRODUCTS, "the import was over before the importer could be killed");

    let importer = Process::spawn(import(&node, &file, &report, &[]));
    comes_to(&node, PRODUCTS / 2).await;
    node.process.kill();
    let node = Node::start(&data, &["--port", &port]);
    let done = sequence(&node).await;
    assert!(
        (PRODUCTS / 2..PRODUCTS).contains(&done),
        "what was shown as done is done, and not all of it: {done}"
    );
    let ended = tokio::task::spawn_blocking(|| importer.wait()).await.unwrap();
    assert_eq!(ended.code, Some(0), "it waits for the node to come back: {}{}", ended.stdout, ended.stderr);
    println!("{}", ended.stdout);
    assert_eq!(sequence(&node).await, PRODUCTS, "each product made one event");

    let again = succeeded(import(&node, &file, &report, &[])).stdout;
    assert!(again.contains("nothing changed") && again.contains("150,000 unchanged"), "{again}");
    assert_eq!(sequence(&node).await, PRODUCTS);
    node.stop();
    assert!(verify(&data).contains("products   150000\n"));
}

async fn comes_to(node: &Node, products: u64) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while sequence(node).await < products {
        assert!(Instant::now() < deadline, "it does not come so far: {}", sequence(node).await);
    }
}

/// The rate limit of one client: a catalogue of a hundred requests is no flood, and gets through anyway.
#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_is_waited_for() {
    let directory = TempDir::new().unwrap();
    let file = catalogue_of(directory.path(), 5_000);
    let limit = ["--rate-limit-rps", "1", "--rate-limit-burst", "2"];
    let node = Node::start(&directory.path().join("data"), &limit);
    let told = succeeded(import(&node, &file, &directory.path().join("odd.csv"), &[])).stdout;
    assert!(told.contains(" 5,000 new"), "{told}");
}
