//! Stores over HTTP: they exist by a description, or by their stock.

use super::catalogue::{LONDON, TEA};
use super::{Scratch, Setup};
use http::Method;
use serde_json::json;

#[tokio::test]
async fn a_store_exists_by_its_details_or_its_stock() {
    let node = Scratch::new();
    node.get("/stores/LONDON").await.is(404, "not-found");
    node.stock("/stores/PARIS/inventory/A-1", 3).await;
    node.stock("/stores/PARIS/inventory/B-2", 3).await;
    let made = node.post("/stores", &[], LONDON).await;
    assert_eq!(made.is_at(201, 1).header("location"), Some("/stores/LONDON"));
    assert_eq!(node.post("/stores", &[], LONDON).await.is(409, "store-exists").json["currentVersion"], 1);
    let bare = node.get("/stores/PARIS").await;
    assert_eq!(bare.is_at(200, 0).json, json!({"storeId": "PARIS", "version": 0}));
    let closed = r#"{"name":"London Bridge","kind":"warehouse","active":false}"#;
    node.say(Method::PUT, "/stores/LONDON", &[("if-match", "7")], closed).await.is(409, "version-conflict");
    let now = node.say(Method::PUT, "/stores/LONDON", &[("if-match", "1")], closed).await;
    assert_eq!((now.is_at(200, 2).json.get("address"), &now.json["kind"]), (None, &json!("warehouse")));
    node.say(Method::PUT, "/stores/PARIS", &[], r#"{"name":"Rivoli","kind":"shop"}"#).await.is_at(201, 1);
    node.stock("/stores/ROME/inventory/A-1", 3).await;
    let node = node.restart(Setup::default());
    let list = node.get("/stores").await;
    assert_eq!(list.all("storeId"), ["LONDON", "PARIS", "ROME"]);
    assert_eq!(list.json["items"][2], json!({"storeId": "ROME", "version": 0}));
    let page = node.get("/stores?limit=2").await;
    let next = page.json["nextCursor"].as_str().unwrap();
    assert_eq!(page.all("storeId"), ["LONDON", "PARIS"]);
    assert_eq!(node.get(&format!("/stores?limit=2&cursor={next}")).await.all("storeId"), ["ROME"]);
    node.get_with("/stores/LONDON", &[("if-none-match", "\"2\"")]).await.is(304, "");
    node.post("/products", &[], TEA).await.is(201, "");
    let shelves = node.get("/stores/PARIS/inventory").await;
    let named: Vec<_> = shelves.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (&item["sku"], item.get("name")))
        .collect();
    assert_eq!(named, [(&json!("A-1"), Some(&json!("Green tea 250 g"))), (&json!("B-2"), None)]);
}

/// A store without a kind is a shop; a retry may state the kind, as it is the same request.
#[tokio::test]
async fn a_store_is_a_shop_by_default() {
    let node = Scratch::new();
    let key = [("idempotency-key", "s-1")];
    let made = node.post("/api/stores", &key, r#"{"storeId":"ROME","name":"Rome"}"#).await;
    assert_eq!(made.is_at(201, 1).json["kind"], "shop");
    for again in [r#"{"storeId":"ROME","name":"Rome"}"#, r#"{"storeId":"ROME","name":"Rome","kind":"shop"}"#]
    {
        assert_eq!(
            node.post("/stores", &key, again).await.is(201, "").header("idempotency-replayed"),
            Some("true")
        );
    }
    let other = r#"{"storeId":"ROME","name":"Rome","kind":"warehouse"}"#;
    node.post("/stores", &key, other).await.is(409, "idempotency-key-reused");
    node.post("/stores", &[], r#"{"storeId":"OSLO","name":"Oslo","kind":null}"#)
        .await
        .is(400, "invalid-request");
}
