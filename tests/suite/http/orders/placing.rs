//! Orders that are placed: their ids, stores, amounts, and what is held for them.

use super::{Desk, pieces, shipments, tea, with};
use http::StatusCode;
use serde_json::json;

#[tokio::test]
async fn an_order_is_placed_and_its_pieces_are_held_in_one_change() {
    let desk = Desk::open().await;
    let placed = desk.place(&tea("o-1", 3)).await;
    placed.is(201, "");
    assert_eq!((placed.header("location"), placed.header("etag")), (Some("/orders/o-1"), Some("\"1\"")));
    let order = &placed.json;
    assert_eq!((&order["status"], &order["allocation"]), (&json!("PLACED"), &json!("complete")));
    assert_eq!((pieces(order), shipments(order)), ([0, 0, 3, 0, 0], vec![("PARIS", "held", 3, 0)]));
    assert_eq!(order["shipments"][0]["shipmentId"], "o-1.s1");
    assert_eq!((order["version"].clone(), order.get("total")), (json!(1), None));
    assert_eq!((desk.tea("PARIS").await, desk.tea("BERLIN").await), ((8, 3), (5, 0)));
    let read = desk.node.get("/orders/o-1").await;
    assert_eq!((read.text.as_str(), read.header("etag")), (placed.text.as_str(), Some("\"1\"")));
    let known = desk.node.get_with("/api/orders/o-1", &[("if-none-match", "\"1\"")]).await;
    assert_eq!((known.status, known.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
    let shipment = desk.node.get("/shipments/o-1.s1").await;
    assert_eq!((&shipment.json["storeId"], shipment.header("etag")), (&json!("PARIS"), Some("\"1\"")));
    // Level, shipment and order moved in one entry: their events follow each other, at one time.
    let events = desk.node.get("/events?after=2").await;
    let moved: Vec<_> = events.json["items"].as_array().unwrap().iter().collect();
    let kinds: Vec<_> = moved.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["RESERVE", "SHIPMENT", "ORDER"]);
    assert!(moved.iter().all(|event| event["requestId"] == moved[0]["requestId"]));
    assert_eq!(moved[0]["payload"]["reservationId"], "o-1.s1");
    desk.node.get("/orders/o-2").await.is(404, "order-not-found");
    desk.node.get("/orders/plan").await.is(405, "method-not-allowed");
    desk.node.get("/shipments/o-1.s2").await.is(404, "shipment-not-found");
    desk.node.get("/shipments/o-1").await.is(400, "invalid-request");
}

#[tokio::test]
async fn an_id_is_that_of_the_caller_that_of_a_channel_or_a_new_one() {
    let desk = Desk::open().await;
    let lines = json!({"lines": [{"bookId": "TEA", "quantity": 1}]});
    let own = desk.placed(lines.clone()).await;
    assert!(own["orderId"].as_str().is_some_and(|id| id.len() == 38 && id.starts_with("o-")), "{own}");
    let other = desk.placed(lines.clone()).await;
    assert_ne!(own["orderId"], other["orderId"]);
    for (external, id) in [
        ("4711", "web.4711"),
        ("4711/2", "web.4711_2f2"),
        ("a_b.c", "web.a_5fb_2ec"),
        ("\u{e9}", "web._c3_a9"),
    ] {
        let body = with(lines.clone(), json!({"channelId": "web", "externalId": external}));
        let order = desk.placed(body).await;
        assert_eq!((order["orderId"].as_str(), order["externalId"].as_str()), (Some(id), Some(external)));
        assert_eq!(desk.order(id).await["channelId"], "web");
    }
    let longest = "x".repeat(58);
    assert_eq!(desk.placed(tea(&longest, 1)).await["shipments"][0]["shipmentId"], format!("{longest}.s1"));
    desk.node.get(&format!("/shipments/{longest}.s1")).await.is(200, "");
}

#[tokio::test]
async fn the_stores_are_chosen_by_the_rules_or_by_the_caller() {
    let desk = Desk::open().await;
    let here = desk.placed(with(tea("o-1", 2), json!({"storeId": "BERLIN"}))).await;
    assert_eq!(shipments(&here), [("BERLIN", "held", 2, 0)]);
    let rules = json!({"rules": {"ranks": ["priority"], "stores": {"BERLIN": {"priority": 1}, "PARIS": {"priority": 2}}}});
    let ranked = desk.placed(with(tea("o-2", 2), rules)).await;
    assert_eq!(shipments(&ranked), [("BERLIN", "held", 2, 0)]);
    // One piece is left in BERLIN, eight in PARIS: nine need both. Two lines of one SKU are served in their order.
    let lines = json!({"orderId": "o-3", "lines": [{"sku": "TEA", "qty": 4}, {"sku": "TEA", "qty": 5}]});
    let both = desk.placed(lines).await;
    let sent: Vec<_> = both["shipments"].as_array().unwrap().iter().map(|one| &one["lines"]).collect();
    let line = |line: i64, qty: i64| json!({"line": line, "sku": "TEA", "qty": qty, "held": qty, "shipped": 0, "delivered": 0});
    assert_eq!(sent, [&json!([line(1, 4), line(2, 4)]), &json!([line(2, 1)])], "{both}");
    assert_eq!((desk.tea("PARIS").await, desk.tea("BERLIN").await), ((8, 8), (5, 5)));
    desk.place(&with(tea("o-4", 1), json!({"storeId": "NOWHERE"}))).await.is(409, "insufficient-stock");
}

#[tokio::test]
async fn amounts_are_added_up_in_minor_units() {
    let desk = Desk::open().await;
    let lines = json!([
        {"sku": "TEA", "qty": 3, "unitPrice": 350, "discount": 50, "tax": 190, "name": "Green tea"},
        {"sku": "TEA", "qty": 1, "unitPrice": 0},
    ]);
    let order = desk.placed(json!({"orderId": "o-1", "currency": "EUR", "lines": lines})).await;
    assert_eq!((&order["lines"][0]["amount"], &order["lines"][1]["amount"]), (&json!(1190), &json!(0)));
    assert_eq!((&order["total"], &order["currency"]), (&json!(1190), &json!("EUR")));
    assert_eq!((&order["lines"][0]["name"], order["lines"][1].get("name")), (&json!("Green tea"), None));
    let part = json!([{"sku": "TEA", "qty": 1, "unitPrice": 350}, {"sku": "TEA", "qty": 1}]);
    let order = desk.placed(json!({"orderId": "o-2", "currency": "EUR", "lines": part})).await;
    assert_eq!((order.get("total"), order["lines"][1].get("amount")), (None, None), "a line has no price");
}
