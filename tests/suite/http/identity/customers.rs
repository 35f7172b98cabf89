//! Customers: they see how much is for sale, and nothing that tells what was sold or is held.

use super::super::reports::CSV;
use super::Chain;
use http::Method;
use serde_json::json;

const LEVEL: &str = "/stores/BERLIN/inventory/TEA";

async fn with_a_hold() -> (Chain, String) {
    let chain = Chain::open().await;
    chain.say(Method::PUT, "/products/TEA", &chain.admin, r#"{"name":"Green tea"}"#).await.is(201, "");
    let reserve = format!("{LEVEL}/reserve");
    chain.say(Method::POST, &reserve, &chain.admin, r#"{"qty":3,"reservationId":"r"}"#).await.is(200, "");
    let (customer, _) = chain.token("service", r#"[{"role":"customer"}]"#).await;
    (chain, customer)
}

#[tokio::test]
async fn they_see_the_sellable_number_of_every_store() {
    let (chain, customer) = with_a_hold().await;
    let level = chain.get(LEVEL, &customer).await;
    assert_eq!(level.is(200, "").json, json!({"storeId": "BERLIN", "sku": "TEA", "qty": 7}));
    assert_eq!(level.header("etag"), None, "the version counts movements");
    let known = [("authorization", &*customer), ("if-none-match", "\"2\"")];
    chain.node.get_with(LEVEL, &known).await.is(200, "");
    let list = chain.get("/stores/BERLIN/inventory", &customer).await;
    let tea = json!({"storeId": "BERLIN", "sku": "TEA", "qty": 7, "name": "Green tea"});
    assert_eq!(list.is(200, "").json, json!({"items": [tea], "nextCursor": null}));
    let stock = chain.get("/stock/current", &customer).await;
    let numbers: Vec<_> = stock.is(200, "").json["items"].as_array().unwrap().iter().collect();
    assert_eq!((numbers[0], numbers.len(), stock.json.get("partial")), (&tea, 3, None));
    assert!(!stock.text.contains("onHand") && !stock.text.contains("version"), "{}", stock.text);
    let one = chain.get("/stock/current?storeId=PARIS&sku=TEA", &customer).await;
    assert_eq!(
        one.json["items"],
        json!([{"storeId": "PARIS", "sku": "TEA", "qty": 10, "name": "Green tea"}])
    );
    let table = chain.node.get_with("/stock/current", &[CSV, ("authorization", &customer)]).await;
    assert_eq!(
        table.text,
        "storeId,sku,name,qty\r\nBERLIN,TEA,Green tea,7\r\nPARIS,TEA,Green tea,10\r\nROME,TEA,Green tea,10\r\n"
    );
    chain.get("/stores/BERLIN/inventory/NONE", &customer).await.is(404, "not-found");
}

#[tokio::test]
async fn they_read_the_catalogue_and_nothing_else() {
    let (chain, customer) = with_a_hold().await;
    for path in ["/products", "/products/TEA", "/products/TEA/history", "/auth/me"] {
        chain.get(path, &customer).await.is(200, "");
    }
    for path in [
        "/stores/BERLIN/inventory/TEA?asOf=1",
        "/stores/BERLIN/inventory/TEA/history",
        "/stores/BERLIN/inventory/TEA/threshold",
        "/stock/movements",
        "/stock/movements/sums",
        "/alerts",
        "/events",
        "/stores",
        "/stores/BERLIN",
        "/central/inventory",
        "/tokens",
    ] {
        chain.get(path, &customer).await.is(403, "forbidden");
    }
    for verb in ["adjust", "reserve"] {
        let path = format!("{LEVEL}/{verb}");
        chain.say(Method::POST, &path, &customer, r#"{"qty":1,"delta":1}"#).await.is(403, "forbidden");
    }
}

#[tokio::test]
async fn one_who_works_in_a_store_sees_all_of_that_store() {
    let (chain, _) = with_a_hold().await;
    let grants = r#"[{"role":"customer"},{"role":"till","stores":["PARIS"]}]"#;
    let (both, _) = chain.token("service", grants).await;
    let paris = chain.get("/stores/PARIS/inventory/TEA", &both).await;
    assert_eq!((&paris.json["onHand"], paris.header("etag")), (&json!(10), Some("\"1\"")));
    chain.get("/stores/PARIS/inventory/TEA?asOf=2", &both).await.is(200, "");
    assert_eq!(chain.get(LEVEL, &both).await.json, json!({"storeId": "BERLIN", "sku": "TEA", "qty": 7}));
    let stock = chain.get("/stock/current", &both).await;
    let stores: Vec<_> =
        stock.json["items"].as_array().unwrap().iter().map(|level| &level["storeId"]).collect();
    assert_eq!(
        (stores, &stock.json["partial"]),
        (vec![&json!("PARIS")], &json!(true)),
        "the stores of the till"
    );
}
