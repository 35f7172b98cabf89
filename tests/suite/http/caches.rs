//! What may be kept of an answer, and by whom.

use super::Scratch;

const LEVEL: &str = "/stores/S1/inventory/A-1";

#[tokio::test]
async fn what_may_be_kept_is_what_can_be_asked_for_again() {
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
