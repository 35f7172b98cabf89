//! Shipments that a store refuses: its reason, its stock, and who sends in its place.

use super::{Desk, pieces, pointer, shipments, tea, with};
use serde_json::{Value, json};

/// Four pieces are held in PARIS; one more piece of it is somebody else's.
async fn desk() -> Desk {
    let desk = Desk::open().await;
    let other = json!({"qty": 1, "reservationId": "shelf"});
    desk.done("/stores/PARIS/inventory/TEA/reserve", other).await;
    desk.placed(with(tea("o-1", 4), json!({"storeId": "PARIS"}))).await;
    assert_eq!(desk.tea("PARIS").await, (8, 5));
    desk
}

fn refuse(reason: &str) -> Value {
    json!({"reason": reason, "note": "on the shelf"})
}

#[tokio::test]
async fn the_reason_says_what_becomes_of_the_stock() {
    for (reason, stock) in [
        // Counted down to what others hold.
        ("not-in-stock", (1, 1)),
        // The four pieces are gone.
        ("short", (4, 1)),
        ("damaged", (4, 1)),
        // Nothing happens to it.
        ("busy", (8, 1)),
        ("closed", (8, 1)),
    ] {
        let desk = desk().await;
        let refused = desk.done("/shipments/o-1.s1/refuse", refuse(reason)).await;
        assert_eq!(
            (&refused["state"], &refused["refused"], &refused["reason"]),
            (&json!("refused"), &json!(reason), &json!("on the shelf"))
        );
        assert_eq!(desk.tea("PARIS").await, stock, "{reason}");
        // BERLIN has five, and sends in its place.
        let order = desk.order("o-1").await;
        assert_eq!(shipments(&order), [("PARIS", "refused", 0, 0), ("BERLIN", "held", 4, 0)], "{reason}");
        assert_eq!((pieces(&order), desk.tea("BERLIN").await), ([0, 0, 4, 0, 0], (5, 4)), "{reason}");
        let end = desk.end().await;
        desk.done("/shipments/o-1.s1/refuse", refuse(reason)).await;
        assert_eq!(desk.end().await, end, "it is refused already");
        let movements = desk.node.get("/stores/PARIS/inventory/TEA/history").await.json;
        let kinds: Vec<_> =
            movements["items"].as_array().unwrap().iter().map(|one| one["type"].as_str().unwrap()).collect();
        let last =
            if reason == "not-in-stock" { Some("COUNT") } else { Some("ADJUST").filter(|_| stock.0 == 4) };
        assert_eq!(kinds[3..], ["RELEASE"].into_iter().chain(last).collect::<Vec<_>>(), "{reason}");
    }
}

#[tokio::test]
async fn what_no_other_store_has_waits() {
    let desk = desk().await;
    desk.placed(with(tea("o-2", 3), json!({"storeId": "BERLIN"}))).await;
    desk.done("/shipments/o-1.s1/refuse", refuse("damaged")).await;
    let order = desk.order("o-1").await;
    assert_eq!((pieces(&order), &order["allocation"]), ([0, 2, 2, 0, 0], &json!("partial")));
    assert_eq!(shipments(&order), [("PARIS", "refused", 0, 0), ("BERLIN", "held", 2, 0)]);
    // BERLIN does not have them either, and PARIS, which has three for sale, has refused: it is asked again only by its name.
    desk.done("/shipments/o-1.s2/refuse", refuse("not-in-stock")).await;
    assert_eq!((desk.tea("BERLIN").await, desk.tea("PARIS").await), ((3, 3), (4, 1)));
    let order = desk.order("o-1").await;
    assert_eq!((pieces(&order), &order["allocation"]), ([0, 4, 0, 0, 0], &json!("waiting")));
    let unasked = desk.step("/orders/o-1/allot", json!({})).await;
    assert_eq!(unasked.is(409, "insufficient-stock").json["shortages"][0]["available"], 0);
    let order = desk.done("/orders/o-1/allot", json!({"storeId": "PARIS"})).await;
    assert_eq!((pieces(&order), shipments(&order)[2]), ([0, 1, 3, 0, 0], ("PARIS", "held", 3, 0)));
    desk.done("/shipments/o-1.s3/refuse", refuse("short")).await;
    let order = desk.order("o-1").await;
    assert_eq!((pieces(&order), &order["status"]), ([0, 4, 0, 0, 0], &json!("PLACED")));
    desk.node.stock("/stores/ROME/inventory/TEA", 4).await;
    let order = desk.done("/orders/o-1/confirm", json!({})).await;
    assert_eq!(
        (&order["status"], shipments(&order).last()),
        (&json!("CONFIRMED"), Some(&("ROME", "held", 4, 0)))
    );
}

#[tokio::test]
async fn several_stores_may_send_in_place_of_one() {
    let desk = Desk::open().await;
    desk.node.stock("/stores/ROME/inventory/TEA", 2).await;
    desk.placed(with(tea("o-1", 7), json!({"storeId": "PARIS"}))).await;
    desk.done("/shipments/o-1.s1/refuse", refuse("closed")).await;
    let order = desk.order("o-1").await;
    assert_eq!(
        shipments(&order),
        [("PARIS", "refused", 0, 0), ("BERLIN", "held", 5, 0), ("ROME", "held", 2, 0)]
    );
}

#[tokio::test]
async fn a_store_may_refuse_what_it_has_not_sent_of_a_shipment() {
    let desk = desk().await;
    desk.done("/shipments/o-1.s1/ship", json!({"lines": [{"line": 1, "qty": 1}]})).await;
    let refused = desk.done("/shipments/o-1.s1/refuse", refuse("short")).await;
    assert_eq!((&refused["state"], &refused["refused"]), (&json!("shipped"), &json!("short")));
    assert_eq!((&refused["lines"][0]["qty"], &refused["lines"][0]["shipped"]), (&json!(4), &json!(1)));
    // One piece has left, three are missing: four of the eight are there, one of them somebody else's.
    assert_eq!(desk.tea("PARIS").await, (4, 1));
    let order = desk.order("o-1").await;
    assert_eq!((pieces(&order), &order["status"]), ([0, 0, 3, 1, 0], &json!("CONFIRMED")));
    assert_eq!(shipments(&order), [("PARIS", "shipped", 0, 1), ("BERLIN", "held", 3, 0)]);
    desk.done("/orders/o-1/status", json!({"status": "SHIPPED"})).await;
    let order = desk.done("/orders/o-1/status", json!({"status": "DELIVERED"})).await;
    assert_eq!((&order["status"], pieces(&order)), (&json!("DELIVERED"), [0, 0, 0, 4, 4]));
}

#[tokio::test]
async fn a_refusal_says_why() {
    let desk = desk().await;
    let end = desk.end().await;
    for (body, at) in [
        (json!({}), ""),
        (json!({"reason": "lazy"}), "/reason"),
        (json!({"reason": null}), "/reason"),
        (json!({"reason": "busy", "note": ""}), "/note"),
        (json!({"reason": "busy", "note": "x".repeat(257)}), "/note"),
        (json!({"reason": "busy", "storeId": "ROME"}), ""),
        (json!({"reason": "busy", "expectedVersion": -1}), "/expectedVersion"),
    ] {
        let answer = desk.step("/shipments/o-1.s1/refuse", body.clone()).await;
        answer.is(400, "invalid-request");
        assert!(pointer(&answer).starts_with(at), "{body}: {}", answer.text);
    }
    assert_eq!(desk.end().await, end, "nothing changed");
}
