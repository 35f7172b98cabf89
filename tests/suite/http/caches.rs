//! Which answers may be cached, and by which caches.

use super::Scratch;

const LEVEL: &str = "/stores/S1/inventory/A-1";

#[tokio::test]
async fn only_answers_with_a_version_may_be_cached() {
    let node = Scratch::new();
    node.post("/products", &[], r#"{"sku":"A-1","name":"Tea"}"#).await.is(201, "");
    node.stock(LEVEL, 5).await;
    let known = [("if-none-match", "\"1\"")];
    for (path, headers, cache) in [
        (LEVEL, &[][..], "private, no-cache"),
        (LEVEL, &known, "private, no-cache"),
        ("/products/A-1", &[], "private, no-cache"),
        ("/products/A-1", &known, "private, no-cache"),
        ("/products/A-2", &[], "no-store"),
        ("/products", &[], "no-store"),
        ("/stores/S1/inventory", &[], "no-store"),
        ("/stock/current", &[], "no-store"),
        ("/events", &[], "no-store"),
        ("/nowhere", &[], "no-store"),
    ] {
        let answer = node.get_with(path, headers).await;
        assert_eq!(answer.header("cache-control"), Some(cache), "{path} {headers:?}");
    }
    let sold = node.post("/stock/sale", &[], r#"{"storeId":"S1","sku":"A-1","quantity":1}"#).await;
    assert_eq!(sold.is(200, "").header("cache-control"), Some("no-store"));
}
