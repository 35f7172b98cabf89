//! Low stock over HTTP: raised and cleared by the movement that crosses the threshold, once each.

use super::{Answer, Scratch, Setup, request};
use axum::body::Body;
use http::Method;
use onhand_http::install_metrics;
use serde_json::{Value, json};

const LEVEL: &str = "/stores/LONDON/inventory/A-1";

impl Answer {
    /// The alerts in a list, as `store/sku qty<=threshold`.
    fn low(&self) -> Vec<String> {
        let told = |item: &Value| {
            let text = |name: &str| item[name].as_str().unwrap().to_owned();
            format!("{}/{} {}<={}", text("storeId"), text("sku"), item["qty"], item["threshold"])
        };
        self.is(200, "").json["items"].as_array().unwrap().iter().map(told).collect()
    }
}

impl Scratch {
    async fn product(&self, sku: &str, threshold: Option<i64>) {
        let mut body = json!({"name": format!("Product {sku}")});
        if let Some(threshold) = threshold {
            body["lowStockThreshold"] = json!(threshold);
        }
        let answer = self.say(Method::PUT, &format!("/products/{sku}"), &[], &body.to_string()).await;
        assert!(answer.status.is_success(), "{}", answer.text);
    }

    async fn adjust(&self, level: &str, delta: i64) -> Answer {
        self.post(&format!("{level}/adjust"), &[], &format!(r#"{{"delta":{delta}}}"#)).await
    }

    /// The alerts of the feed, as (raised, pieces, version).
    async fn rung(&self) -> Vec<(bool, i64, u64)> {
        let feed = self.get("/events?type=ALERT").await;
        let told = |item: &Value| {
            assert_eq!(item["before"]["raised"], !item["payload"]["raised"].as_bool().unwrap());
            assert_eq!(item["after"]["raised"], item["payload"]["raised"]);
            (
                item["payload"]["raised"].as_bool().unwrap(),
                item["payload"]["qty"].as_i64().unwrap(),
                item["after"]["version"].as_u64().unwrap(),
            )
        };
        feed.json["items"].as_array().unwrap().iter().map(told).collect()
    }

    /// Does the work of a running node's sweeper: re-evaluates the noted levels.
    async fn sweep(&self) {
        self.node.ledger.expire_due().await.unwrap();
    }
}

#[tokio::test]
async fn an_alert_is_raised_and_cleared_by_the_movement_that_crosses_the_threshold() {
    let node = Scratch::new();
    node.product("A-1", Some(5)).await;
    node.stock(LEVEL, 10).await;
    assert_eq!(node.get("/alerts").await.low(), [""; 0]);
    node.adjust(LEVEL, -4).await.is(200, "");
    let crossed = node.post(&format!("{LEVEL}/reserve"), &[], r#"{"qty":2,"reservationId":"r"}"#).await;
    assert_eq!((&crossed.json["qty"], &crossed.json["version"]), (&json!(4), &json!(3)), "of the level");
    assert_eq!(crossed.header("etag"), Some("\"3\""));
    assert_eq!(node.get("/alerts").await.low(), ["LONDON/A-1 4<=5"]);
    node.adjust(LEVEL, -1).await.is(200, "");
    assert_eq!(node.rung().await, [(true, 4, 1)], "it is raised once");
    node.post(&format!("{LEVEL}/release"), &[], r#"{"reservationId":"r"}"#).await.is(200, "");
    assert_eq!(node.get("/alerts").await.low(), ["LONDON/A-1 4<=5"], "5 are not above 5");
    node.adjust(LEVEL, 1).await.is(200, "");
    assert_eq!(node.get("/alerts").await.low(), [""; 0]);
    node.adjust(LEVEL, -6).await.is(200, "");
    assert_eq!(node.rung().await, [(true, 4, 1), (false, 6, 2), (true, 0, 3)]);
    // The alert stands in the line of its cause.
    let feed = node.get("/events").await;
    let items = feed.json["items"].as_array().unwrap();
    let alert = items.iter().position(|item| item["type"] == "ALERT").unwrap();
    assert_eq!(
        (&items[alert - 1]["type"], &items[alert - 1]["ts"]),
        (&json!("RESERVE"), &items[alert]["ts"])
    );
    assert_eq!(items[alert - 1]["requestId"], items[alert]["requestId"]);
    // The alert is in every form of the feed, at its position.
    let sequences = |feed: &Answer| -> Vec<u64> {
        feed.json["items"].as_array().unwrap().iter().map(|item| item["sequence"].as_u64().unwrap()).collect()
    };
    let whole = sequences(&node.get("/events?storeId=LONDON").await);
    assert_eq!(whole, sequences(&node.get("/events?storeId=LONDON&sku=A-1").await));
    assert_eq!(whole.len(), items.len() - 1, "all but the product");
    let mut pieces = Vec::new();
    loop {
        let after = pieces.last().copied().unwrap_or(0);
        let page = node.get(&format!("/events?storeId=LONDON&sku=A-1&limit=2&after={after}")).await;
        if sequences(&page).is_empty() {
            break;
        }
        pieces.extend(sequences(&page));
    }
    assert_eq!(pieces, whole);
    let node = node.restart(Setup::default());
    assert_eq!(node.get("/alerts").await.low(), ["LONDON/A-1 0<=5"]);
    let alert = &node.get("/alerts").await.json["items"][0];
    assert_eq!((&alert["name"], &alert["version"]), (&json!("Product A-1"), &json!(3)));
    // The gauge belongs to the process: other nodes of this one set it, too.
    install_metrics();
    assert_eq!(node.node.ledger.alerts_raised(), 1);
    let metrics = node.get("/metrics").await;
    assert!(metrics.text.contains("\nonhand_alerts_raised "), "{}", metrics.text);
}

#[tokio::test]
async fn a_retry_gets_the_level_and_not_the_alert() {
    let node = Scratch::new();
    node.product("A-1", Some(5)).await;
    node.stock(LEVEL, 6).await;
    let key = [("idempotency-key", "k")];
    let first = node.post(&format!("{LEVEL}/adjust"), &key, r#"{"delta":-2}"#).await;
    let again = node.post(&format!("{LEVEL}/adjust"), &key, r#"{"delta":-2}"#).await;
    assert_eq!((again.header("idempotency-replayed"), &again.text), (Some("true"), &first.text));
    // The same key in a batch: the item's own earlier result is replayed.
    let batch = r#"{"atomic":false,"operations":[{"op":"adjust","storeId":"LONDON","sku":"A-1","delta":-2,"idempotencyKey":"k"},{"op":"adjust","storeId":"LONDON","sku":"A-1","delta":-1}]}"#;
    let results = node.post("/inventory/batch", &[], batch).await;
    let results = results.is(200, "").json["results"].clone();
    assert_eq!((&results[0]["qty"], &results[0]["version"]), (&json!(4), &json!(2)), "{results}");
    assert_eq!((&results[1]["qty"], &results[1]["version"]), (&json!(3), &json!(3)), "{results}");
}

#[tokio::test]
async fn a_batch_raises_alerts_for_its_final_levels() {
    let node = Scratch::new();
    for sku in ["A-1", "B-2", "C-3"] {
        node.product(sku, Some(5)).await;
        node.stock(&format!("/stores/LONDON/inventory/{sku}"), 10).await;
    }
    let op = |sku: &str, delta: i64| json!({"op": "adjust", "storeId": "LONDON", "sku": sku, "delta": delta});
    let operations = json!([op("A-1", -7), op("B-2", -7), op("B-2", 7), op("C-3", -100)]);
    let body = json!({"atomic": false, "operations": operations}).to_string();
    node.post("/inventory/batch", &[], &body).await.is(200, "");
    assert_eq!(node.get("/alerts").await.low(), ["LONDON/A-1 3<=5"]);
    let body = json!({"atomic": true, "operations": [op("C-3", -7), op("C-3", -100)]}).to_string();
    node.post("/inventory/batch", &[], &body).await.is(409, "insufficient-stock");
    assert_eq!(node.rung().await.len(), 1);
}

#[tokio::test]
async fn a_hold_that_expires_clears_the_alert() {
    let node = Scratch::new();
    node.product("A-1", Some(5)).await;
    node.stock(LEVEL, 6).await;
    let hold = r#"{"qty":4,"reservationId":"r","ttlSeconds":1}"#;
    node.post(&format!("{LEVEL}/reserve"), &[], hold).await.is(200, "");
    assert_eq!(node.rung().await, [(true, 2, 1)]);
    while node.rung().await.len() < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        node.sweep().await;
    }
    assert_eq!(node.rung().await, [(true, 2, 1), (false, 6, 2)]);
}

#[tokio::test]
async fn a_changed_threshold_is_re_evaluated_in_every_store() {
    let node = Scratch::new();
    for (store, pieces) in [("LONDON", 4), ("PARIS", 40), ("ROME", 5)] {
        node.stock(&format!("/stores/{store}/inventory/A-1"), pieces).await;
    }
    node.product("A-1", Some(5)).await;
    node.sweep().await;
    assert_eq!(node.get("/alerts").await.low(), ["LONDON/A-1 4<=5", "ROME/A-1 5<=5"]);
    assert_eq!(node.get("/alerts?storeId=ROME").await.low(), ["ROME/A-1 5<=5"]);
    assert_eq!(node.get("/alerts?sku=B-2").await.low(), [""; 0]);
    let page = node.get("/alerts?limit=1").await;
    let next = page.json["nextCursor"].as_str().unwrap();
    assert_eq!(page.low(), ["LONDON/A-1 4<=5"]);
    assert_eq!(node.get(&format!("/alerts?limit=1&cursor={next}")).await.low(), ["ROME/A-1 5<=5"]);
    // Rome gets a threshold of its own, a lower one.
    let own = format!("{}/threshold", LEVEL.replace("LONDON", "ROME"));
    node.get(&own).await.is(404, "threshold-not-found");
    let set = node.say(Method::PUT, &own, &[("if-match", "0")], r#"{"lowStockThreshold":2}"#).await;
    assert_eq!((set.is(200, "").header("etag"), &set.json["lowStockThreshold"]), (Some("\"1\""), &json!(2)));
    node.sweep().await;
    assert_eq!(node.get("/alerts").await.low(), ["LONDON/A-1 4<=5"]);
    node.get_with(&own, &[("if-none-match", "\"1\"")]).await.is(304, "");
    node.say(Method::PUT, &own, &[("if-match", "9")], r#"{"lowStockThreshold":2}"#)
        .await
        .is(409, "version-conflict");
    node.say(Method::PUT, &own, &[], r#"{"lowStockThreshold":-1}"#).await.is(400, "invalid-request");
    node.delete(&own).await.is(204, "");
    node.delete(&own).await.is(404, "threshold-not-found");
    // The run ends before the re-evaluation: the next one does it.
    let node = node.restart(Setup::default());
    node.sweep().await;
    assert_eq!(node.get("/alerts").await.low(), ["LONDON/A-1 4<=5", "ROME/A-1 5<=5"]);
    node.delete("/products/A-1").await.is(204, "");
    node.sweep().await;
    assert_eq!(node.get("/alerts").await.low(), [""; 0]);
    let cleared =
        node.get("/events?type=ALERT").await.json["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(cleared["payload"].get("threshold"), None, "there is none any more");
}

#[tokio::test]
async fn a_count_and_an_import_raise_it_too() {
    let node = Scratch::new();
    node.product("A-1", Some(5)).await;
    node.stock(LEVEL, 10).await;
    node.post(&format!("{LEVEL}/count"), &[], r#"{"counted":3}"#).await.is(200, "");
    assert_eq!(node.rung().await, [(true, 3, 1)]);
    let rows = r#"{"afterRow":0,"throughRow":2,"last":true,"rows":[{"row":1,"storeId":"LONDON","sku":"A-1","kind":"stock-in","quantity":9},{"row":2,"storeId":"PARIS","sku":"A-1","kind":"stock-in","quantity":1}]}"#;
    node.send(request(
        Method::POST,
        "/imports/i/rows",
        &[("content-type", "application/json")],
        Body::from(rows),
    ))
    .await
    .is(200, "");
    assert_eq!(node.rung().await, [(true, 3, 1), (false, 12, 2), (true, 1, 1)]);
}
