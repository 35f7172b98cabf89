//! The history of an order with its shipments, and its events in the feed.

use super::{Desk, tea, with};
use serde_json::{Value, json};

#[tokio::test]
async fn it_has_every_step_of_the_order_and_of_its_shipments() {
    let desk = Desk::open().await;
    desk.placed(with(tea("o-1", 10), json!({"policy": {"confirm": "auto"}}))).await;
    desk.done("/shipments/o-1.s2/instruct", json!({})).await;
    desk.done("/shipments/o-1.s2/refuse", json!({"reason": "damaged", "note": "wet"})).await;
    desk.done("/shipments/o-1.s1/ship", json!({"lines": [{"line": 1, "qty": 6}]})).await;
    desk.done("/shipments/o-1.s1/cancel", json!({"reason": "enough"})).await;
    desk.done("/shipments/o-1.s1/deliver", json!({})).await;
    let history = desk.node.get("/orders/o-1/history").await;
    let items = history.is(200, "").json["items"].as_array().unwrap();
    let steps: Vec<_> = items
        .iter()
        .map(|item| (item["shipmentId"].as_str().unwrap_or("-"), item["change"].as_str().unwrap()))
        .collect();
    let expected = [
        ("o-1.s1", "held"),
        ("o-1.s2", "held"),
        ("-", "placed"),
        ("-", "confirmed"),
        ("o-1.s2", "instructed"),
        ("o-1.s2", "refused"),
        ("-", "refused"),
        ("o-1.s1", "shipped"),
        ("-", "shipped"),
        ("o-1.s1", "cancelled"),
        ("-", "withdrawn"),
        ("o-1.s1", "delivered"),
        ("-", "delivered"),
    ];
    assert_eq!(steps, expected, "{}", history.text);
    let delta = |item: usize| items[item]["lines"][0]["pieces"].clone();
    assert_eq!(
        [delta(6), delta(8), delta(10), delta(12)],
        [json!({"waiting": 2}), json!({"shipped": 6}), json!({"waiting": 2}), json!({"delivered": 6})]
    );
    assert_eq!(items[5]["pieces"], json!([{"line": 1, "sku": "TEA", "qty": 2}]));
    assert_eq!(
        (&items[5]["refused"], &items[5]["reason"], &items[9]["reason"]),
        (&json!("damaged"), &json!("wet"), &json!("enough"))
    );
    assert!(items.windows(2).all(|pair| pair[0]["sequence"].as_u64() < pair[1]["sequence"].as_u64()));
    assert!(items.iter().all(|item| item["actor"] == "local"));
    desk.node.get("/orders/o-2/history").await.is(404, "order-not-found");
    desk.node.get("/orders/o-1/history?limit=1").await.is(400, "invalid-request");
}

/// Each event has the numbers that the one before it left; the schemas are checked with every page.
#[tokio::test]
async fn the_events_of_the_feed_add_up() {
    let desk = Desk::open().await;
    let order =
        with(tea("o-1", 10), json!({"currency": "EUR", "customerId": "c-1", "shipTo": {"city": "London"}}));
    desk.placed(order).await;
    desk.done(
        "/shipments/o-1.s1/ship",
        json!({"lines": [{"line": 1, "qty": 3}], "carrier": "DHL", "tracking": "1"}),
    )
    .await;
    desk.done("/shipments/o-1.s1/refuse", json!({"reason": "short", "note": "gone"})).await;
    desk.done("/shipments/o-1.s1/deliver", json!({})).await;
    let page = async |kind: &str| {
        desk.node.get(&format!("/events?type={kind}")).await.json["items"].as_array().unwrap().clone()
    };
    for kind in ["ORDER", "SHIPMENT"] {
        let events: Vec<Value> = page(kind).await;
        assert!(events.len() >= 4, "{events:?}");
        let id = |event: &Value| event["payload"]["shipmentId"].clone();
        for (number, event) in events.iter().enumerate() {
            let before = events[..number].iter().rev().find(|other| id(other) == id(event));
            match before {
                Some(before) => assert_eq!(event["before"], before["after"], "{event}"),
                None => assert_eq!(event["before"]["version"], 0, "{event}"),
            }
        }
    }
    let orders = page("ORDER").await;
    let placed = &orders[0]["payload"]["placed"];
    assert_eq!(placed["looked"].as_array().unwrap().len(), 2, "the stores whose levels were looked at");
    assert!(placed["details"]["personal"].is_string() && !placed.to_string().contains("London"), "{placed}");
    let after = &orders.last().unwrap()["after"];
    assert_eq!((&after["shipped"], &after["version"]), (&json!(3), &json!(orders.len())));
}
