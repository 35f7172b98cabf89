//! Changes of products, stores and thresholds while nodes die: each happened once, and the alerts follow from them.

use super::api::Api;
use super::kill::{Current, SKUS, insist_on, level};
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A changed threshold is re-evaluated within this time.
const LOOK: Duration = Duration::from_secs(20);

/// The logs that a feed covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Logs {
    /// The feed is of the only log: it has everything.
    One,
    /// Each process has a feed of its own log; only the history of a product is of all of them.
    Several,
}

/// Repeats a change under one key until there is an answer; returns the reference by which the feed shows it.
pub(super) async fn say(current: &mut Current, logs: Logs, key: &str, sku: &str, pieces: usize) -> String {
    let what = if logs == Logs::One { pieces % 3 } else { 0 };
    let (path, body, said) = match what {
        0 => (format!("/products/{sku}"), json!({"name": key, "lowStockThreshold": pieces}), key.to_owned()),
        1 => ("/stores/LONDON".to_owned(), json!({"name": key, "kind": "shop"}), key.to_owned()),
        _ => {
            let body = json!({"lowStockThreshold": pieces});
            (format!("{}/threshold", level(sku)), body, threshold(&json!(pieces)))
        }
    };
    let reply = insist_on(current, Method::PUT, &path, key, &body).await;
    assert!(matches!(reply.status, 200 | 201), "{}", reply.text);
    said
}

fn threshold(pieces: &Value) -> String {
    format!("a threshold of {pieces}")
}

/// All changes of products, stores and thresholds that can be read.
pub(super) async fn said(api: &Api, logs: Logs) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut said = Vec::new();
    for sku in SKUS {
        let path = format!("/products/{sku}/history");
        // There may be none before the first cut.
        let history = if api.get(&path).await.status == 404 { Vec::new() } else { api.items(&path).await };
        said.extend(history.iter().map(|item| text(&item["product"]["name"])));
    }
    for item in events(api, logs).await {
        match item["type"].as_str().unwrap() {
            "STORE" => said.push(text(&item["payload"]["store"]["name"])),
            "THRESHOLD" => said.push(threshold(&item["payload"]["lowStockThreshold"])),
            _ => {}
        }
    }
    said
}

async fn events(api: &Api, logs: Logs) -> Vec<Value> {
    if logs == Logs::One { api.items("/events").await } else { Vec::new() }
}

/// Checks that every level has its alert, perhaps after a while, and that each was raised and cleared in turn.
pub(super) async fn alerts_are_right(api: &Api, logs: Logs) {
    let mut rung: BTreeMap<String, Vec<(u64, bool)>> = BTreeMap::new();
    for item in events(api, logs).await.iter().filter(|item| item["type"] == "ALERT") {
        let (sku, after) = (item["payload"]["sku"].as_str().unwrap(), &item["after"]);
        let told = (after["version"].as_u64().unwrap(), after["raised"].as_bool().unwrap());
        rung.entry(sku.to_owned()).or_default().push(told);
    }
    for (sku, mut rung) in rung {
        rung.sort_unstable();
        let owed = (1..=rung.len() as u64).map(|version| (version, version % 2 == 1));
        assert!(rung.iter().copied().eq(owed), "{sku}: each is raised and cleared once, in turn: {rung:?}");
    }
    let begun = Instant::now();
    loop {
        let (low, raised) = (low(api).await, raised(api).await);
        if low == raised {
            return;
        }
        assert!(begun.elapsed() < LOOK, "{low:?} are low, alerts are raised for {raised:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn low(api: &Api) -> Vec<String> {
    let mut low = Vec::new();
    for sku in SKUS {
        let found = api.get(&level(sku)).await;
        let own = api.get(&format!("{}/threshold", level(sku))).await.json["lowStockThreshold"].as_i64();
        let product = api.get(&format!("/products/{sku}")).await.json["lowStockThreshold"].as_i64();
        let threshold = own.or(product);
        if found.status == 200 && threshold.is_some_and(|threshold| found.level().0 <= threshold) {
            low.push(sku.to_owned());
        }
    }
    low.sort();
    low
}

async fn raised(api: &Api) -> Vec<String> {
    let items = api.items("/alerts").await;
    items.iter().map(|item| item["sku"].as_str().unwrap().to_owned()).collect()
}
