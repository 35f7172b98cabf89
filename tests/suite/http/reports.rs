//! Tills and reports over HTTP: a call for each movement, and the sums of all, as pages and as CSV.

use super::{Answer, NDJSON, Scratch, Setup};
use http::Method;
use serde_json::{Value, json};

pub(super) const CSV: (&str, &str) = ("accept", "text/csv");

impl Scratch {
    async fn till(&self, door: &str, store: &str, sku: &str, quantity: i64) -> Answer {
        let body = json!({"storeId": store, "sku": sku, "quantity": quantity, "reference": "till-3"});
        self.post(&format!("/stock/{door}"), &[], &body.to_string()).await
    }

    /// Five levels in three stores, with a movement of nearly every kind.
    pub(super) async fn shop(&self) {
        for (door, store, sku, quantity) in [
            ("add", "BERLIN", "TEA", 10),
            ("add", "BERLIN", "POT", 5),
            ("add", "LONDON", "TEA", 20),
            ("sale", "LONDON", "TEA", 3),
            ("remove", "BERLIN", "TEA", 1),
            ("sale", "BERLIN", "TEA", 2),
            ("add", "PARIS", "CUP", 7),
        ] {
            self.till(door, store, sku, quantity).await.is(200, "");
        }
        let hold = r#"{"qty":4,"reservationId":"r-1","reference":"order 9"}"#;
        self.post("/stores/LONDON/inventory/TEA/reserve", &[], hold).await.is(200, "");
        let part = r#"{"reservationId":"r-1","qty":1}"#;
        self.post("/stores/LONDON/inventory/TEA/commit", &[], part).await.is(200, "");
        self.post("/stores/LONDON/inventory/TEA/release", &[], r#"{"reservationId":"r-1"}"#)
            .await
            .is(200, "");
        self.post("/stores/PARIS/inventory/CUP/count", &[], r#"{"counted":6,"reason":"yearly"}"#)
            .await
            .is(200, "");
        self.post("/stores/PARIS/inventory/CUP/adjust", &[], r#"{"delta":-1,"reason":"a \"gift\", free"}"#)
            .await
            .is(200, "");
        self.post("/stores/PARIS/inventory/CUP/adjust", &[], r#"{"delta":-1,"reason":"sale"}"#)
            .await
            .is(200, "");
    }

    /// Every page of a list, mapped by `told`.
    pub(super) async fn pages<T>(&self, path: &str, told: impl Fn(&Value) -> T) -> Vec<T> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{path}{cursor}")).await;
            all.extend(page.is(200, "").json["items"].as_array().unwrap().iter().map(&told));
            match page.json["nextCursor"].as_str() {
                Some(next) => {
                    let join = if path.contains('?') { '&' } else { '?' };
                    cursor = format!("{join}cursor={next}");
                }
                None => return all,
            }
        }
    }
}

fn kind_and_sku(item: &Value) -> String {
    format!("{} {}", item["kind"].as_str().unwrap(), item["sku"].as_str().unwrap())
}

#[tokio::test]
async fn a_till_records_movements_and_cannot_sell_missing_stock() {
    let node = Scratch::new();
    let added = node.till("add", "BERLIN", "TEA", 10).await;
    assert_eq!((&added.is(200, "").json["qty"], added.header("etag")), (&json!(10), Some("\"1\"")));
    node.till("sale", "BERLIN", "TEA", 4).await.is(200, "");
    let refused = node.till("sale", "BERLIN", "TEA", 7).await;
    assert_eq!(refused.is(409, "insufficient-stock").json["available"], 6);
    node.till("remove", "BERLIN", "TEA", 7).await.is(409, "insufficient-stock");
    node.till("sale", "BERLIN", "POT", 1).await.is(409, "insufficient-stock");
    let removed = node.till("remove", "BERLIN", "TEA", 6).await;
    assert_eq!((&removed.is(200, "").json["onHand"], &removed.json["version"]), (&json!(0), &json!(3)));
    for (body, pointer) in [
        (r#"{"sku":"A","quantity":1}"#, "storeId"),
        (r#"{"storeId":"B","sku":"A","quantity":0}"#, "/quantity"),
        (r#"{"storeId":"B","sku":"A","quantity":-1}"#, "/quantity"),
        (r#"{"storeId":"B","sku":"A","quantity":1.5}"#, "/quantity"),
        (r#"{"storeId":"B/C","sku":"A","quantity":1}"#, "/storeId"),
        (r#"{"storeId":"B","sku":"A","quantity":1,"delta":1}"#, "/delta"),
        (r#"{"storeId":"B","sku":"A","quantity":1,"reason":""}"#, "/reason"),
    ] {
        let refused = node.post("/stock/add", &[], body).await;
        assert!(refused.is(400, "invalid-request").text.contains(pointer), "{body}: {}", refused.text);
    }
    let history = node.get("/stores/BERLIN/inventory/TEA/history").await;
    let kinds: Vec<&Value> =
        history.json["items"].as_array().unwrap().iter().map(|item| &item["payload"]["kind"]).collect();
    assert_eq!(kinds, ["stock-in", "sale", "removal"]);
}

#[tokio::test]
async fn a_till_that_retries_sells_once() {
    let node = Scratch::new();
    node.till("add", "BERLIN", "TEA", 10).await.is(200, "");
    let body = r#"{"storeId":"BERLIN","sku":"TEA","quantity":2}"#;
    let headers = [("idempotency-key", "till-3/1"), ("if-match", "\"1\"")];
    let sold = node.post("/stock/sale", &headers, body).await;
    assert_eq!(sold.is(200, "").json["qty"], 8);
    let node = node.restart(Setup::default());
    let again = node.post("/stock/sale", &headers, body).await;
    assert_eq!(again.is(200, "").header("idempotency-replayed"), Some("true"));
    assert_eq!(again.json["version"], 2);
    // The same key on another route, or in another store, is another request.
    node.post("/stock/remove", &headers[..1], body).await.is(200, "");
    node.post("/stock/sale", &headers[..1], &body.replace('2', "3")).await.is(409, "idempotency-key-reused");
    node.post("/stock/sale", &[("if-match", "\"1\"")], body).await.is(409, "version-conflict");
    assert_eq!(node.get("/stores/BERLIN/inventory/TEA").await.json["qty"], 6);
}

#[tokio::test]
async fn stock_of_all_stores_page_by_page_and_as_csv() {
    let node = Scratch::new();
    node.shop().await;
    node.post("/products", &[], r#"{"sku":"TEA","name":"Tea, \"green\""}"#).await.is(201, "");
    let told = |item: &Value| format!("{}/{} {}", item["storeId"], item["sku"], item["qty"]).replace('"', "");
    let all = ["BERLIN/POT 5", "BERLIN/TEA 7", "LONDON/TEA 16", "PARIS/CUP 4"];
    for limit in [1, 2, 3, 4, 5] {
        assert_eq!(node.pages(&format!("/stock/current?limit={limit}"), told).await, all, "{limit}");
    }
    for (query, found) in [
        ("storeId=BERLIN", &all[..2]),
        ("sku=TEA", &all[1..3]),
        ("storeId=LONDON&sku=TEA", &all[2..3]),
        ("storeId=LONDON&sku=POT", &[]),
        ("storeId=NOWHERE", &[]),
        ("sku=NOTHING", &[]),
    ] {
        assert_eq!(node.pages(&format!("/stock/current?{query}&limit=1"), told).await, found, "{query}");
    }
    let csv = node.get_with("/stock/current", &[CSV]).await;
    assert_eq!(csv.is(200, "").header("content-type"), Some("text/csv; charset=utf-8"));
    let lines: Vec<&str> = csv.text.lines().collect();
    assert_eq!(lines.len(), 5, "{}", csv.text);
    assert_eq!(lines[0], "storeId,sku,name,qty,onHand,reserved,version,updatedAt,lowStockThreshold");
    assert!(lines[2].starts_with("BERLIN,TEA,\"Tea, \"\"green\"\"\",7,7,0,3,2"), "{}", lines[2]);
    assert!(lines[2].ends_with("Z,"), "{}", lines[2]);
    node.get_with("/stock/current?limit=5", &[CSV]).await.is(400, "invalid-request");
    node.get_with("/stock/current", &[("accept", NDJSON)]).await.is(200, "");
    node.get("/stock/current?storeId=a/b").await.is(400, "invalid-request");
}

#[tokio::test]
async fn lists_of_levels_have_the_threshold_that_counts() {
    let node = Scratch::new();
    node.shop().await;
    let product = r#"{"sku":"TEA","name":"Tea","lowStockThreshold":9}"#;
    node.post("/products", &[], product).await.is(201, "");
    let own = r#"{"lowStockThreshold":2}"#;
    node.say(Method::PUT, "/stores/LONDON/inventory/TEA/threshold", &[], own).await.is(200, "");
    let told = |item: &Value| {
        format!("{} {} {}", item["storeId"], item["sku"], item["lowStockThreshold"]).replace('"', "")
    };
    let all = ["BERLIN POT null", "BERLIN TEA 9", "LONDON TEA 2", "PARIS CUP null"];
    assert_eq!(node.pages("/stock/current", told).await, all);
    assert_eq!(node.pages("/stores/LONDON/inventory", told).await, all[2..3]);
    let csv = node.get_with("/stock/current", &[CSV]).await;
    let ends: Vec<_> = csv.text.lines().skip(1).filter_map(|line| line.rsplit(',').next()).collect();
    assert_eq!(ends, ["", "9", "2", ""]);
}

#[tokio::test]
async fn a_list_says_as_of_which_sequence_it_is_and_the_feed_goes_on_behind_it() {
    let node = Scratch::new();
    node.shop().await;
    let end = node.get("/events?limit=0").await.json["end"].as_u64().unwrap().to_string();
    for path in
        ["/stock/current", "/stock/movements", "/stores", "/products", "/alerts", "/stores/BERLIN/inventory"]
    {
        assert_eq!(node.get(path).await.is(200, "").header("onhand-sequence"), Some(&*end), "{path}");
    }
    assert_eq!(node.get_with("/stock/current", &[CSV]).await.header("onhand-sequence"), Some(&*end));
    for path in ["/stores/BERLIN/inventory/TEA", "/events?limit=0", "/stock/current?limit=0"] {
        assert_eq!(node.get(path).await.header("onhand-sequence"), None, "{path}");
    }
    node.till("add", "BERLIN", "TEA", 1).await.is(200, "");
    let feed = node.get(&format!("/events?after={end}")).await;
    assert_eq!(feed.json["items"].as_array().unwrap().len(), 1, "{}", feed.text);
}

#[tokio::test]
async fn movements_of_all_stores_by_place_kind_and_time() {
    let node = Scratch::new();
    node.shop().await;
    let all = node.pages("/stock/movements", kind_and_sku).await;
    assert_eq!(
        all,
        [
            "stock-in TEA",
            "stock-in POT",
            "stock-in TEA",
            "sale TEA",
            "removal TEA",
            "sale TEA",
            "stock-in CUP",
            "reserve TEA",
            "commit TEA",
            "release TEA",
            "count CUP",
            "adjustment CUP",
            "sale CUP"
        ]
    );
    for limit in [1, 3, 12, 13, 14] {
        assert_eq!(
            node.pages(&format!("/stock/movements?limit={limit}"), kind_and_sku).await,
            all,
            "{limit}"
        );
    }
    for (query, found) in [
        ("kind=sale", &["sale TEA", "sale TEA", "sale CUP"][..]),
        ("kind=sale&storeId=LONDON", &["sale TEA"]),
        ("kind=sale&sku=TEA", &["sale TEA", "sale TEA"]),
        ("storeId=PARIS", &["stock-in CUP", "count CUP", "adjustment CUP", "sale CUP"]),
        ("sku=POT", &["stock-in POT"]),
        ("storeId=BERLIN&sku=TEA", &["stock-in TEA", "removal TEA", "sale TEA"]),
        ("kind=opening", &[]),
        ("sku=NOTHING", &[]),
        ("from=2099-01-01T00:00:00Z", &[]),
        ("to=2020-01-01T00:00:00Z", &[]),
    ] {
        for limit in [1, 2, 100] {
            let path = format!("/stock/movements?{query}&limit={limit}");
            assert_eq!(node.pages(&path, kind_and_sku).await, found, "{path}");
        }
    }
    for (query, name) in [
        ("kind=SALE", "kind"),
        ("from=yesterday", "from"),
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "to"),
        ("cursor=abc", "cursor"),
    ] {
        let refused = node.get(&format!("/stock/movements?{query}")).await;
        assert_eq!(refused.status, 400, "{query}");
        assert!(refused.text.contains(name), "{}", refused.text);
    }
}

#[tokio::test]
async fn movements_between_two_times_are_those_of_the_log() {
    let node = Scratch::new();
    node.shop().await;
    let times = node.pages("/stock/movements", |item| item["ts"].as_str().unwrap().to_owned()).await;
    for (from, to) in [(0, 12), (3, 7), (5, 5), (12, 0)] {
        let (from, to) = (&times[from], &times[to]);
        if from > to {
            continue;
        }
        let expected = times.iter().filter(|at| *at >= from && *at < to).count();
        let found = node.pages(&format!("/stock/movements?from={from}&to={to}&limit=2"), |_| ()).await;
        assert_eq!(found.len(), expected, "{from} {to}");
    }
}
