//! Bodies that are no order: refused by their place, and nothing is held.

use super::{Desk, pointer, tea, with};
use serde_json::{Value, json};

const MOST: i64 = 9_007_199_254_740_991;

/// An order of one line with these members more or other.
fn line(more: Value) -> Value {
    json!({"orderId": "o-1", "currency": "EUR", "lines": [with(json!({"sku": "TEA", "qty": 1}), more)]})
}

fn order(more: Value) -> Value {
    with(tea("o-1", 1), more)
}

/// Sends each body, which must be refused with a pointer that begins like that, and changes nothing.
async fn refused(rows: Vec<(Value, &str)>) {
    let desk = Desk::open().await;
    let end = desk.end().await;
    for (body, at) in rows {
        let answer = desk.place(&body).await;
        answer.is(400, "invalid-request");
        assert!(pointer(&answer).starts_with(at), "{body} at {at}: {}", answer.text);
        assert!(!answer.json["errors"][0]["detail"].as_str().unwrap().is_empty());
    }
    assert_eq!((desk.end().await, desk.tea("PARIS").await), (end, (8, 0)), "nothing changed");
    assert_eq!(desk.node.get("/orders").await.json["items"], json!([]));
}

#[tokio::test]
async fn an_id_is_the_callers_own_or_that_of_a_channel() {
    let channel = |more: Value| with(json!({"lines": [{"sku": "TEA", "qty": 1}]}), more);
    refused(vec![
        (order(json!({"orderId": "web.1"})), "/orderId"),
        (order(json!({"orderId": "o-1.s1"})), "/orderId"),
        (order(json!({"orderId": "plan"})), "/orderId"),
        (order(json!({"orderId": ""})), "/orderId"),
        (order(json!({"orderId": "a/b"})), "/orderId"),
        (order(json!({"orderId": "x".repeat(59)})), "/orderId"),
        (order(json!({"orderId": null})), "/orderId"),
        (order(json!({"orderId": 7})), "/orderId"),
        (order(json!({"channelId": "web", "externalId": "1"})), "/orderId"),
        (channel(json!({"channelId": "web"})), "/externalId"),
        (channel(json!({"externalId": "1"})), "/channelId"),
        (order(json!({"externalId": "1"})), "/channelId"),
        (channel(json!({"channelId": "", "externalId": "1"})), "/channelId"),
        (channel(json!({"channelId": "a.b", "externalId": "1"})), "/channelId"),
        (channel(json!({"channelId": "x".repeat(33), "externalId": "1"})), "/channelId"),
        (channel(json!({"channelId": "web", "externalId": ""})), "/externalId"),
        (channel(json!({"channelId": "web", "externalId": "x".repeat(55)})), "/externalId"),
        (channel(json!({"channelId": "web", "externalId": "a\u{7}"})), "/externalId"),
        (order(json!({"customerId": "a b"})), "/customerId"),
        (order(json!({"customerId": null})), "/customerId"),
        (order(json!({"storeId": "a/b"})), "/storeId"),
    ])
    .await;
}

#[tokio::test]
async fn lines_are_pieces_of_skus() {
    let many = vec![json!({"sku": "TEA", "qty": 1}); 201];
    refused(vec![
        (json!({"orderId": "o-1"}), ""),
        (order(json!({"lines": []})), "/lines"),
        (order(json!({"lines": null})), "/lines"),
        (order(json!({"lines": {}})), "/lines"),
        (order(json!({ "lines": many })), "/lines"),
        (order(json!({"lines": [{"sku": "TEA"}]})), "/lines/0"),
        (order(json!({"lines": [{"qty": 1}]})), "/lines/0"),
        (order(json!({"lines": [{"sku": "TEA", "qty": 1}, null]})), "/lines/1"),
        (line(json!({"sku": ""})), "/lines/0/sku"),
        (line(json!({"sku": "a//b"})), "/lines/0/sku"),
        (line(json!({"bookId": "TEA"})), "/lines/0"),
        (line(json!({"quantity": 1})), "/lines/0"),
        (line(json!({"qty": 0})), "/lines/0/qty"),
        (line(json!({"qty": -1})), "/lines/0/qty"),
        (line(json!({"qty": 1.5})), "/lines/0/qty"),
        (line(json!({"qty": "1"})), "/lines/0/qty"),
        (line(json!({"qty": null})), "/lines/0/qty"),
        (line(json!({"qty": MOST + 1})), "/lines/0/qty"),
        (line(json!({"name": ""})), "/lines/0/name"),
        (line(json!({"name": "x".repeat(257)})), "/lines/0/name"),
        (line(json!({"name": null})), "/lines/0/name"),
        (line(json!({"line": 1})), "/lines/0"),
    ])
    .await;
}

#[tokio::test]
async fn money_is_whole_and_not_negative() {
    let mut rows = Vec::new();
    for (member, at) in
        [("unitPrice", "/lines/0/unitPrice"), ("discount", "/lines/0/discount"), ("tax", "/lines/0/tax")]
    {
        for wrong in
            [json!(-1), json!(1.5), json!("350"), json!(null), json!(MOST + 1), json!({"amountMinor": 350})]
        {
            let mut more = json!({"unitPrice": 1});
            more[member] = wrong;
            rows.push((line(more), at));
        }
    }
    let mut without = line(json!({"unitPrice": 350}));
    without.as_object_mut().unwrap().remove("currency");
    rows.extend([
        (without, "/currency"),
        (with(line(json!({"unitPrice": 350})), json!({"currency": "eur"})), "/currency"),
        (with(line(json!({"unitPrice": 350})), json!({"currency": "EURO"})), "/currency"),
        (with(line(json!({"unitPrice": 350})), json!({"currency": null})), "/currency"),
        (line(json!({"qty": 2, "unitPrice": MOST})), "/lines/0/unitPrice"),
        (line(json!({"qty": MOST, "unitPrice": MOST})), "/lines/0/unitPrice"),
        (line(json!({"unitPrice": MOST, "tax": 1})), "/lines/0/"),
    ]);
    refused(rows).await;
}

