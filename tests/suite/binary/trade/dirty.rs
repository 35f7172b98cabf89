//! Dirty rows, and files that are no sales at all.

use super::super::api::Api;
use super::super::process::{Node, onhand, run, verify};
use super::{Levels, Sales, levels, refused_rows, sequence, succeeded};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// Every kind of dirty row once, each with its expected answer.
#[tokio::test(flavor = "multi_thread")]
async fn dirty_rows_are_refused_by_number_and_the_others_applied() {
    let directory = TempDir::new().unwrap();
    let (data, report) = (directory.path().join("data"), directory.path().join("refused.csv"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/binary/trade/sales.csv");
    let sales = Sales { path, opening: 20 };
    let node = Node::start(&data, &[]);
    let told = succeeded(sales.import(&node, &report)).stdout;
    let mut reader = csv::Reader::from_path(&report).unwrap();
    let code = reader.headers().unwrap().iter().position(|name| name == "code").unwrap();
    let refused: Vec<(u64, String)> = reader
        .records()
        .map(Result::unwrap)
        .map(|record| (record[0].parse().unwrap(), record[code].to_owned()))
        .collect();
    let expected = [
        (8, "insufficient-stock"),
        (10, "zero-quantity"),
        (11, "invalid-quantity"),
        (12, "insufficient-stock"),
        (14, "insufficient-stock"),
        (15, "invalid-sku"),
        (16, "invalid-sku"),
        (17, "invalid-store"),
        (18, "invalid-store"),
        (19, "invalid-time"),
        (20, "invalid-quantity"),
        (22, "wrong-field-count"),
    ];
    assert_eq!(refused, expected.map(|(row, code)| (row, code.to_owned())), "{told}");
    let expected: Levels = [
        ("United-Kingdom", "A-1", 11, 4),
        ("United-Kingdom", "B.2", 18, 2),
        ("United-Kingdom", "C-3", 0, 2),
        ("EIRE", "BANK CHARGES", 19, 2),
        ("France", "POST", 19, 2),
        ("France", "A-1", 0, 3),
        ("Channel-Islands", "D-4", 18, 2),
        ("Channel-Islands", "E-5", 24, 2),
    ]
    .into_iter()
    .map(|(store, sku, on_hand, version)| ((store.to_owned(), sku.to_owned()), (on_hand, version)))
    .collect();
    assert_eq!(levels(&node, &expected).await, expected);
    let before = sequence(&node).await;
    assert!(succeeded(sales.import(&node, &report)).stdout.contains("was imported before"));
    assert_eq!(sequence(&node).await, before);
    node.stop();
    verify(&data);
}

/// Two names that would become one store: nothing is sent until `--store-name` maps them.
#[tokio::test(flavor = "multi_thread")]
async fn stores_are_not_merged_by_their_names() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(&directory.path().join("data"), &[]);
    let path = directory.path().join("sales.csv");
    fs::write(&path, "shop,sku,qty\nMÜNCHEN,TEA,7\nMÄNCHEN,TEA,3\nBerlin,TEA,1\n").unwrap();
    let import = |more: &[&str]| {
        let mut command =
            onhand(&["import", path.to_str().unwrap(), "--server", &node.url, "--kind", "opening"]);
        command
            .args(["--store-column", "shop", "--sku-column", "sku", "--quantity-column", "qty"])
            .args(more);
        run(command)
    };
    let refused = import(&[]);
    assert_eq!(refused.code, Some(65), "{}{}", refused.stdout, refused.stderr);
    for word in ["\"MÜNCHEN\" (row 1, line 2)", "\"MÄNCHEN\" (row 2, line 3)", "M-NCHEN", "--store-name"] {
        assert!(refused.stderr.contains(word), "{word}: {}", refused.stderr);
    }
    assert_eq!(sequence(&node).await, 0, "nothing was sent");
    let told = import(&["--store-name", "MÜNCHEN=MUENCHEN"]);
    assert_eq!(told.code, Some(0), "{}{}", told.stdout, told.stderr);
    let api = Api::of(&node);
    // A valid id stays as it is written, as over HTTP.
    for (store, pieces) in [("MUENCHEN", 7), ("M-NCHEN", 3), ("Berlin", 1)] {
        assert_eq!(api.get(&format!("/stores/{store}/inventory/TEA")).await.level().0, pieces, "{store}");
    }
    let wrong = import(&["--store-name", "MÜNCHEN"]);
    assert_eq!(wrong.code, Some(2), "{}", wrong.stderr);
    node.stop();
}

/// Files that are no valid CSV: a clear message, an exit code of its own, and nothing sent.
#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_no_sales_are_refused_whole() {
    const HEADER: &[u8] =
        b"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";
    let row = b"1,A,x,1,01/12/2010 08:26,1,1,EIRE\n".as_slice();
    let directory = TempDir::new().unwrap();
    let report = directory.path().join("refused.csv");
    let node = Node::start(&directory.path().join("data"), &[]);
    let table: [(&str, Vec<u8>, i32, &str); 9] = [
        ("empty", Vec::new(), 65, "empty"),
        ("columns", [b"Invoice,Code\n".as_slice(), row].concat(), 65, "StockCode"),
        (
            "twice",
            [b"Country,StockCode,StockCode,Quantity,InvoiceDate,InvoiceNo\n".as_slice(), row].concat(),
            65,
            "StockCode",
        ),
        ("latin-1-header", b"InvoiceNo,StockCode,Pre\xe7o,Quantity\n".to_vec(), 65, "UTF-8"),
        ("utf-16", "InvoiceNo,StockCode".encode_utf16().flat_map(u16::to_le_bytes).collect(), 65, ""),
        (
            "open-quote",
            [HEADER, row, b"1,A,\"never closed,1,01/12/2010 08:26,1,1,EIRE\n"].concat(),
            65,
            "quote",
        ),
        ("binary", (0..=255_u8).cycle().take(100_000).collect(), 65, ""),
        ("header-only", HEADER.to_vec(), 0, ""),
        ("windows", [b"\xef\xbb\xbf".as_slice(), &HEADER[..HEADER.len() - 1], b"\r\n"].concat(), 0, ""),
    ];
    for (name, bytes, code, word) in table {
        let sales = Sales { path: directory.path().join(name), opening: 5 };
        fs::write(&sales.path, bytes).unwrap();
        let ended = run(sales.import(&node, &report));
        assert_eq!(ended.code, Some(code), "{name}: {}{}", ended.stdout, ended.stderr);
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains(name) && said.contains(word) && !said.contains("panicked"), "{name}: {said}");
    }
    let sales = Sales { path: directory.path().to_owned(), opening: 5 };
    assert_eq!(run(sales.import(&node, &report)).code, Some(66), "a directory is no file");
    assert_eq!(sequence(&node).await, 0, "none of it reached the log");
    let latin = Sales { path: directory.path().join("latin-1-row"), opening: 5 };
    fs::write(
        &latin.path,
        [
            HEADER,
            row,
            b"1,A,caf\xe9,1,01/12/2010 08:26,1,1,EIRE\n",
            b"1,caf\xe9,x,1,01/12/2010 08:26,1,1,EIRE\n",
        ]
        .concat(),
    )
    .unwrap();
    let told = succeeded(latin.import(&node, &report)).stdout;
    assert_eq!(refused_rows(&report), BTreeSet::from([3]), "{told}");
    assert_eq!(Api::of(&node).get("/stores/EIRE/inventory/A").await.level(), (3, 3, 0, 3));
    node.stop();
}
