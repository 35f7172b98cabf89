//! Orders of more than there is: refused, waiting, cut, or without stock until they are confirmed.

use super::{Desk, pieces, shipments, tea, with};
use serde_json::{Value, json};

fn policy(order: Value, policy: &Value) -> Value {
    with(order, json!({ "policy": policy }))
}

#[tokio::test]
async fn without_more_an_order_of_more_than_there_is_holds_nothing() {
    let desk = Desk::open().await;
    desk.node.stock("/stores/ROME/inventory/CUP", 1).await;
    let end = desk.end().await;
    let lines = json!([{"sku": "TEA", "qty": 10}, {"sku": "CUP", "qty": 1}, {"sku": "POT", "qty": 2}, {"sku": "TEA", "qty": 4}]);
    let answer = desk.place(&json!({"orderId": "o-1", "lines": lines})).await;
    let shortages = json!([
        {"sku": "POT", "asked": 2, "available": 0, "short": 2},
        {"sku": "TEA", "asked": 14, "available": 13, "short": 1},
    ]);
    assert_eq!(answer.is(409, "insufficient-stock").json["shortages"], shortages, "{}", answer.text);
    desk.node.get("/orders/o-1").await.is(404, "order-not-found");
    assert_eq!((desk.end().await, desk.tea("PARIS").await), (end, (8, 0)), "nothing changed");
    // What stores keep back, and stores that may not send, count as missing.
    let kept = with(tea("o-1", 10), json!({"rules": {"keepsBack": 2}}));
    let answer = desk.place(&kept).await;
    assert_eq!(answer.is(409, "insufficient-stock").json["shortages"][0]["available"], 9);
    let one = with(tea("o-1", 6), json!({"storeId": "BERLIN"}));
    assert_eq!(desk.place(&one).await.is(409, "insufficient-stock").json["shortages"][0]["available"], 5);
    desk.place(&tea("o-1", 13)).await.is(201, "");
}

#[tokio::test]
async fn a_backorder_holds_what_there_is_and_the_rest_waits() {
    let desk = Desk::open().await;
    let order = desk.placed(policy(tea("o-1", 15), &json!({"partial": "backorder"}))).await;
    assert_eq!((pieces(&order), &order["allocation"]), ([0, 2, 13, 0, 0], &json!("partial")));
    assert_eq!(shipments(&order), [("PARIS", "held", 8, 0), ("BERLIN", "held", 5, 0)]);
    let nothing = desk.placed(policy(tea("o-2", 1), &json!({"partial": "backorder"}))).await;
    assert_eq!((pieces(&nothing), &nothing["allocation"]), ([0, 1, 0, 0, 0], &json!("waiting")));
    let none = desk.step("/orders/o-2/allot", json!({})).await;
    let shortages = json!([{"sku": "TEA", "asked": 1, "available": 0, "short": 1}]);
    assert_eq!(none.is(409, "insufficient-stock").json["shortages"], shortages);
    desk.node.stock("/stores/ROME/inventory/TEA", 1).await;
    let some = desk.done("/orders/o-1/allot", json!({})).await;
    assert_eq!((pieces(&some), shipments(&some).last()), ([0, 1, 14, 0, 0], Some(&("ROME", "held", 1, 0))));
    desk.node.stock("/stores/ROME/inventory/TEA", 5).await;
    let elsewhere = desk.step("/orders/o-1/allot", json!({"storeId": "PARIS"})).await;
    elsewhere.is(409, "insufficient-stock");
    let all = desk.done("/orders/o-1/allot", json!({"rules": {"keepsBack": 1}})).await;
    assert_eq!((pieces(&all), &all["allocation"]), ([0, 0, 15, 0, 0], &json!("complete")));
    let end = desk.end().await;
    assert_eq!(desk.done("/orders/o-1/allot", json!({})).await, all, "there is nothing to find any more");
    assert_eq!(desk.end().await, end);
}

