//! The status of a whole order: every step from every status.

use super::{Desk, pieces, shipments, tea, with};
use serde_json::{Value, json};

/// Ways to come to a status, and to one in which pieces wait.
const FROM: [&str; 7] = [
    "PLACED",
    "PLACED and waiting",
    "CONFIRMED",
    "CONFIRMED and waiting",
    "SHIPPED",
    "DELIVERED",
    "CANCELLED",
];

const TO: [&str; 5] = ["PLACED", "CONFIRMED", "SHIPPED", "DELIVERED", "CANCELLED"];

/// What each step comes to: the status by then, or the refusal. `=` changes nothing.
const TABLE: [[&str; 5]; 7] = [
    ["=", "CONFIRMED", "SHIPPED", "illegal-transition", "CANCELLED"],
    ["=", "insufficient-stock", "not-allotted", "illegal-transition", "CANCELLED"],
    ["illegal-transition", "=", "SHIPPED", "illegal-transition", "CANCELLED"],
    ["illegal-transition", "=", "not-allotted", "illegal-transition", "CANCELLED"],
    ["illegal-transition", "illegal-transition", "=", "DELIVERED", "already-shipped"],
    ["illegal-transition", "illegal-transition", "illegal-transition", "=", "illegal-transition"],
    ["illegal-transition", "illegal-transition", "illegal-transition", "illegal-transition", "="],
];

/// What can follow, as a refusal names it.
fn allowed(from: &str) -> Value {
    match from.split(' ').next().unwrap() {
        "PLACED" => json!(["CONFIRMED", "SHIPPED", "CANCELLED"]),
        "CONFIRMED" => json!(["SHIPPED", "CANCELLED"]),
        "SHIPPED" => json!(["DELIVERED"]),
        _ => json!([]),
    }
}

/// Brings a new order to a status.
async fn come_to(desk: &Desk, id: &str, from: &str) {
    let status = async |status: &str| {
        desk.done(&format!("/orders/{id}/status"), json!({ "status": status })).await;
    };
    let waits = from.ends_with("waiting");
    if waits {
        // Without a plan everything waits, and then there is not enough.
        let policy = if from.starts_with("PLACED") {
            json!({"stock": "none"})
        } else {
            json!({"partial": "backorder", "confirm": "auto"})
        };
        desk.placed(with(tea(id, 1_000), json!({ "policy": policy }))).await;
    } else {
        desk.placed(tea(id, 2)).await;
    }
    match from {
        "CONFIRMED" | "SHIPPED" | "CANCELLED" => status(from).await,
        "DELIVERED" => {
            status("SHIPPED").await;
            status("DELIVERED").await;
        }
        _ => {}
    }
    assert!(from.starts_with(desk.order(id).await["status"].as_str().unwrap()), "{from}");
}

#[tokio::test]
async fn every_status_follows_those_it_may_follow_and_no_other() {
    let desk = Desk::open().await;
    desk.node.stock("/stores/ROME/inventory/TEA", 500).await;
    let mut others = Vec::new();
    for (from, row) in FROM.into_iter().zip(TABLE) {
        for (to, expected) in TO.into_iter().zip(row) {
            let id = format!("{from}-{to}").replace(' ', "_");
            come_to(&desk, &id, from).await;
            let (before, end) = (desk.order(&id).await, desk.end().await);
            let path = format!("/orders/{id}/status");
            let answer = desk.step(&path, json!({"status": to})).await;
            let told = format!("{from} to {to}: {}", answer.text);
            let good = expected == "=" || expected == to;
            let outcome = json!([answer.status.as_u16(), answer.json[if good { "status" } else { "code" }]]);
            if outcome != (if good { json!([200, to]) } else { json!([409, expected]) }) {
                others.push(told);
                continue;
            }
            let changed = (desk.order(&id).await, desk.end().await) != (before, end);
            assert_eq!(changed, expected == to, "{told}");
            if expected == "illegal-transition" {
                let status = from.split(' ').next().unwrap();
                let named = json!([answer.json["from"], answer.json["to"], answer.json["allowed"]]);
                assert_eq!(named, json!([status, to, allowed(from)]), "{told}");
            }
            // Nothing stays held that the next order would miss.
            desk.step(&path, json!({"status": "CANCELLED"})).await;
        }
    }
    assert!(others.is_empty(), "{others:#?}");
}

