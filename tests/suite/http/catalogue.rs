//! Products over HTTP, and stores beside them: described, changed, listed, removed; and their effect on stock.

use super::{Answer, Scratch, Setup, request};
use axum::body::Body;
use http::Method;
use serde_json::{Value, json};

pub(super) const TEA: &str = r#"{"sku":"A-1","name":"Green tea 250 g","category":"tea","unitPrice":{"amountMinor":1250,"currency":"GBP"},"barcode":"5012345678900","lowStockThreshold":5}"#;
pub(super) const LONDON: &str = r#"{"storeId":"LONDON","name":"London Bridge","kind":"shop","address":"1 Tooley Street","timeZone":"Europe/London"}"#;

impl Answer {
    #[track_caller]
    pub(super) fn is_at(&self, status: u16, version: u64) -> &Self {
        self.is(status, "");
        assert_eq!(self.json["version"], version, "{}", self.text);
        assert_eq!(self.header("etag"), Some(format!("\"{version}\"").as_str()));
        self
    }

    pub(super) fn all(&self, member: &str) -> Vec<&str> {
        self.json["items"].as_array().unwrap().iter().map(|item| item[member].as_str().unwrap()).collect()
    }
}

#[tokio::test]
async fn a_product_from_its_description_to_its_end() {
    let node = Scratch::new();
    node.get("/products/A-1").await.is(404, "product-not-found");
    let made = node.post("/products", &[], TEA).await;
    assert_eq!(made.is_at(201, 1).header("location"), Some("/products/A-1"));
    assert_eq!(made.json["active"], true);
    let known = node.post("/products", &[], TEA).await;
    assert_eq!(known.is(409, "product-exists").json["currentVersion"], 1);
    let patch = r#"{"barcode":null,"unitPrice":{"amountMinor":1350,"currency":"GBP"}}"#;
    let types = [("content-type", "application/merge-patch+json"), ("if-match", "\"1\"")];
    let patched =
        node.send(request(Method::PATCH, "/products/A-1", &types, Body::from(patch.to_owned()))).await;
    patched.is_at(200, 2);
    assert_eq!(
        (&patched.json["unitPrice"]["amountMinor"], patched.json.get("barcode")),
        (&json!(1350), None)
    );
    assert_eq!(patched.json["name"], "Green tea 250 g", "what a patch leaves out stays");
    let stale = node.say(Method::PUT, "/products/A-1", &[("if-match", "1")], r#"{"name":"Tea"}"#).await;
    assert_eq!(stale.is(409, "version-conflict").header("etag"), Some("\"2\""));
    let body = r#"{"name":"Tea","active":false,"expectedVersion":2}"#;
    let replaced = node.say(Method::PUT, "/products/A-1", &[], body).await;
    replaced.is_at(200, 3);
    assert_eq!((replaced.json.get("category"), &replaced.json["active"]), (None, &json!(false)));
    node.get_with("/products/A-1", &[("if-none-match", "\"3\"")]).await.is(304, "");
    node.delete("/products/A-1").await.is(204, "");
    node.get("/products/A-1").await.is(404, "product-not-found");
    node.delete("/products/A-1").await.is(404, "product-not-found");
    node.say(Method::PATCH, "/products/A-1", &[], "{}").await.is(404, "product-not-found");
    let node = node.restart(Setup::default());
    let then = node.get("/products/A-1/history").await;
    let names: Vec<&Value> =
        then.json["items"].as_array().unwrap().iter().map(|item| &item["product"]["name"]).collect();
    assert_eq!(names, [&json!("Green tea 250 g"), &json!("Green tea 250 g"), &json!("Tea"), &Value::Null]);
    let page = node.get("/products/A-1/history?limit=3").await;
    let next = page.json["nextCursor"].as_str().unwrap();
    let rest = node.get(&format!("/products/A-1/history?limit=3&cursor={next}")).await;
    assert_eq!(rest.json["items"][0]["version"], 4);
    node.get("/products/A-2/history").await.is(404, "product-not-found");
    // A removed product has version 0 for a client that describes it again, and continues from its last version.
    let again = node.post("/products", &[("if-match", "0")], TEA).await;
    assert_eq!(again.is_at(201, 5).header("location"), Some("/products/A-1"));
    node.say(Method::PUT, "/products/BANK%20CHARGES", &[], r#"{"name":"Bank charges"}"#).await.is_at(201, 1);
}

#[tokio::test]
async fn a_retry_gets_the_first_answer_again() {
    let node = Scratch::new();
    let key = [("idempotency-key", "k-1"), ("if-match", "0")];
    let first = node.post("/products", &key, TEA).await;
    let again = node.post("/products", &key, TEA).await;
    assert_eq!(again.is_at(201, 1).header("idempotency-replayed"), Some("true"));
    assert_eq!(again.text, first.text);
    node.post("/products", &key, &TEA.replace("250", "500")).await.is(409, "idempotency-key-reused");
    node.say(Method::PATCH, "/products/A-1", &[("idempotency-key", "k-1")], r#"{"active":false}"#)
        .await
        .is_at(200, 2);
    let delete = |key: &'static str| {
        request(Method::DELETE, "/products/A-1", &[("idempotency-key", key)], Body::empty())
    };
    node.send(delete("k-2")).await.is(204, "");
    let node = node.restart(Setup::default());
    assert_eq!(node.send(delete("k-2")).await.is(204, "").header("idempotency-replayed"), Some("true"));
    node.send(delete("k-3")).await.is(404, "product-not-found");
    let store = node.post("/stores", &[("idempotency-key", "k-1")], LONDON).await;
    store.is_at(201, 1);
    let again = node.post("/stores", &[("idempotency-key", "k-1")], LONDON).await;
    assert_eq!((again.header("idempotency-replayed"), &again.text), (Some("true"), &store.text));
}

#[tokio::test]
async fn lists_show_the_latest_change() {
    let node = Scratch::new();
    for (sku, name, category, active) in [
        ("C-3", "Coffee, ground", "coffee", true),
        ("A-1", "Green TEA", "tea", true),
        ("B 2", "Black tea", "tea", false),
        ("D-4", "Teapot, Émaillé", "pots", true),
    ] {
        let body = json!({"sku": sku, "name": name, "category": category, "active": active}).to_string();
        node.post("/products", &[], &body).await.is(201, "");
    }
    for (query, skus) in [
        ("", vec!["A-1", "B 2", "C-3", "D-4"]),
        ("?search=tea", vec!["A-1", "B 2", "D-4"]),
        ("?search=TEA+green", vec!["A-1"]),
        ("?search=%C3%A9maill%C3%A9", vec!["D-4"]),
        ("?search=b+2", vec!["B 2"]),
        ("?category=tea", vec!["A-1", "B 2"]),
        ("?category=Tea", vec![]),
        ("?active=true&search=tea", vec!["A-1", "D-4"]),
        ("?active=false", vec!["B 2"]),
        ("?search=nothing", vec![]),
    ] {
        assert_eq!(node.get(&format!("/products{query}")).await.all("sku"), skus, "{query}");
    }
    let page = node.get("/products?limit=1&category=tea").await;
    assert_eq!(page.all("sku"), ["A-1"]);
    assert!(page.header("link").is_some_and(|link| link.contains("category=tea")), "{:?}", page.headers);
    let next = page.json["nextCursor"].as_str().unwrap();
    let rest = node.get(&format!("/products?limit=1&category=tea&cursor={next}")).await;
    assert_eq!((rest.all("sku"), &rest.json["nextCursor"]), (vec!["B 2"], &Value::Null));
    node.say(Method::PATCH, "/products/C-3", &[], r#"{"name":"Tea after all"}"#).await.is(200, "");
    node.delete("/products/A-1").await.is(204, "");
    assert_eq!(node.get("/products?search=tea").await.all("sku"), ["B 2", "C-3", "D-4"]);
    let node = node.restart(Setup::default());
    assert_eq!(node.get("/products?search=tea").await.all("sku"), ["B 2", "C-3", "D-4"]);
    node.get("/products?active=yes").await.is(400, "invalid-request");
    node.get("/products?colour=green").await.is(400, "invalid-request");
}

#[tokio::test]
async fn invalid_details_are_rejected_with_their_position() {
    let node = Scratch::new();
    for (path, body, place) in [
        ("/products", r#"{"name":"Tea"}"#, "/sku"),
        ("/products", r#"{"sku":"A-1"}"#, ""),
        ("/products", r#"{"sku":"A-1","name":""}"#, "/name"),
        ("/products", r#"{"sku":"A-1","name":"Tea","category":""}"#, "/category"),
        ("/products", r#"{"sku":"A-1","name":"Tea","category":null}"#, "/category"),
        ("/products", r#"{"sku":"A-1","name":"Tea","barcode":"a\nb"}"#, "/barcode"),
        ("/products", r#"{"sku":"A-1","name":"Tea","lowStockThreshold":-1}"#, "/lowStockThreshold"),
        (
            "/products",
            r#"{"sku":"A-1","name":"Tea","unitPrice":{"amountMinor":12.5,"currency":"GBP"}}"#,
            "/unitPrice/amountMinor",
        ),
        (
            "/products",
            r#"{"sku":"A-1","name":"Tea","unitPrice":{"amountMinor":-1,"currency":"GBP"}}"#,
            "/unitPrice/amountMinor",
        ),
        (
            "/products",
            r#"{"sku":"A-1","name":"Tea","unitPrice":{"amountMinor":9007199254740992,"currency":"GBP"}}"#,
            "/unitPrice/amountMinor",
        ),
        (
            "/products",
            r#"{"sku":"A-1","name":"Tea","unitPrice":{"amountMinor":1,"currency":"gbp"}}"#,
            "/unitPrice/currency",
        ),
        ("/products", r#"{"sku":"A-1","name":"Tea","price":1}"#, "/price"),
        ("/stores", r#"{"name":"London","kind":"shop"}"#, "/storeId"),
        ("/stores", r#"{"storeId":"L","name":"London","kind":"kiosk"}"#, "/kind"),
        ("/stores", r#"{"storeId":"L","name":"London","kind":"shop","timeZone":"Lon don"}"#, "/timeZone"),
        ("/stores", r#"{"storeId":"L O","name":"London","kind":"shop"}"#, "/storeId"),
    ] {
        let answer = node.post(path, &[], body).await;
        assert_eq!(
            answer.is(400, "invalid-request").json["errors"][0]["pointer"],
            place,
            "{body}: {}",
            answer.text
        );
    }
    for (method, path, body, place) in [
        (Method::PUT, "/products/A-1", r#"{"sku":"A-2","name":"Tea"}"#, "/sku"),
        (Method::PUT, "/stores/L", r#"{"name":"London"}"#, "/kind"),
        (Method::PUT, "/stores/L", r#"{"storeId":"M","name":"London","kind":"shop"}"#, "/storeId"),
        (Method::PATCH, "/products/A-1", r#"{"name":null}"#, "/name"),
        (Method::PATCH, "/products/A-1", r#"{"category":""}"#, "/category"),
        (Method::PATCH, "/products/A-1", r#"{"unitPrice":{"amountMinor":1}}"#, "/unitPrice"),
    ] {
        let answer = node.say(method, path, &[], body).await;
        assert_eq!(
            answer.is(400, "invalid-request").json["errors"][0]["pointer"],
            place,
            "{body}: {}",
            answer.text
        );
    }
    let merge = [("content-type", "application/merge-patch+json")];
    let wrong = request(Method::PUT, "/products/A-1", &merge, Body::from(r#"{"name":"Tea"}"#));
    node.send(wrong).await.is(415, "unsupported-media-type");
    assert_eq!(node.get("/events").await.json["items"], json!([]), "nothing of it was written");
}

#[tokio::test]
async fn the_feed_has_catalogue_events_and_central_skips_them() {
    let node = Scratch::with_worker(Vec::new());
    node.post("/products", &[], TEA).await.is(201, "");
    node.post("/stores", &[], LONDON).await.is(201, "");
    node.stock("/stores/LONDON/inventory/A-1", 3).await;
    node.delete("/products/A-1").await.is(204, "");
    let feed = node.get("/events").await;
    assert_eq!(feed.all("type"), ["PRODUCT", "STORE", "ADJUST", "ALERT", "PRODUCT"]);
    let items = &feed.json["items"];
    assert_eq!((&items[0]["before"], &items[0]["after"]), (&json!({"version": 0}), &json!({"version": 1})));
    assert_eq!(items[0]["payload"]["product"]["unitPrice"]["amountMinor"], 1250);
    assert_eq!(items[4]["payload"], json!({"sku": "A-1"}));
    assert_eq!(node.get("/events?type=PRODUCT").await.json["items"].as_array().unwrap().len(), 2);
    let pass = node.post("/sync", &[], "").await;
    assert_eq!((&pass.json["deadLettered"], &pass.json["lag"]), (&json!(0), &json!(0)), "{}", pass.text);
    assert_eq!(node.get("/central/inventory/A-1").await.json["total"]["qty"], 3);
}