#[tokio::test]
async fn the_rest_of_an_order_is_cancelled_where_it_says_so() {
    let desk = Desk::open().await;
    let cut = |order: Value| policy(order, &json!({"partial": "cancel-rest"}));
    let lines = json!({"orderId": "o-1", "lines": [{"sku": "TEA", "qty": 10}, {"sku": "TEA", "qty": 5}, {"sku": "POT", "qty": 1}]});
    let order = desk.placed(cut(lines)).await;
    let became: Vec<_> =
        order["lines"].as_array().unwrap().iter().map(|line| (&line["open"], &line["cancelled"])).collect();
    assert_eq!(json!(became), json!([[10, 0], [3, 2], [0, 1]]));
    assert_eq!((&order["status"], &order["allocation"]), (&json!("PLACED"), &json!("complete")));
    let end = desk.end().await;
    let nothing = desk.place(&cut(tea("o-2", 1))).await;
    assert_eq!(nothing.is(409, "insufficient-stock").json["shortages"][0]["short"], 1);
    assert_eq!(desk.end().await, end, "an order of nothing is none");
}

#[tokio::test]
async fn an_order_without_stock_holds_it_when_it_is_confirmed() {
    let desk = Desk::open().await;
    let later = |order: Value| policy(order, &json!({"stock": "none"}));
    let order = desk.placed(later(tea("o-1", 6))).await;
    assert_eq!((pieces(&order), &order["allocation"]), ([0, 6, 0, 0, 0], &json!("none")));
    assert_eq!((shipments(&order), desk.tea("PARIS").await), (vec![], (8, 0)));
    let more = desk.placed(later(tea("o-2", 20))).await;
    assert_eq!(more["allocation"], "none", "there need not be any stock");
    let answer = desk.step("/orders/o-2/confirm", json!({})).await;
    let shortages = json!([{"sku": "TEA", "asked": 20, "available": 13, "short": 7}]);
    assert_eq!(answer.is(409, "insufficient-stock").json["shortages"], shortages);
    assert_eq!(desk.order("o-2").await, more, "nothing changed");
    let unsent = desk.step("/orders/o-1/status", json!({"status": "SHIPPED"})).await;
    unsent.is(409, "not-allotted");
    let order =
        desk.done("/orders/o-1/confirm", json!({"rules": {"stores": {"PARIS": {"keepsBack": 3}}}})).await;
    assert_eq!((&order["status"], pieces(&order)), (&json!("CONFIRMED"), [0, 0, 6, 0, 0]));
    assert_eq!(shipments(&order), [("BERLIN", "held", 5, 0), ("PARIS", "held", 1, 0)]);
    let waits = policy(tea("o-3", 9), &json!({"stock": "none", "partial": "backorder"}));
    desk.placed(waits).await;
    let order = desk.done("/orders/o-3/status", json!({"status": "CONFIRMED"})).await;
    assert_eq!((&order["status"], pieces(&order)), (&json!("CONFIRMED"), [0, 2, 7, 0, 0]));
    let again = desk.done("/orders/o-3/confirm", json!({})).await;
    assert_eq!(again, order, "it is confirmed already");
}

#[tokio::test]
async fn an_order_may_be_confirmed_by_its_placing() {
    let desk = Desk::open().await;
    let order = desk.placed(policy(tea("o-1", 2), &json!({"confirm": "auto"}))).await;
    assert_eq!((&order["status"], &order["version"]), (&json!("CONFIRMED"), &json!(2)));
    let again = desk.place(&policy(tea("o-1", 2), &json!({"confirm": "auto"}))).await;
    assert_eq!(again.is(200, "").json, order);
    let answer = desk.place(&policy(tea("o-2", 20), &json!({"confirm": "auto"}))).await;
    answer.is(409, "insufficient-stock");
    let waits =
        desk.placed(policy(tea("o-3", 20), &json!({"confirm": "auto", "partial": "backorder"}))).await;
    assert_eq!((&waits["status"], pieces(&waits)), (&json!("CONFIRMED"), [0, 9, 11, 0, 0]));
}

/// A confirmed order is a promise: without stock, and without waiting for it, there can be none.
#[tokio::test]
async fn an_order_that_is_confirmed_at_once_holds_its_stock_at_once() {
    let desk = Desk::open().await;
    let at_once = json!({"confirm": "auto", "stock": "none"});
    desk.place(&policy(tea("o-1", 20), &at_once)).await.is(409, "insufficient-stock");
    let order = desk.placed(policy(tea("o-2", 2), &at_once)).await;
    assert_eq!((&order["status"], pieces(&order)), (&json!("CONFIRMED"), [0, 0, 2, 0, 0]));
}
