//! A trade history through `onhand orders import`: a synthetic one everywhere, the real one where it exists. Whatever is killed
//! meanwhile, the orders, what has left the stores and what came back are those of a fold of the file that the test computes
//! itself, and a further run changes nothing.

use super::api::Api;
use super::orders_fold::{Fold, Line, WAREHOUSES, fold, generated, openings};
use super::process::{Ended, Node, Process, onhand, run, verify};
use super::trade::real_history;
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

#[tokio::test(flavor = "multi_thread")]
async fn generated_orders_survive_kills() {
    let directory = TempDir::new().unwrap();
    let file = generated(directory.path());
    let expected = fold(&file);
    for code in ["bad-row", "other-customer", "negative-quantity", "no-customer", "too-many-lines"] {
        assert!(expected.refused.values().any(|told| *told == code), "{code}");
    }
    assert!(expected.returned_rows > 30 && expected.refused.values().any(|told| *told == "no-shipped-order"));
    interrupted(&file, &expected, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_orders_survive_kills() {
    let Some(file) = real_history("the real trade history as orders") else { return };
    let expected = fold(&file);
    println!(
        "{} rows, {} orders, {} rows returned, {} rows refused, {} SKUs",
        expected.rows,
        expected.orders.len(),
        expected.returned_rows,
        expected.refused.len(),
        expected.stock.len()
    );
    interrupted(&file, &expected, false).await;
}

fn import(node: &Node, file: &Path, report: &Path) -> Command {
    let mut command = onhand(&["orders", "import", "--server", &node.url, "--output", "json"]);
    command.args([
        "--order-column",
        "InvoiceNo",
        "--sku-column",
        "StockCode",
        "--quantity-column",
        "Quantity",
    ]);
    command.args(["--price-column", "UnitPrice", "--name-column", "Description", "--currency", "GBP"]);
    command.args(["--customer-column", "CustomerID", "--date-column", "InvoiceDate"]);
    command.args([
        "--partial",
        "cancel-rest",
        "--ship",
        "--returns",
        "--return-store",
        "RETURNS",
        "--report",
    ]);
    command.arg(report).arg(file);
    command
}

/// A node with the stock of a fold in five warehouses. What comes back is sold by nobody, so that a later run finds no more for an
/// order that was refused.
async fn stocked(data: &Path, directory: &Path, expected: &Fold) -> Node {
    let node = Node::start(data, &["--idemp-ttl-ms", "1"]);
    let file = openings(directory, expected);
    let mut command = onhand(&["import", "--server", &node.url, "--kind", "opening", "--exact-stores"]);
    command.args(["--store-column", "store", "--sku-column", "sku", "--quantity-column", "qty"]).arg(file);
    succeeded(command);
    let routing = json!({"rules": {"stores": {"RETURNS": {"excluded": true}}}});
    Api::of(&node).try_say(Method::PUT, "/routing", &[], &routing).await.unwrap().is(200, "");
    node
}

/// First the importer is killed in the middle, then the node; with a twin, a second importer does the same meanwhile.
async fn interrupted(file: &Path, expected: &Fold, with_twin: bool) {
    let directory = TempDir::new().unwrap();
    let (data, report) = (directory.path().join("data"), directory.path().join("refused.csv"));
    let node = stocked(&data, directory.path(), expected).await;
    let port = node.address().rsplit_once(':').unwrap().1.to_owned();
    let dry = succeeded(dry_run(import(&node, file, &report)));
    foresees(&dry, expected);

    let importer = Process::spawn(import(&node, file, &report));
    comes_to(&node, &expected.ids[expected.ids.len() / 3]).await;
    importer.kill();
    let last = expected.ids.last().unwrap();
    let path = format!("/orders/{last}");
    Api::of(&node).get(&path).await.is(404, "order-not-found");

    let importer = Process::spawn(import(&node, file, &report));
    let twin_report = directory.path().join("twin.csv");
    let twin = with_twin.then(|| Process::spawn(import(&node, file, &twin_report)));
    comes_to(&node, &expected.ids[expected.ids.len() / 2]).await;
    node.process.kill();
    let node = Node::start(&data, &["--port", &port, "--idemp-ttl-ms", "1"]);
    Api::of(&node).get(&path).await.is(404, "order-not-found");
    let ended = tokio::task::spawn_blocking(|| importer.wait()).await.unwrap();
    assert_eq!(ended.code, Some(0), "it waits for the node to come back: {}{}", ended.stdout, ended.stderr);
    if let Some(twin) = twin {
        let ended = tokio::task::spawn_blocking(|| twin.wait()).await.unwrap();
        assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
        adds_up(&told(&ended), &twin_report, expected);
    }
    let second = told(&ended);
    assert!(second["placed"].as_u64() > Some(0) && second["alreadyThere"].as_u64() > Some(0), "{second}");
    adds_up(&second, &report, expected);
    compare(&node, expected).await;

    let (end, before) = (sequence(&node).await, std::fs::read(&report).unwrap());
    let third = told(&succeeded(import(&node, file, &report)));
    for done in [&third["placed"], &third["shippedNow"], &third["returns"]["received"]] {
        assert_eq!(*done, 0, "{third}");
    }
    adds_up(&third, &report, expected);
    assert_eq!(sequence(&node).await, end, "a further run changes nothing");
    assert_eq!(std::fs::read(&report).unwrap(), before, "and its report is the same");
    println!("{third}");
    node.stop();
    verify(&data);
}

fn dry_run(mut command: Command) -> Command {
    command.arg("--dry-run");
    command
}

/// A dry run has changed nothing, and says what will be cancelled.
fn foresees(ended: &Ended, expected: &Fold) {
    let told = told(ended);
    let lines = expected.orders.values().flatten();
    let cancelled: i64 = lines.map(|line| line.cancelled).sum();
    let short: i64 =
        told["short"].as_array().unwrap().iter().map(|one| one["pieces"].as_i64().unwrap()).sum();
    let with_less =
        expected.orders.values().filter(|lines| lines.iter().any(|line| line.cancelled > 0)).count();
    assert_eq!(told["wouldGetLess"].as_u64(), Some(with_less as u64), "{told}");
    assert_eq!(told["wouldGetAll"].as_u64(), Some((expected.orders.len() - with_less) as u64), "{told}");
    assert!(short >= cancelled, "the orders that get nothing are short, too: {short}, {cancelled}");
}

/// The summary and the report have the numbers of the fold.
#[track_caller]
fn adds_up(told: &Value, report: &Path, expected: &Fold) {
    let lines = || expected.orders.values().flatten();
    let ordered: i64 = lines().map(|line| line.qty).sum();
    let cancelled: i64 = lines().map(|line| line.cancelled).sum();
    let returned: i64 = lines().map(|line| line.returned).sum();
    let there = told["placed"].as_u64().unwrap() + told["alreadyThere"].as_u64().unwrap();
    assert_eq!(there, expected.orders.len() as u64);
    let pieces = json!({"ordered": ordered, "cancelled": cancelled, "waiting": 0, "held": 0,
                        "shipped": ordered - cancelled, "returned": returned});
    assert_eq!((&told["pieces"], &told["amounts"]), (&pieces, &json!({"GBP": expected.pence})));
    let returns = &told["returns"];
    let rows = returns["received"].as_u64().unwrap() + returns["alreadyThere"].as_u64().unwrap();
    assert_eq!((rows, &told["notShipped"]), (expected.returned_rows, &json!({})));
    let mut reader = csv::Reader::from_path(report).unwrap();
    let refused: BTreeMap<u64, String> = reader
        .records()
        .map(Result::unwrap)
        .map(|record| (record[0].parse().unwrap(), record[2].to_owned()))
        .collect();
    let codes: BTreeMap<u64, String> =
        expected.refused.iter().map(|(row, code)| (*row, (*code).to_owned())).collect();
    assert_eq!(refused, codes, "every row is imported or refused by its number");
}

/// The orders of the node, and what its stores have, are those of the fold.
async fn compare(node: &Node, expected: &Fold) {
    let api = Api::of(node);
    let orders: BTreeMap<String, Vec<Line>> = api
        .items("/orders")
        .await
        .iter()
        .map(|order| {
            assert_eq!((&order["status"], &order["currency"]), (&json!("SHIPPED"), &json!("GBP")), "{order}");
            let lines = order["lines"].as_array().unwrap().iter().map(line).collect();
            (order["orderId"].as_str().unwrap().to_owned(), lines)
        })
        .collect();
    for (id, lines) in &expected.orders {
        assert_eq!(orders.get(id), Some(lines), "order {id}");
    }
    assert_eq!(orders.len(), expected.orders.len());
    let mut left: BTreeMap<String, i64> = BTreeMap::new();
    for store in WAREHOUSES {
        for level in api.items(&format!("/stores/{store}/inventory")).await {
            assert_eq!(level["reserved"], 0, "{level}");
            *left.entry(level["sku"].as_str().unwrap().to_owned()).or_default() +=
                level["onHand"].as_i64().unwrap();
        }
    }
    let had_stock = expected.left.iter().filter(|(sku, _)| expected.stock[*sku] > 0);
    let expected_left: BTreeMap<String, i64> = had_stock.map(|(sku, left)| (sku.clone(), *left)).collect();
    assert_eq!(left, expected_left, "what has left the stores");
    let back = api.items("/stores/RETURNS/inventory").await;
    let back: BTreeMap<String, i64> = back
        .iter()
        .map(|level| (level["sku"].as_str().unwrap().to_owned(), level["onHand"].as_i64().unwrap()))
        .collect();
    assert_eq!(back, expected.returned, "what came back");
}

/// A line of an order, all of which was shipped or cancelled.
fn line(line: &Value) -> Line {
    let number = |name: &str| line[name].as_i64().unwrap();
    assert_eq!((number("waiting"), number("open")), (0, 0), "{line}");
    assert_eq!(number("shipped"), number("qty") - number("cancelled"), "{line}");
    let sku = line["sku"].as_str().unwrap().to_owned();
    Line { sku, qty: number("qty"), cancelled: number("cancelled"), returned: number("returned") }
}

async fn comes_to(node: &Node, order_id: &str) {
    let api = Api::of(node);
    while api.get(&format!("/orders/{order_id}")).await.status == 404 {}
}

async fn sequence(node: &Node) -> u64 {
    Api::of(node).get("/health/readiness").await.json["durableSequence"].as_u64().unwrap()
}

#[track_caller]
fn told(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {}", ended.stdout))
}

#[track_caller]
fn succeeded(command: Command) -> Ended {
    let ended = run(command);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    ended
}
