//! `onhand orders import` on small files: what waits for stock, and credit notes of another file.

use super::api::Api;
use super::process::{Ended, Node, onhand, run, verify};
use serde_json::{Value, json};
use std::fs;
use tempfile::TempDir;

/// A node with some stock, and files beside it.
pub(super) struct Shop {
    pub(super) directory: TempDir,
    pub(super) node: Node,
    pub(super) api: Api,
}

impl Shop {
    pub(super) async fn open(levels: &[(&str, &str, i64)]) -> Self {
        let directory = TempDir::new().unwrap();
        let node = Node::start(&directory.path().join("data"), &[]);
        let shop = Self { api: Api::of(&node), directory, node };
        for (store, sku, pieces) in levels {
            shop.stock(store, sku, *pieces).await;
        }
        shop
    }

    async fn stock(&self, store: &str, sku: &str, pieces: i64) {
        let path = format!("/stores/{store}/inventory/{sku}/adjust");
        self.api.post(&path, &[], &json!({"delta": pieces})).await.is(200, "");
    }

    pub(super) fn import(&self, name: &str, text: &str, more: &[&str]) -> Ended {
        let file = self.directory.path().join(name);
        fs::write(&file, text).unwrap();
        let mut command = onhand(&["orders", "import", file.to_str().unwrap(), "--server", &self.node.url]);
        command.args(more);
        run(command)
    }

    /// An import that succeeds, and its summary.
    #[track_caller]
    pub(super) fn imported(&self, name: &str, text: &str, more: &[&str]) -> Value {
        let ended = self.import(name, text, &[more, &["--output", "json"]].concat());
        assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
        serde_json::from_str(&ended.stdout).unwrap()
    }

    #[track_caller]
    pub(super) fn exported(&self, more: &[&str]) -> String {
        let mut command = onhand(&["orders", "export", "--server", &self.node.url]);
        command.args(more);
        let ended = run(command);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.stdout
    }

    pub(super) async fn sequence(&self) -> u64 {
        self.api.get("/health/readiness").await.json["durableSequence"].as_u64().unwrap()
    }

    /// Status, and by line: shipped, waiting, cancelled and returned pieces.
    async fn order(&self, id: &str) -> (String, Vec<[i64; 4]>) {
        let order = self.api.get(&format!("/orders/{id}")).await.is(200, "").json.clone();
        let numbers = |line: &Value| {
            ["shipped", "waiting", "cancelled", "returned"].map(|name| line[name].as_i64().unwrap())
        };
        let lines = order["lines"].as_array().unwrap().iter().map(numbers).collect();
        (order["status"].as_str().unwrap().to_owned(), lines)
    }

