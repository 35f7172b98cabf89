//! Single shipments that are sent: in parts, in whole, and more than they hold.

use super::{Desk, pieces, pointer, shipments, tea, with};
use serde_json::{Value, json};

/// Two lines of tea, three and two pieces, in PARIS, and one cup in ROME.
async fn desk() -> Desk {
    let desk = Desk::open().await;
    desk.node.stock("/stores/ROME/inventory/CUP", 1).await;
    let lines = json!([{"sku": "TEA", "qty": 3}, {"sku": "CUP", "qty": 1}, {"sku": "TEA", "qty": 2}]);
    let rules = json!({"stores": {"BERLIN": {"excluded": true}}});
    desk.placed(json!({"orderId": "o-1", "lines": lines, "rules": rules})).await;
    desk
}

fn ship(lines: &Value) -> Value {
    json!({ "lines": lines })
}

#[tokio::test]
async fn a_shipment_is_instructed_sent_and_delivered() {
    let desk = desk().await;
    let end = desk.end().await;
    let told = desk.done("/shipments/o-1.s1/instruct", json!({})).await;
    assert_eq!((&told["state"], &told["version"]), (&json!("instructed"), &json!(2)));
    assert_eq!(desk.done("/shipments/o-1.s1/instruct", json!({})).await, told);
    assert_eq!(desk.end().await, end + 1, "the second time changes nothing");
    assert_eq!(desk.order("o-1").await["status"], "PLACED");
    let sent = desk.done("/shipments/o-1.s1/ship", json!({"carrier": "DHL", "tracking": "JD-1"})).await;
    assert_eq!(
        (&sent["state"], &sent["carrier"], &sent["tracking"]),
        (&json!("shipped"), &json!("DHL"), &json!("JD-1"))
    );
    let order = desk.order("o-1").await;
    assert_eq!((&order["status"], pieces(&order)), (&json!("CONFIRMED"), [0, 0, 0, 3, 0]), "the cup is held");
    assert_eq!(desk.tea("PARIS").await, (3, 0));
    let end = desk.end().await;
    desk.done("/shipments/o-1.s1/ship", json!({})).await;
    assert_eq!(desk.end().await, end, "it has been sent already");
    let arrived = desk.done("/shipments/o-1.s1/deliver", json!({})).await;
    assert_eq!(arrived["state"], "delivered");
    assert_eq!(desk.done("/shipments/o-1.s1/deliver", json!({})).await, arrived);
    assert_eq!(desk.order("o-1").await["status"], "CONFIRMED");
    desk.done("/shipments/o-1.s2/ship", json!({})).await;
    assert_eq!(desk.order("o-1").await["status"], "SHIPPED");
    desk.done("/shipments/o-1.s2/deliver", json!({})).await;
    assert_eq!(desk.order("o-1").await["status"], "DELIVERED");
}

