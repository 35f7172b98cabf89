//! Many orders at once, and orders with many parts: no piece is held twice, and bounds hold.

use super::super::{Scratch, Setup};
use super::{Desk, Method, pieces, shipments, tea, with};
use futures_util::future::join_all;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn orders_that_want_the_same_pieces_share_what_there_is() {
    let desk = Desk::open().await;
    let answers = join_all((0..24).map(|n| {
        let desk = &desk;
        async move { desk.place(&tea(&format!("o-{n}"), 1)).await }
    }))
    .await;
    let placed = answers.iter().filter(|answer| answer.status == 201).count();
    let refused = answers.iter().filter(|answer| answer.status == 409);
    let codes: Vec<&str> = refused.map(|answer| answer.json["code"].as_str().unwrap()).collect();
    assert!(codes.iter().all(|code| ["insufficient-stock", "plan-stale"].contains(code)), "{codes:?}");
    assert_eq!(placed + codes.len(), 24);
    let held = desk.tea("PARIS").await.1 + desk.tea("BERLIN").await.1;
    assert_eq!(held, i64::try_from(placed).unwrap(), "{codes:?}");
    assert!(placed == 13 || codes.contains(&"plan-stale"), "{placed} of 13");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_order_many_times_at_once_is_one() {
    let desk = Desk::open().await;
    let keys = ["k-1"; 8];
    let unnamed = json!({"lines": [{"sku": "TEA", "qty": 13}]});
    let answers = join_all(keys.map(|key| desk.place_with(key, &unnamed))).await;
    for answer in &answers {
        assert_eq!(
            (answer.status.as_u16(), &answer.json["orderId"]),
            (201, &answers[0].json["orderId"]),
            "{}",
            answer.text
        );
    }
    let desk = Desk::open().await;
    let named = tea("o-1", 13);
    let answers = join_all((0..8).map(|_| desk.place(&named))).await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    assert!(created == 1 && answers.iter().all(|answer| matches!(answer.status.as_u16(), 200 | 201)));
}

#[tokio::test]
async fn an_order_has_at_most_fifty_shipments_under_way() {
    let desk = Desk::of(Scratch::new()).await;
    let stock: Vec<Value> = (0..51)
        .map(|n| json!({"op": "adjust", "storeId": format!("S-{n}"), "sku": "CUP", "delta": 1}))
        .collect();
    desk.done("/inventory/batch", json!({ "operations": stock })).await;
    let cups = |qty: i64| json!({"orderId": "o-1", "lines": [{"sku": "CUP", "qty": qty}]});
    let end = desk.end().await;
    desk.place(&cups(51)).await.is(409, "too-many-shipments");
    assert_eq!(desk.end().await, end, "nothing changed");
    let order = desk.placed(cups(50)).await;
    assert_eq!((pieces(&order), shipments(&order).len()), ([0, 0, 50, 0, 0], 50));
    let order = desk.done("/orders/o-1/status", json!({"status": "SHIPPED"})).await;
    assert_eq!(pieces(&order), [0, 0, 0, 50, 0]);
}

/// What the catalogue says of a product may be long, and an order may have many of them.
#[tokio::test]
async fn an_order_of_long_names_is_kept_and_read_back() {
    let desk = Desk::open().await;
    let name = "\u{1F375}".repeat(256);
    let products: Vec<Value> = (0..200).map(|n| json!({"sku": format!("S-{n}"), "name": name})).collect();
    desk.done("/catalogue/products", json!({ "products": products })).await;
    let stock: Vec<Value> = (0..200)
        .map(|n| json!({"op": "adjust", "storeId": "ROME", "sku": format!("S-{n}"), "delta": 1}))
        .collect();
    desk.done("/inventory/batch", json!({ "operations": stock })).await;
    let lines: Vec<Value> = (0..200).map(|n| json!({"sku": format!("S-{n}"), "qty": 1})).collect();
    let order = desk.placed(json!({"orderId": "o-1", "lines": lines})).await;
    assert_eq!(order["lines"][199]["name"], name);
    let desk = Desk { node: desk.node.restart(Setup::default()) };
    assert_eq!(desk.order("o-1").await, order);
}

/// With `CATALOG_STRICT`, stock is held only of SKUs that the catalogue knows.
#[tokio::test]
async fn a_strict_catalogue_is_strict_about_orders_too() {
    let node = Scratch::open(Setup { strict: true, ..Setup::default() });
    node.say(Method::PUT, "/products/TEA", &[], r#"{"name":"Tea"}"#).await.is(201, "");
    let desk = Desk::of(node).await;
    desk.placed(tea("o-1", 1)).await;
    let later = json!({"policy": {"stock": "none"}});
    desk.placed(with(tea("o-2", 1), later)).await;
    desk.node.delete("/products/TEA").await.is(204, "");
    desk.place(&tea("o-3", 1)).await.is(404, "product-not-found");
    desk.step("/orders/o-2/confirm", json!({})).await.is(404, "product-not-found");
    desk.step("/orders/o-2/status", json!({"status": "CONFIRMED"})).await.is(404, "product-not-found");
    // What is held already is sent, or given up.
    desk.done("/orders/o-1/status", json!({"status": "SHIPPED"})).await;
    desk.done("/orders/o-2/cancel", json!({})).await;
}
