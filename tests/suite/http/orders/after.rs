//! What comes after the placing: payments, the hold, and pieces that come back.

use super::{Answer, Desk, pieces, pointer, tea, with};
use serde_json::{Value, json};

/// Three pieces at 3.50, paid for with 10.50.
async fn desk() -> Desk {
    let desk = Desk::open().await;
    let lines =
        json!({"currency": "EUR", "lines": [{"sku": "TEA", "qty": 3, "unitPrice": 350}], "storeId": "PARIS"});
    desk.placed(with(tea("o-1", 3), lines)).await;
    desk
}

async fn pay(desk: &Desk, id: &str, kind: &str, amount: i64) -> Answer {
    desk.step("/orders/o-1/payments", json!({"paymentId": id, "kind": kind, "amount": amount})).await
}

#[tokio::test]
async fn payments_are_recorded_within_what_can_be() {
    let desk = desk().await;
    for (id, kind, amount, outcome) in [
        ("p-1", "failed", 9_999, Ok("unpaid")),
        ("p-2", "authorised", 1_050, Ok("authorised")),
        ("p-3", "captured", 500, Ok("part-paid")),
        ("p-4", "captured", 551, Err(("amount-exceeds", json!(550)))),
        ("p-4", "captured", 550, Ok("paid")),
        ("p-5", "refunded", 1_051, Err(("amount-exceeds", json!(1_050)))),
        ("p-5", "refunded", 50, Ok("part-refunded")),
        ("p-6", "disputed", 100, Ok("disputed")),
        ("p-7", "settled", 100, Ok("part-refunded")),
        ("p-8", "refunded", 1_000, Ok("refunded")),
        ("p-3", "captured", 501, Err(("payment-exists", Value::Null))),
        ("p-3", "refunded", 500, Err(("payment-exists", Value::Null))),
    ] {
        let answer = pay(&desk, id, kind, amount).await;
        match outcome {
            Ok(status) => assert_eq!(answer.is(200, "").json["paymentStatus"], status, "{id}"),
            Err((code, available)) => assert_eq!(answer.is(409, code).json["available"], available, "{id}"),
        }
    }
    let end = desk.end().await;
    let same = pay(&desk, "p-3", "captured", 500).await;
    assert_eq!(same.is(200, "").json["payments"].as_array().unwrap().len(), 8);
    assert_eq!(desk.end().await, end, "the same once more");
    for (body, at) in [
        (json!({"paymentId": "p-9", "kind": "captured", "amount": 0}), "/amount"),
        (json!({"paymentId": "p-9", "kind": "captured", "amount": 1.5}), "/amount"),
        (json!({"paymentId": "p/9", "kind": "captured", "amount": 1}), "/paymentId"),
        (json!({"paymentId": "p-9", "kind": "paid", "amount": 1}), "/kind"),
        (json!({"paymentId": "p-9", "kind": "captured", "amount": 1, "currency": "EUR"}), ""),
        (json!({"kind": "captured", "amount": 1}), ""),
    ] {
        let answer = desk.step("/orders/o-1/payments", body.clone()).await;
        assert!(pointer(answer.is(400, "invalid-request")).starts_with(at), "{body}: {}", answer.text);
    }
    assert_eq!((desk.end().await, &desk.order("o-1").await["status"]), (end, &json!("PLACED")));
    let missing =
        desk.step("/orders/o-9/payments", json!({"paymentId": "p", "kind": "failed", "amount": 1})).await;
    missing.is(404, "order-not-found");
}

#[tokio::test]
async fn an_order_on_hold_is_not_sent() {
    let desk = desk().await;
    let held = desk.done("/orders/o-1/hold", json!({"reason": "the address"})).await;
    assert_eq!((&held["onHold"], desk.tea("PARIS").await), (&json!(true), (8, 3)), "its pieces stay");
    let end = desk.end().await;
    desk.done("/orders/o-1/hold", json!({})).await;
    for (path, body) in [
        ("/orders/o-1/confirm", json!({})),
        ("/orders/o-1/status", json!({"status": "CONFIRMED"})),
        ("/orders/o-1/status", json!({"status": "SHIPPED"})),
        ("/shipments/o-1.s1/instruct", json!({})),
        ("/shipments/o-1.s1/ship", json!({})),
        ("/shipments/o-1.s1/ship", json!({"lines": [{"line": 1, "qty": 1}]})),
    ] {
        desk.step(path, body).await.is(409, "order-held");
    }
    assert_eq!(desk.end().await, end, "nothing changed");
    let history = desk.node.get("/orders/o-1/history").await.json["items"].clone();
    let last = history.as_array().unwrap().last().unwrap();
    assert_eq!((&last["change"], &last["reason"]), (&json!("held"), &json!("the address")));
    let free = desk.done("/orders/o-1/release-hold", json!({})).await;
    assert_eq!(free["onHold"], false);
    desk.done("/orders/o-1/hold", json!({})).await;
    assert_eq!(desk.done("/orders/o-1/cancel", json!({})).await["status"], "CANCELLED", "it may be given up");
}