#[tokio::test]
async fn patch_and_the_addresses_of_single_steps_do_the_same() {
    let desk = Desk::open().await;
    desk.placed(tea("o-1", 2)).await;
    let patched =
        desk.node.say(super::Method::PATCH, "/orders/o-1/status", &[], r#"{"status":"CONFIRMED"}"#).await;
    assert_eq!(patched.is(200, "").json["status"], "CONFIRMED");
    let end = desk.end().await;
    assert_eq!(desk.done("/orders/o-1/confirm", json!({})).await["status"], "CONFIRMED");
    assert_eq!(desk.end().await, end);
    let cancelled = desk.done("/orders/o-1/cancel", json!({"reason": "twice"})).await;
    assert_eq!((&cancelled["status"], pieces(&cancelled)), (&json!("CANCELLED"), [2, 0, 0, 0, 0]));
    desk.step("/orders/o-1/confirm", json!({})).await.is(409, "illegal-transition");
    desk.step("/orders/o-1/allot", json!({})).await.is(409, "illegal-transition");
    desk.step("/orders/none/status", json!({"status": "SHIPPED"})).await.is(404, "order-not-found");
    for path in ["confirm", "cancel", "allot"] {
        desk.step(&format!("/orders/none/{path}"), json!({})).await.is(404, "order-not-found");
    }
}

#[tokio::test]
async fn what_is_cancelled_is_for_sale_again() {
    let desk = Desk::open().await;
    desk.placed(with(tea("o-1", 15), json!({"policy": {"partial": "backorder"}}))).await;
    assert_eq!((desk.tea("PARIS").await, desk.tea("BERLIN").await), ((8, 8), (5, 5)));
    let order = desk.done("/orders/o-1/cancel", json!({"reason": "a mistake"})).await;
    assert_eq!((pieces(&order), &order["allocation"]), ([15, 0, 0, 0, 0], &json!("complete")));
    assert_eq!(shipments(&order), [("PARIS", "cancelled", 0, 0), ("BERLIN", "cancelled", 0, 0)]);
    assert_eq!(order["shipments"][0]["reason"], "a mistake");
    assert_eq!((desk.tea("PARIS").await, desk.tea("BERLIN").await), ((8, 0), (5, 0)));
}

#[tokio::test]
async fn what_is_shipped_leaves_every_store_at_once_and_confirms_the_order() {
    let desk = Desk::open().await;
    desk.placed(tea("o-1", 10)).await;
    let carrier = json!({"status": "SHIPPED", "carrier": "DHL", "tracking": "JD-1"});
    let order = desk.done("/orders/o-1/status", carrier).await;
    assert_eq!((&order["status"], pieces(&order)), (&json!("SHIPPED"), [0, 0, 0, 10, 0]));
    assert_eq!(shipments(&order), [("PARIS", "shipped", 0, 8), ("BERLIN", "shipped", 0, 2)]);
    assert!(
        order["shipments"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["carrier"] == "DHL" && one["tracking"] == "JD-1")
    );
    assert_eq!((desk.tea("PARIS").await, desk.tea("BERLIN").await), ((0, 0), (3, 0)));
    let history = desk.node.get("/orders/o-1/history").await.json;
    let changes: Vec<_> =
        history["items"].as_array().unwrap().iter().map(|item| item["change"].as_str().unwrap()).collect();
    assert!(changes.contains(&"confirmed"), "{changes:?}");
    let order = desk.done("/orders/o-1/status", json!({"status": "DELIVERED"})).await;
    assert_eq!((&order["status"], pieces(&order)), (&json!("DELIVERED"), [0, 0, 0, 10, 10]));
    assert_eq!(order["shipments"][1]["state"], "delivered");
}
