//! Filtered reads find every match: movements and events by kind and store, over segments that are being written,
//! sealed, archived, and whose index is lost.

use super::{Scratch, Setup};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;

const STORES: [&str; 5] = ["BERLIN", "LONDON", "PARIS", "ROME", "OSLO"];

impl Scratch {
    /// Adds entries of one event and of many, on many SKUs and on few.
    async fn much_happens(&self, random: &mut fastrand::Rng, rounds: usize) {
        for _ in 0..rounds {
            let (store, sku) = (STORES[random.usize(0..3)], format!("SKU-{}", random.u8(0..9)));
            match random.u8(0..8) {
                0 => {
                    let products: Vec<Value> = (0..random.u32(1..30))
                        .map(|number| json!({"sku": format!("P-{number}"), "name": random.u32(..).to_string()}))
                        .collect();
                    let body = json!({"products": products});
                    self.post("/catalogue/products", &[], &body.to_string()).await.is(200, "");
                }
                1 => {
                    let operations: Vec<Value> = (0..random.usize(1..20))
                        .map(|number| {
                            let store = STORES[random.usize(0..4)];
                            json!({"op": "adjust", "storeId": store, "sku": format!("SKU-{number}"), "delta": 1})
                        })
                        .collect();
                    let body = json!({"atomic": false, "operations": operations});
                    self.post("/inventory/batch", &[], &body.to_string()).await.is(200, "");
                }
                2 => {
                    let path = format!("/stores/{store}/inventory/{sku}/count");
                    self.post(&path, &[], r#"{"counted":20}"#).await.is(200, "");
                }
                3 => {
                    let body = json!({"storeId": store, "sku": sku, "quantity": 3});
                    self.post("/stock/sale", &[], &body.to_string()).await;
                }
                _ => self.stock(&format!("/stores/{store}/inventory/{sku}"), 2).await,
            }
        }
    }

    async fn movements(&self, query: &str) -> Vec<Value> {
        self.pages(&format!("/stock/movements?{query}"), Value::clone).await
    }

    async fn events(&self, query: &str) -> Vec<Value> {
        self.pages(&format!("/events?{query}"), Value::clone).await
    }

    /// Compares the results of each filter with those of an unfiltered read.
    async fn finds_all(&self) {
        let movements = self.movements("limit=1000").await;
        let events = self.events("limit=1000").await;
        assert!(movements.len() > 500 && events.len() > movements.len());
        let kinds: BTreeSet<&str> = movements.iter().map(|item| item["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, BTreeSet::from(["adjustment", "count", "sale"]));
        for store in STORES.iter().map(Some).chain([None]) {
            let of_store = |item: &&Value| store.is_none_or(|store| item["storeId"] == *store);
            let query = store.map_or(String::new(), |store| format!("&storeId={store}"));
            for limit in [7, 100] {
                let found = self.movements(&format!("limit={limit}{query}")).await;
                assert_eq!(found, movements.iter().filter(of_store).cloned().collect::<Vec<_>>(), "{query}");
                for kind in ["sale", "count", "reserve"] {
                    let query = format!("limit={limit}&kind={kind}{query}");
                    let of_kind = movements.iter().filter(of_store).filter(|item| item["kind"] == kind);
                    assert_eq!(self.movements(&query).await, of_kind.cloned().collect::<Vec<_>>(), "{query}");
                }
            }
            let of_store = |event: &&Value| store.is_none_or(|store| event["payload"]["storeId"] == *store);
            for kind in ["ADJUST", "COUNT", "PRODUCT", "CLOCK"] {
                let query = format!("limit=50&type={kind}{query}");
                let of_kind = events.iter().filter(of_store).filter(|event| event["type"] == kind);
                assert_eq!(self.events(&query).await, of_kind.cloned().collect::<Vec<_>>(), "{query}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filtered_reads_find_every_match() {
    let mut random = fastrand::Rng::with_seed(20_261_128);
    // Few large segments and many small ones.
    for segment_bytes in [64 << 20, 64 << 10, 4 << 10] {
        let node = Scratch::open(Setup { segment_bytes, ..Setup::default() });
        node.much_happens(&mut random, 300).await;
        node.finds_all().await;
        for _ in 0..30 {
            tokio::task::block_in_place(|| node.upkeep());
        }
        node.finds_all().await;
        for file in fs::read_dir(node.directory.path().join("log")).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "idx") {
                fs::remove_file(path).unwrap();
            }
        }
        let node = node.restart(Setup { segment_bytes, ..Setup::default() });
        node.much_happens(&mut random, 50).await;
        node.finds_all().await;
    }
}

#[tokio::test]
async fn thousands_of_entries_are_passed_over() {
    let node = Scratch::new();
    node.post("/stock/add", &[], r#"{"storeId":"OSLO","sku":"TEA","quantity":9}"#).await.is(200, "");
    // More entries than one piece of an index covers, and not a multiple of it.
    let writers = (0..7).map(|store| {
        let (node, path) = (&node, format!("/stores/S-{store}/inventory/TEA"));
        async move {
            for _ in 0..360 {
                node.stock(&path, 1).await;
            }
        }
    });
    futures_util::future::join_all(writers).await;
    let sold = r#"{"storeId":"OSLO","sku":"TEA","quantity":1}"#;
    node.post("/stock/sale", &[], sold).await.is(200, "");
    let kinds = |found: Vec<Value>| found.iter().map(|item| item["kind"].clone()).collect::<Vec<_>>();
    assert_eq!(kinds(node.movements("limit=1&storeId=OSLO").await), ["stock-in", "sale"]);
    assert_eq!(kinds(node.movements("kind=sale").await), ["sale"]);
    let first = node.get("/stock/movements?kind=sale&limit=1").await;
    assert_eq!(first.json["items"].as_array().unwrap().len(), 1, "one page finds it");
    assert_eq!(node.events("type=ADJUST&limit=1000").await.len(), 2_522);
}