#[tokio::test]
async fn a_discount_is_not_more_than_the_price() {
    refused(vec![(line(json!({"unitPrice": 100, "discount": 101})), "/lines/0/discount")]).await;
}

/// Of several lines together.
#[tokio::test]
async fn sums_stay_within_the_range_too() {
    let most = json!({"sku": "TEA", "qty": 1, "unitPrice": MOST});
    refused(vec![(order(json!({"currency": "EUR", "lines": [most, most]})), "/lines/1/unitPrice")]).await;
}

#[tokio::test]
async fn more_pieces_than_can_be_counted_are_refused() {
    let desk = Desk::open().await;
    let end = desk.end().await;
    let lines = json!([{"sku": "TEA", "qty": MOST}, {"sku": "TEA", "qty": 1}]);
    desk.place(&order(json!({ "lines": lines }))).await.is(409, "out-of-range");
    desk.place(&order(json!({"lines": lines, "policy": {"partial": "backorder"}})))
        .await
        .is(409, "out-of-range");
    desk.place(&order(json!({"lines": lines, "policy": {"stock": "none"}}))).await.is(409, "out-of-range");
    desk.place(&tea("o-1", MOST)).await.is(409, "insufficient-stock");
    assert_eq!(desk.end().await, end, "nothing changed");
}

#[tokio::test]
async fn names_addresses_and_policies_have_the_members_they_have() {
    refused(vec![
        (order(json!({"note": "hurry"})), ""),
        (order(json!({"status": "CONFIRMED"})), ""),
        (order(json!({"customer": null})), "/customer"),
        (order(json!({"customer": "Ada"})), "/customer"),
        (order(json!({"customer": {"name": ""}})), "/customer/name"),
        (order(json!({"customer": {"name": null}})), "/customer/name"),
        (order(json!({"customer": {"email": "x".repeat(257)}})), "/customer/email"),
        (order(json!({"customer": {"phone": "1\n2"}})), "/customer/phone"),
        (order(json!({"customer": {"id": "c-1"}})), "/customer"),
        (order(json!({"shipTo": null})), "/shipTo"),
        (order(json!({"shipTo": {"zip": "1"}})), "/shipTo"),
        (order(json!({"shipTo": {"street": ""}})), "/shipTo/street"),
        (order(json!({"shipTo": {"postalCode": "x".repeat(65)}})), "/shipTo/postalCode"),
        (order(json!({"shipTo": {"country": 49}})), "/shipTo/country"),
        (order(json!({"policy": null})), "/policy"),
        (order(json!({"policy": {"partial": "some"}})), "/policy/partial"),
        (order(json!({"policy": {"stock": true}})), "/policy/stock"),
        (order(json!({"policy": {"confirm": "later"}})), "/policy/confirm"),
        (order(json!({"policy": {"dispatch": "auto"}})), "/policy"),
        (order(json!({"rules": null})), "/rules"),
        (order(json!({"rules": {"ranks": ["cheapest"]}})), "/rules/ranks/0"),
        (order(json!({"rules": {"keepsBack": -1}})), "/rules"),
    ])
    .await;
}

#[tokio::test]
async fn steps_take_the_members_they_have() {
    let desk = Desk::open().await;
    desk.placed(tea("o-1", 1)).await;
    let end = desk.end().await;
    for (path, body, at) in [
        ("/orders/o-1/status", json!({}), ""),
        ("/orders/o-1/status", json!({"status": "PAID"}), "/status"),
        ("/orders/o-1/status", json!({"status": "shipped"}), "/status"),
        ("/orders/o-1/status", json!({"status": null}), "/status"),
        ("/orders/o-1/status", json!({"status": "SHIPPED", "carrier": ""}), "/carrier"),
        ("/orders/o-1/status", json!({"status": "SHIPPED", "tracking": "x".repeat(65)}), "/tracking"),
        ("/orders/o-1/status", json!({"status": "CANCELLED", "note": "x"}), ""),
        ("/orders/o-1/confirm", json!({"status": "CONFIRMED"}), ""),
        ("/orders/o-1/confirm", json!({"storeId": null}), "/storeId"),
        ("/orders/o-1/allot", json!({"rules": {"stores": {"a/b": {}}}}), "/rules"),
        ("/orders/o-1/allot", json!({"lines": []}), ""),
        ("/orders/o-1/cancel", json!({"reason": "a\u{0}b"}), "/reason"),
        ("/orders/o-1/cancel", json!({"reason": null}), "/reason"),
        ("/orders/o-1/cancel", json!({"expectedVersion": 1.5}), "/expectedVersion"),
        ("/shipments/o-1.s1/instruct", json!({"storeId": "PARIS"}), ""),
        ("/shipments/o-1.s1/ship", json!({"carrier": "x".repeat(65)}), "/carrier"),
        ("/shipments/o-1.s1/cancel", json!({"lines": []}), ""),
    ] {
        let answer = desk.step(path, body.clone()).await;
        answer.is(400, "invalid-request");
        assert!(pointer(&answer).starts_with(at), "{path} {body}: {}", answer.text);
    }
    for id in ["a b", "o-1.s1", &"x".repeat(59)] {
        let path = format!("/orders/{}/cancel", id.replace(' ', "%20"));
        let answer = desk.step(&path, json!({})).await;
        assert_eq!(answer.is(400, "invalid-request").json["errors"][0]["parameter"], "orderId");
    }
    assert_eq!(desk.end().await, end, "nothing changed");
}
