//! `onhand orders`: an interrupt, mistakes, and the export and back.

use super::orders_small::Shop;
use super::process::{Process, onhand, run};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_ends_it_cleanly_and_says_how_to_go_on() {
    const COUNT: u64 = 1_000;
    let shop = Shop::open(&[("ROME", "TEA", 90_000)]).await;
    let mut text = String::from("orderId,sku,qty\n");
    for number in 0..COUNT {
        let _ = writeln!(text, "o-{number},TEA,1");
    }
    let (file, report) =
        (shop.directory.path().join("orders.csv"), shop.directory.path().join("refused.csv"));
    fs::write(&file, &text).unwrap();
    let import = |report: &Path| {
        let mut command = onhand(&["orders", "import", file.to_str().unwrap(), "--server", &shop.node.url]);
        command.arg("--report").arg(report);
        command
    };
    for signal in [Signal::INT, Signal::TERM] {
        let importer = Process::spawn(import(&report));
        let before = shop.sequence().await;
        while shop.sequence().await < before + 50 {}
        importer.signal(signal);
        let ended = tokio::task::spawn_blocking(|| importer.wait()).await.unwrap();
        assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.contains(" not reached"), "{}", ended.stdout);
        assert!(ended.stderr.contains("run the same command again"), "{}", ended.stderr);
        let placed = shop.exported(&[]).lines().count() as u64 - 1;
        let counted = |words: &str| {
            let line = ended.stdout.lines().find_map(|line| line.trim().strip_suffix(words));
            line.unwrap().trim().replace(',', "").parse::<u64>().unwrap()
        };
        assert_eq!(counted(" placed") + counted(" were there already"), placed, "{}", ended.stdout);
    }
    let told = shop.imported("orders.csv", &text, &[]);
    assert_eq!(told["placed"].as_u64().unwrap() + told["alreadyThere"].as_u64().unwrap(), COUNT);
    assert_eq!(told["notReached"], 0);
    shop.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_imported_again_and_no_cell_of_it_is_run() {
    let header = "orderId,customerId,sku,qty,unitPrice,name\n";
    let orders = format!("{header}-o1,-c,TEA,2,2.55,=1+1\n-o1,-c,CUP,1,0,\no-2,,-5,3,1.5,A cup\n");
    let levels = [("ROME", "TEA", 9), ("ROME", "CUP", 9), ("PARIS", "-5", 2), ("ROME", "-5", 1)];
    let shop = Shop::open(&levels).await;
    shop.imported("orders.csv", &orders, &["--currency", "GBP", "--ship"]);
    let text = shop.exported(&[]);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let cells = |row: &csv::StringRecord| [0, 1, 3, 4, 5, 6, 10, 13, 14, 15].map(|at| row[at].to_owned());
    let rows: Vec<[String; 10]> = rows.iter().map(cells).collect();
    for expected in [
        ["'-o1", "SHIPPED", "'-c", "1", "TEA", "2", "2", "2.55", "GBP", "ROME"],
        ["'-o1", "SHIPPED", "'-c", "2", "CUP", "1", "1", "0.00", "GBP", "ROME"],
        ["o-2", "SHIPPED", "", "1", "-5", "3", "3", "1.50", "GBP", "PARIS ROME"],
    ] {
        assert!(rows.contains(&expected.map(str::to_owned)), "{expected:?}: {text}");
    }
    assert_eq!(rows.len(), 3);

    let other = Shop::open(&levels).await;
    let told = other.imported("again.csv", &text, &["--currency", "GBP", "--ship"]);
    assert_eq!((&told["placed"], &told["amounts"]), (&json!(2), &json!({"GBP": 960})), "{told}");
    let places = |text: &str| -> Vec<String> {
        let mut rows: Vec<String> =
            text.lines().map(|row| row.replace(|c: char| c.is_ascii_digit(), "#")).collect();
        rows.sort_unstable();
        rows
    };
    assert_eq!(places(&other.exported(&[])), places(&text), "but for the time");

    for (more, count) in [
        (vec!["--status", "shipped"], 3),
        (vec!["--status", "PLACED"], 0),
        (vec!["--customer=-c"], 2),
        (vec!["--from", "2020-01-01", "--to", "2021-01-01"], 0),
        (vec!["--from", "2020-01-01"], 3),
    ] {
        assert_eq!(shop.exported(&more).lines().count(), 1 + count, "{more:?}");
    }
    let whole = shop.exported(&["--output", "ndjson", "--customer=-c"]);
    let whole: Vec<Value> = whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((whole.len(), &whole[0]["lines"][0]["name"]), (1, &json!("=1+1")));
    assert_eq!(shop.api.get("/orders/-o1").await.json, whole[0]);
    shop.close();
    other.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_told_before_anything_is_sent() {
    let shop = Shop::open(&[("ROME", "TEA", 9)]).await;
    let end = shop.sequence().await;
    let good = "orderId,sku,qty\no-1,TEA,1\n";
    for (text, more, code, words) in [
        ("", vec![], 65, "no header line"),
        ("order,sku,qty\no-1,TEA,1\n", vec![], 65, "--order-column"),
        ("orderId,sku,qty\no-1,\"TEA,1\n", vec![], 65, "quote"),
        ("orderId,sku,qty,unitPrice\no-1,TEA,1,1\n", vec![], 2, "--currency GBP"),
        (good, vec!["--returns", "--return-store", "DESK"], 2, "--customer-column"),
        (good, vec!["--returns"], 2, "--return-store"),
        (good, vec!["--return-store", "DESK"], 2, "--returns"),
        (good, vec!["--partial", "some"], 2, "cancel-rest"),
        (good, vec!["--report", "/no/such/folder/refused.csv"], 73, "cannot create the report"),
        (good, vec!["--server", "http://127.0.0.1:1"], 69, "cannot reach a server"),
    ] {
        let mut command = onhand(&["orders", "import"]);
        let file = shop.directory.path().join("orders.csv");
        fs::write(&file, text).unwrap();
        command.arg(&file).args(&more);
        if !more.contains(&"--server") {
            command.args(["--server", &shop.node.url]);
        }
        let ended = run(command);
        assert_eq!(ended.code, Some(code), "{more:?}: {}{}", ended.stdout, ended.stderr);
        assert!(ended.stderr.contains(words), "{more:?}: {}", ended.stderr);
    }
    assert_eq!(shop.sequence().await, end, "nothing was sent");
    let both = shop.import("orders.csv", good, &["--report", "-"]);
    assert!(
        both.stdout.starts_with("row,line,code,detail,order,sku,quantity,price,customer,date"),
        "{}",
        both.stdout
    );
    assert!(both.stderr.starts_with("Imported the orders of "), "{}", both.stderr);
    shop.close();
}