#[tokio::test]
async fn what_comes_back_and_can_be_sold_is_stock_again() {
    let desk = desk().await;
    let ask =
        |id: &str, qty: i64| json!({"returnId": id, "lines": [{"line": 1, "qty": qty}], "reason": "bitter"});
    let early = desk.step("/orders/o-1/returns", ask("r-1", 1)).await;
    assert_eq!(early.is(409, "return-exceeds").json["available"], 0, "nothing has left");
    desk.done("/orders/o-1/status", json!({"status": "SHIPPED"})).await;
    let asked = desk.done("/orders/o-1/returns", ask("r-1", 2)).await;
    assert_eq!((&asked["returns"][0]["state"], pieces(&asked)), (&json!("requested"), [0, 0, 0, 3, 0]));
    let end = desk.end().await;
    desk.done("/orders/o-1/returns", ask("r-1", 2)).await;
    assert_eq!(desk.end().await, end, "the same once more");
    desk.step("/orders/o-1/returns", ask("r-1", 1)).await.is(409, "return-exists");
    assert_eq!(
        desk.step("/orders/o-1/returns", ask("r-2", 2)).await.is(409, "return-exceeds").json["available"],
        1
    );
    let closed = desk.step("/orders/o-1/returns/r-1/close", json!({})).await;
    let named = json!([closed.is(409, "illegal-transition").json["from"], closed.json["allowed"]]);
    assert_eq!(named, json!(["requested", ["approved", "refused", "received"]]));
    desk.step("/orders/o-1/returns/r-9/approve", json!({})).await.is(404, "return-not-found");
    desk.step("/orders/o-9/returns/r-1/approve", json!({})).await.is(404, "order-not-found");
    desk.done("/orders/o-1/returns/r-1/approve", json!({})).await;
    let receipt = json!({"storeId": "BERLIN", "lines": [{"line": 1, "qty": 2, "sellable": 1}]});
    let came = desk.done("/orders/o-1/returns/r-1/receive", receipt).await;
    assert_eq!((&came["lines"][0]["returned"], &came["status"]), (&json!(2), &json!("SHIPPED")));
    assert_eq!((&came["returns"][0]["storeId"], desk.tea("BERLIN").await), (&json!("BERLIN"), (6, 0)));
    let moved = desk.node.get("/stock/movements?kind=return").await.json["items"].clone();
    assert_eq!((&moved[0]["storeId"], &moved[0]["payload"]["reference"]), (&json!("BERLIN"), &json!("o-1")));
    desk.done("/orders/o-1/returns/r-1/close", json!({})).await;
    desk.done("/orders/o-1/returns", ask("r-2", 1)).await;
    let refused = desk.done("/orders/o-1/returns/r-2/refuse", json!({"reason": "opened"})).await;
    assert_eq!(
        (&refused["returns"][1]["state"], &refused["returns"][1]["reason"]),
        (&json!("refused"), &json!("opened"))
    );
    desk.done("/orders/o-1/returns", ask("r-3", 1)).await;
    let all = desk.done("/orders/o-1/returns/r-3/receive", json!({"storeId": "PARIS"})).await;
    assert_eq!(
        (&all["lines"][0]["returned"], desk.tea("PARIS").await),
        (&json!(3), (5, 0)),
        "none of it can be sold"
    );
    for (path, body, at) in [
        ("returns", json!({"returnId": "r-4", "lines": []}), "/lines"),
        ("returns", json!({"returnId": "r-4", "lines": [{"line": 2, "qty": 1}]}), "/lines/0/line"),
        (
            "returns",
            json!({"returnId": "r-4", "lines": [{"line": 1, "qty": 1}, {"line": 1, "qty": 1}]}),
            "/lines/1/line",
        ),
        ("returns/r-3/receive", json!({}), ""),
        (
            "returns/r-3/receive",
            json!({"storeId": "PARIS", "lines": [{"line": 1, "qty": 1, "sellable": 2}]}),
            "/lines/0",
        ),
    ] {
        let answer = desk.step(&format!("/orders/o-1/{path}"), body.clone()).await;
        assert!(pointer(answer.is(400, "invalid-request")).starts_with(at), "{body}: {}", answer.text);
    }
}

#[tokio::test]
async fn an_order_has_so_many_payments_and_returns() {
    let desk = Desk::of(super::Scratch::new()).await;
    desk.node.stock("/stores/ROME/inventory/TEA", 101).await;
    desk.placed(with(tea("o-1", 101), json!({"storeId": "ROME"}))).await;
    desk.done("/orders/o-1/status", json!({"status": "SHIPPED"})).await;
    for n in 1..=200 {
        pay(&desk, &format!("p-{n}"), "failed", 1).await.is(200, "");
    }
    pay(&desk, "p-201", "failed", 1).await.is(409, "too-many-payments");
    pay(&desk, "p-200", "failed", 1).await.is(200, "");
    let ask = |n: i64| json!({"returnId": format!("r-{n}"), "lines": [{"line": 1, "qty": 1}]});
    for n in 1..=100 {
        desk.done("/orders/o-1/returns", ask(n)).await;
    }
    desk.step("/orders/o-1/returns", ask(101)).await.is(409, "too-many-returns");
    desk.done("/orders/o-1/returns", ask(100)).await;
}