#[tokio::test]
async fn a_shipment_may_leave_in_parts() {
    let desk = desk().await;
    let first = desk
        .done("/shipments/o-1.s1/ship", ship(&json!([{"line": 3, "qty": 1}, {"line": 1, "qty": 1}])))
        .await;
    let numbers: Vec<_> = first["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (&line["line"], &line["held"], &line["shipped"]))
        .collect();
    assert_eq!((json!(numbers), &first["state"]), (json!([[1, 2, 1], [3, 1, 1]]), &json!("held")));
    assert_eq!(desk.tea("PARIS").await, (6, 3));
    // What has left may arrive before the rest leaves.
    let arrived = desk.done("/shipments/o-1.s1/deliver", json!({})).await;
    assert_eq!((&arrived["state"], &arrived["lines"][0]["delivered"]), (&json!("held"), &json!(1)));
    let order = desk.order("o-1").await;
    assert_eq!((pieces(&order), &order["status"]), ([0, 0, 2, 1, 1], &json!("CONFIRMED")));
    desk.step("/orders/o-1/cancel", json!({})).await.is(409, "already-shipped");
    let rest = desk.done("/shipments/o-1.s1/ship", json!({"lines": [], "tracking": "2"})).await;
    assert_eq!((&rest["state"], &rest["tracking"]), (&json!("shipped"), &json!("2")));
    assert_eq!((desk.tea("PARIS").await, pieces(&desk.order("o-1").await)), ((3, 0), [0, 0, 0, 3, 1]));
}

#[tokio::test]
async fn more_than_a_shipment_holds_is_not_sent() {
    let desk = desk().await;
    desk.done("/shipments/o-1.s1/ship", ship(&json!([{"line": 1, "qty": 2}]))).await;
    let (before, end) = (desk.order("o-1").await, desk.end().await);
    let refused = async |lines: Value, code: &str| {
        desk.step("/shipments/o-1.s1/ship", ship(&lines)).await.is(409, code).json["available"].clone()
    };
    assert_eq!(refused(json!([{"line": 1, "qty": 2}]), "shipment-exceeds").await, 1);
    assert_eq!(refused(json!([{"line": 1, "qty": 1}, {"line": 3, "qty": 3}]), "shipment-exceeds").await, 2);
    for (lines, at) in [
        (json!([{"line": 2, "qty": 1}]), "/lines/0/line"),
        (json!([{"line": 1, "qty": 1}, {"line": 4, "qty": 1}]), "/lines/1/line"),
        (json!([{"line": 1, "qty": 1}, {"line": 1, "qty": 1}]), "/lines/1/line"),
        (json!([{"line": 0, "qty": 1}]), "/lines/0/line"),
        (json!([{"line": -1, "qty": 1}]), "/lines/0/line"),
        (json!([{"line": 1, "qty": 0}]), "/lines/0/qty"),
        (json!([{"line": 1, "qty": 1.5}]), "/lines/0/qty"),
        (json!([{"line": 1}]), "/lines/0"),
        (json!([{"line": 1, "qty": 1, "sku": "TEA"}]), "/lines/0"),
        (json!(null), "/lines"),
    ] {
        let answer = desk.step("/shipments/o-1.s1/ship", ship(&lines)).await;
        answer.is(400, "invalid-request");
        assert!(pointer(&answer).starts_with(at), "{at}: {}", answer.text);
    }
    assert_eq!((desk.order("o-1").await, desk.end().await), (before, end), "nothing changed");
    desk.done("/shipments/o-1.s1/ship", json!({})).await;
    let answer = desk.step("/shipments/o-1.s1/ship", ship(&json!([{"line": 1, "qty": 1}]))).await;
    answer.is(409, "shipment-closed");
}

#[tokio::test]
async fn what_is_closed_is_not_moved_any_more() {
    let desk = desk().await;
    desk.done("/shipments/o-1.s1/cancel", json!({"reason": "no box"})).await;
    desk.done("/shipments/o-1.s2/ship", json!({})).await;
    let end = desk.end().await;
    for (path, body, code) in [
        ("o-1.s1/instruct", json!({}), "shipment-closed"),
        ("o-1.s1/ship", json!({}), "shipment-closed"),
        ("o-1.s1/refuse", json!({"reason": "busy"}), "shipment-closed"),
        ("o-1.s1/deliver", json!({}), "illegal-transition"),
        ("o-1.s2/instruct", json!({}), "shipment-closed"),
        ("o-1.s2/refuse", json!({"reason": "busy"}), "shipment-closed"),
        ("o-1.s2/cancel", json!({}), "shipment-closed"),
    ] {
        let answer = desk.step(&format!("/shipments/{path}"), body).await;
        answer.is(409, code);
    }
    let undelivered = desk.step("/shipments/o-1.s1/deliver", json!({})).await;
    let named = json!([undelivered.json["from"], undelivered.json["to"], undelivered.json["allowed"]]);
    assert_eq!(named, json!(["cancelled", "delivered", []]));
    desk.done("/shipments/o-1.s1/cancel", json!({})).await;
    for step in ["instruct", "ship", "deliver", "cancel"] {
        desk.step(&format!("/shipments/o-1.s3/{step}"), json!({})).await.is(404, "shipment-not-found");
        desk.step(&format!("/shipments/o-2.s1/{step}"), json!({})).await.is(404, "shipment-not-found");
        let answer = desk.step(&format!("/shipments/o-1/{step}"), json!({})).await;
        assert_eq!(answer.is(400, "invalid-request").json["errors"][0]["parameter"], "shipmentId");
    }
    assert_eq!(desk.end().await, end, "nothing changed");
    let early = desk.placed(tea("o-2", 1)).await;
    let answer = desk.step("/shipments/o-2.s1/deliver", json!({})).await;
    let named = json!([answer.is(409, "illegal-transition").json["from"], answer.json["allowed"]]);
    assert_eq!(named, json!(["held", ["shipped", "refused", "cancelled"]]), "{early}");
}

#[tokio::test]
async fn the_pieces_of_a_cancelled_shipment_wait_and_are_for_sale() {
    let desk = desk().await;
    let cancelled = desk.done("/shipments/o-1.s1/cancel", json!({"reason": "no box"})).await;
    assert_eq!((&cancelled["state"], &cancelled["reason"]), (&json!("cancelled"), &json!("no box")));
    let order = desk.order("o-1").await;
    assert_eq!(
        (pieces(&order), &order["allocation"], &order["status"]),
        ([0, 3, 0, 0, 0], &json!("partial"), &json!("PLACED"))
    );
    assert_eq!(desk.tea("PARIS").await, (8, 0));
    desk.step("/orders/o-1/status", json!({"status": "SHIPPED"})).await.is(409, "not-allotted");
    let order = desk.done("/orders/o-1/allot", json!({"storeId": "BERLIN"})).await;
    assert_eq!(shipments(&order)[2], ("BERLIN", "held", 3, 0));
    assert_eq!(
        (order["shipments"][2]["shipmentId"].as_str(), desk.tea("BERLIN").await),
        (Some("o-1.s3"), (5, 5))
    );
}

/// An order of many lines, sent in one go.
#[tokio::test]
async fn an_order_has_up_to_two_hundred_lines() {
    let desk = Desk::open().await;
    let items: Vec<Value> = (0..200)
        .map(|n| json!({"op": "adjust", "storeId": "ROME", "sku": format!("S-{n}"), "delta": 2}))
        .collect();
    desk.done("/inventory/batch", json!({ "operations": items })).await;
    let lines: Vec<Value> = (0..200).map(|n| json!({"sku": format!("S-{n}"), "qty": 2})).collect();
    let order = desk.placed(with(tea("o-1", 1), json!({ "lines": lines }))).await;
    assert_eq!(
        (order["lines"].as_array().unwrap().len(), shipments(&order)),
        (200, vec![("ROME", "held", 2, 0)])
    );
    let order = desk.done("/orders/o-1/status", json!({"status": "SHIPPED"})).await;
    assert_eq!(order["lines"][199]["shipped"], 2);
    let level = desk.node.get("/stores/ROME/inventory/S-199").await.json;
    assert_eq!((&level["onHand"], &level["reserved"]), (&json!(0), &json!(0)));
}
