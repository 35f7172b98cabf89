//! Changes of many products at once, over HTTP.

use super::{Scratch, Setup};
use serde_json::{Value, json};

const PATH: &str = "/catalogue/products";

fn body(update: bool, products: &Value) -> String {
    json!({"update": update, "products": products}).to_string()
}

fn tea(price: u64) -> Value {
    json!({"sku": "A-1", "name": "Tea", "unitPrice": {"amountMinor": price, "currency": "GBP"}})
}

#[tokio::test]
async fn each_is_new_or_changed_or_as_before_or_refused() {
    let node = Scratch::new();
    let first =
        node.post(PATH, &[], &body(false, &json!([tea(255), {"sku": "B 2", "name": "Coffee"}]))).await;
    first.is(200, "");
    let two = json!([{"status": 201, "version": 1}, {"status": 201, "version": 1}]);
    assert_eq!(first.json, json!({"results": two, "created": 2, "changed": 0, "unchanged": 0, "refused": 0}));
    let sequence = node.get("/health/readiness").await.json["durableSequence"].clone();
    let again = node.post(PATH, &[], &body(true, &json!([tea(255), {"sku": "B 2"}]))).await;
    assert_eq!(again.json["unchanged"], 2, "{}", again.text);
    assert_eq!(node.get("/health/readiness").await.json["durableSequence"], sequence, "it left no trace");

    let mixed = json!([tea(295), {"sku": "C-3", "lowStockThreshold": 5}, {"sku": "D-4", "name": "Cocoa"}]);
    let told = node.post(PATH, &[], &body(false, &mixed)).await;
    let results = &told.json["results"];
    assert_eq!((&results[0]["status"], &results[0]["code"]), (&json!(409), &json!("product-differs")));
    assert_eq!((&results[0]["differs"], &results[0]["currentVersion"]), (&json!(["unitPrice"]), &json!(1)));
    assert_eq!((&results[1]["status"], &results[1]["code"]), (&json!(404), &json!("product-not-found")));
    assert_eq!(results[2], json!({"status": 201, "version": 1}));
    assert_eq!(node.get("/products/A-1").await.json["unitPrice"]["amountMinor"], 255);
    let told = node.post(PATH, &[], &body(true, &json!([tea(295)]))).await;
    assert_eq!(
        (&told.json["results"][0], &told.json["changed"]),
        (&json!({"status": 200, "version": 2}), &json!(1))
    );
    let node = node.restart(Setup::default());
    assert_eq!(node.get("/products/A-1").await.json["unitPrice"]["amountMinor"], 295);
    let skus = node.get("/products").await;
    let skus: Vec<&Value> = skus.json["items"].as_array().unwrap().iter().map(|item| &item["sku"]).collect();
    assert_eq!(skus, ["A-1", "B 2", "D-4"]);
    assert_eq!(node.get("/events").await.json["items"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_retry_gets_the_first_answer_again_also_for_rejected_and_unchanged_products() {
    let node = Scratch::new();
    node.post(PATH, &[], &body(false, &json!([tea(255), {"sku": "B 2", "name": "Coffee"}])))
        .await
        .is(200, "");
    let mixed = body(false, &json!([tea(295), {"sku": "B 2"}, {"sku": "D-4", "name": "Cocoa"}]));
    let key = [("idempotency-key", "k-1")];
    let first = node.post(PATH, &key, &mixed).await;
    let node = node.restart(Setup::default());
    let again = node.post(PATH, &key, &mixed).await;
    assert_eq!(again.is(200, "").header("idempotency-replayed"), Some("true"));
    assert_eq!(again.text, first.text);
    node.post(PATH, &key, &body(false, &json!([tea(300)]))).await.is(409, "idempotency-key-reused");
    node.post(PATH, &[("if-match", "1")], &mixed).await.is(400, "invalid-request");
    node.post(PATH, &[], r#"{"products":[]}"#).await.is(400, "invalid-request");
    node.post(PATH, &[], r#"{"products":[{"sku":"A"}],"replace":true}"#).await.is(400, "invalid-request");
}

#[tokio::test]
async fn a_threshold_among_them_is_re_evaluated() {
    let node = Scratch::new();
    node.stock("/stores/PARIS/inventory/A-1", 3).await;
    let line = json!([{"sku": "A-1", "name": "Tea", "lowStockThreshold": 5}]);
    node.post(PATH, &[], &body(false, &line)).await.is(200, "");
    node.node.ledger.expire_due().await.unwrap();
    let alerts = node.get("/alerts").await;
    assert_eq!(alerts.json["items"][0]["sku"], "A-1", "{}", alerts.text);
}