    pub(super) fn close(self) {
        self.node.stop();
        verify(&self.directory.path().join("data"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_shipped_by_a_later_run() {
    const ORDERS: &str = "orderId,sku,qty\no-1,TEA,6\no-2,TEA,6\no-2,CUP,1\no-3,TEA,1\n";
    let shop = Shop::open(&[("ROME", "TEA", 4), ("PARIS", "TEA", 4), ("PARIS", "CUP", 9)]).await;
    let before = shop.sequence().await;
    let dry = shop.imported("orders.csv", ORDERS, &["--partial", "backorder", "--dry-run"]);
    assert_eq!((&dry["wouldGetAll"], &dry["wouldGetLess"]), (&json!(1), &json!(2)));
    assert_eq!(dry["short"], json!([{"sku": "TEA", "pieces": 5, "orders": 2}]));
    assert_eq!(shop.sequence().await, before, "nothing changed");

    let refused = shop.import("orders.csv", ORDERS, &["--ship"]);
    assert_eq!(refused.code, Some(0), "{}", refused.stderr);
    for words in [
        "     2 placed",
        "     1 refused",
        "row 2 (line 3), order o-2: insufficient-stock: of TEA 6 are asked and 2",
    ] {
        assert!(refused.stdout.contains(words), "{words}: {}", refused.stdout);
    }
    assert_eq!(
        shop.order("o-3").await,
        ("SHIPPED".into(), vec![[1, 0, 0, 0]]),
        "an order behind a refused one"
    );

    let other =
        shop.imported("orders.csv", ORDERS, &["--partial", "backorder", "--ship", "--confirm", "auto"]);
    assert_eq!((&other["placed"], &other["refused"]["byCode"]), (&json!(1), &json!({"order-exists": 2})));
    assert!(other["refused"]["first"][0]["detail"].as_str().unwrap().contains("another policy"), "{other}");
    assert_eq!(other["notShipped"], json!({"not-allotted": 1}));
    assert_eq!(shop.order("o-2").await, ("CONFIRMED".into(), vec![[0, 5, 0, 0], [0, 0, 0, 0]]));
    shop.stock("ROME", "TEA", 5).await;
    // The node finds the stock for it by itself, a moment later.
    while shop.order("o-2").await.1[0][1] > 0 {}
    let later =
        shop.imported("orders.csv", ORDERS, &["--partial", "backorder", "--ship", "--confirm", "auto"]);
    assert_eq!((&later["alreadyThere"], &later["notShipped"]), (&json!(1), &json!({})));
    assert_eq!(shop.order("o-2").await, ("SHIPPED".into(), vec![[6, 0, 0, 0], [1, 0, 0, 0]]));
    shop.close();
}

/// Credit notes of January are about orders of December, and those of December never about orders of January.
#[tokio::test(flavor = "multi_thread")]
async fn credit_notes_find_the_orders_of_an_earlier_file_and_no_later_ones() {
    const HEADER: &str = "orderId,customerId,sku,qty\n";
    let options = ["--ship", "--returns", "--return-store", "DESK"];
    let shop = Shop::open(&[("ROME", "TEA", 90), ("ROME", "CUP", 90)]).await;
    let december = format!(
        "{HEADER}C-1,c-1,TEA,-1\no-1,c-1,TEA,5\no-1,c-1,CUP,2\no-2,c-2,TEA,9\no-3,c-1,TEA,3\nC-2,c-1,CUP,-3\n"
    );
    let told = shop.imported("december.csv", &december, &options);
    assert_eq!((&told["placed"], &told["returns"]["received"]), (&json!(3), &json!(0)));
    assert_eq!(
        told["refused"]["byCode"],
        json!({"no-shipped-order": 2}),
        "a return before its sale, and too many"
    );

    let january = format!(
        "{HEADER}o-7,c-1,TEA,1\nC-7,c-1,TEA,-5\nC-7,c-1,CUP,-1\nC-7,c-1,CUP,-1\nC-8,c-2,TEA,-9\nC-9,c-2,TEA,-1\no-8,c-1,CUP,9\n"
    );
    let dry = shop.imported("january.csv", &january, &[&options[..], &["--dry-run"]].concat());
    assert_eq!((&dry["wouldGetAll"], &dry["returns"]["creditNotes"]), (&json!(2), &json!(3)));
    let told = shop.imported("january.csv", &january, &options);
    assert_eq!((&told["placed"], &told["returns"]["received"]), (&json!(2), &json!(4)), "{told}");
    assert_eq!(told["refused"]["byCode"], json!({"no-shipped-order": 1}));
    assert_eq!(shop.order("o-7").await.1, [[1, 0, 0, 1]], "the newest first");
    assert_eq!(shop.order("o-3").await.1, [[3, 0, 0, 3]]);
    assert_eq!(shop.order("o-1").await.1, [[5, 0, 0, 1], [2, 0, 0, 2]]);
    assert_eq!(shop.order("o-2").await.1, [[9, 0, 0, 9]]);
    assert_eq!(shop.order("o-8").await.1, [[9, 0, 0, 0]]);
    assert_eq!(shop.api.get("/stores/DESK/inventory/TEA").await.level().1, 14);
    assert_eq!(shop.api.get("/stores/DESK/inventory/CUP").await.level().1, 2);

    let end = shop.sequence().await;
    for (name, text) in [("december.csv", &december), ("january.csv", &january), ("december.csv", &december)]
    {
        let again = shop.imported(name, text, &options);
        assert_eq!(
            (&again["placed"], &again["returns"]["received"]),
            (&json!(0), &json!(0)),
            "{name}: {again}"
        );
    }
    assert_eq!(shop.sequence().await, end, "nothing changed");
    shop.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_that_somebody_has_begun_is_received_and_others_are_left_alone() {
    const ORDERS: &str = "orderId,customerId,sku,qty\no-1,c-1,TEA,5\nC-1,c-1,TEA,-2\nC-2,c-1,TEA,-1\n";
    let options = ["--ship", "--returns", "--return-store", "DESK"];
    let shop = Shop::open(&[("ROME", "TEA", 5)]).await;
    shop.imported("orders.csv", "orderId,customerId,sku,qty\no-1,c-1,TEA,5\n", &["--ship"]);
    for (id, qty) in [("C-1", 2), ("C-2", 2)] {
        let body = json!({"returnId": id, "lines": [{"line": 1, "qty": qty}]});
        shop.api.post("/orders/o-1/returns", &[], &body).await.is(200, "");
    }
    let told = shop.imported("orders.csv", ORDERS, &options);
    assert_eq!(
        (&told["returns"]["received"], &told["refused"]["byCode"]),
        (&json!(1), &json!({"return-exists": 1}))
    );
    assert_eq!(shop.order("o-1").await.1, [[5, 0, 0, 2]]);
    let again = shop.imported("orders.csv", ORDERS, &options);
    assert_eq!((&again["returns"]["received"], &again["returns"]["alreadyThere"]), (&json!(0), &json!(1)));
    shop.close();
}
