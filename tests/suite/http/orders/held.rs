//! The reservations of shipments: the public routes of stock leave them alone.

use super::{Desk, tea};
use serde_json::{Value, json};

const LEVEL: &str = "/stores/PARIS/inventory/TEA";

#[tokio::test]
async fn they_are_moved_by_the_routes_of_shipments_alone() {
    let desk = Desk::open().await;
    desk.placed(tea("o-1", 4)).await;
    let end = desk.end().await;
    for (verb, body) in [
        ("reserve", json!({"qty": 1, "reservationId": "o-1.s1"})),
        ("reserve", json!({"qty": 1, "reservationId": "o-1.s2"})),
        ("release", json!({"reservationId": "o-1.s1"})),
        ("release", json!({"reservationId": "o-1.s1", "qty": 1})),
        ("commit", json!({"reservationId": "o-1.s1"})),
        ("commit", json!({"reservationId": "o-1.s1", "qty": 1, "closeRemainder": true})),
    ] {
        let answer = desk.step(&format!("{LEVEL}/{verb}"), body.clone()).await;
        answer.is(409, "held-by-shipment");
        let id = body["reservationId"].as_str().unwrap();
        let detail = answer.json["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("/shipments/{id}/")), "{detail}");
    }
    assert_eq!((desk.end().await, desk.tea("PARIS").await), (end, (8, 4)), "nothing changed");
    // Names that only look alike are those of others.
    for id in ["o-1.s", "o-1.sx", "o-1s1", ".s1"] {
        desk.done(&format!("{LEVEL}/reserve"), json!({"qty": 1, "reservationId": id})).await;
        desk.done(&format!("{LEVEL}/release"), json!({"reservationId": id})).await;
    }
    // What is not held is still sold, counted and taken off; what is held stays.
    desk.done("/stock/sale", json!({"storeId": "PARIS", "sku": "TEA", "quantity": 4})).await;
    desk.step(&format!("{LEVEL}/adjust"), json!({"delta": -1})).await.is(409, "insufficient-stock");
    desk.step(&format!("{LEVEL}/count"), json!({"counted": 3})).await.is(409, "insufficient-stock");
    desk.done("/shipments/o-1.s1/ship", json!({})).await;
    assert_eq!(desk.tea("PARIS").await, (0, 0));
}

#[tokio::test]
async fn so_does_a_batch() {
    let desk = Desk::open().await;
    desk.placed(tea("o-1", 4)).await;
    let (end, place) = (desk.end().await, json!({"storeId": "PARIS", "sku": "TEA"}));
    let operation = |op: Value| super::with(op, place.clone());
    let operations = vec![
        operation(json!({"op": "adjust", "delta": 1})),
        operation(json!({"op": "reserve", "qty": 1, "reservationId": "o-1.s1"})),
        operation(json!({"op": "release", "reservationId": "o-1.s1"})),
        operation(json!({"op": "commit", "reservationId": "o-1.s1", "qty": 1})),
    ];
    let atomic = desk.step("/inventory/batch", json!({ "operations": operations })).await;
    assert_eq!(atomic.is(409, "held-by-shipment").json["pointer"], "/operations/1");
    assert_eq!(desk.end().await, end, "nothing changed");
    let each = desk.done("/inventory/batch", json!({"atomic": false, "operations": operations})).await;
    let results: Vec<_> =
        each["results"].as_array().unwrap().iter().map(|one| (&one["status"], &one["code"])).collect();
    let held = json!([409, "held-by-shipment"]);
    assert_eq!(json!(results), json!([[200, null], held, held, held]));
    assert_eq!(desk.tea("PARIS").await, (9, 4));
}

/// The sentence begins with the id as it is.
#[tokio::test]
async fn the_refusal_names_the_reservation_as_it_is_written() {
    let desk = Desk::open().await;
    desk.placed(tea("o-1", 4)).await;
    let answer = desk.step(&format!("{LEVEL}/release"), json!({"reservationId": "o-1.s1"})).await;
    let detail = answer.json["detail"].as_str().unwrap();
    assert!(!detail.contains("O-1.s1"), "{detail}");
}
