//! `CATALOG_STRICT`: stock only of SKUs in the catalogue, in one process and among several.

use super::api::Api;
use super::process::{Node, verify};
use serde_json::{Value, json};
use tempfile::TempDir;

const TEA: &str = "/stores/BERLIN/inventory/TEA";

async fn describe(api: &Api, sku: &str) {
    api.post("/products", &[], &json!({"sku": sku, "name": format!("{sku} of the house")})).await.is(201, "");
}

async fn adjust(api: &Api, delta: i64) -> (u16, Value) {
    let reply = api.post(&format!("{TEA}/adjust"), &[], &json!({"delta": delta})).await;
    let code = serde_json::from_str::<Value>(&reply.text).unwrap()["code"].clone();
    (reply.status, code)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_skus_of_the_catalogue_are_accepted() {
    let directory = TempDir::new().unwrap();
    let lax = Node::start(directory.path(), &[]);
    let api = Api::of(&lax);
    assert_eq!(adjust(&api, 5).await.0, 200, "without the setting everything may have stock");
    lax.stop();
    let node = Node::start(directory.path(), &["--catalog-strict"]);
    let api = Api::of(&node);
    let unknown = (404, json!("product-not-found"));
    assert_eq!(adjust(&api, 5).await, unknown);
    assert_eq!(adjust(&api, -1).await.0, 200, "what is there may go");
    let door = json!({"storeId": "BERLIN", "sku": "TEA", "quantity": 1});
    api.post("/stock/add", &[], &door).await.is(404, "product-not-found");
    api.post("/stock/sale", &[], &door).await.is(200, "");
    describe(&api, "TEA").await;
    assert_eq!(adjust(&api, 5).await.0, 200);
    let operation = |sku: &str| json!({"op": "adjust", "storeId": "BERLIN", "sku": sku, "delta": 1});
    let body = json!({"atomic": false, "operations": [operation("TEA"), operation("POT")]});
    let reply = api.post("/inventory/batch", &[], &body).await;
    let results: Value = serde_json::from_str(&reply.is(200, "").text).unwrap();
    let statuses = [0, 1].map(|place| results["results"][place]["status"].as_u64().unwrap());
    assert_eq!(statuses, [200, 404], "{}", reply.text);
    node.stop();
    // After a start a listed SKU is still listed, and a removed one is not.
    let node = Node::start(directory.path(), &["--catalog-strict=true"]);
    let api = Api::of(&node);
    assert_eq!(adjust(&api, 1).await.0, 200);
    let gone = api.try_send(http::Method::DELETE, "/products/TEA", &[], Vec::new()).await.unwrap();
    gone.is(204, "");
    assert_eq!(adjust(&api, 1).await, unknown);
    node.stop();
    verify(directory.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_described_at_one_process_is_accepted_at_another_at_once() {
    let directory = TempDir::new().unwrap();
    let options = ["--locks-enabled", "--catalog-strict"];
    let one = Node::start(directory.path(), &options);
    let other = Node::start(directory.path(), &options);
    let (here, there) = (Api::of(&one), Api::of(&other));
    assert_eq!(adjust(&there, 1).await.0, 404);
    for _ in 0..10 {
        describe(&here, "TEA").await;
        assert_eq!(adjust(&there, 1).await.0, 200, "said before it was asked for");
        let gone = here.try_send(http::Method::DELETE, "/products/TEA", &[], Vec::new()).await.unwrap();
        gone.is(204, "");
        assert_eq!(adjust(&here, 1).await.0, 404);
    }
    one.stop();
    other.stop();
    verify(directory.path());
}
