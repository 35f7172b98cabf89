//! Lists of orders and of a store's shipments: filters, pages, and what is left out.

use super::{Desk, Method, ids, tea, with};
use serde_json::{Value, json};

/// Five orders: three of a channel and two of others, in different states.
async fn desk() -> Desk {
    let desk = Desk::open().await;
    desk.node.stock("/stores/ROME/inventory/CUP", 9).await;
    let of = |external: &str, customer: &str| json!({"channelId": "web", "externalId": external, "customerId": customer, "lines": [{"sku": "TEA", "qty": 1}]});
    desk.placed(of("A-1", "c-1")).await;
    desk.placed(of("A-2", "c-2")).await;
    desk.placed(with(of("B-3", "c-1"), json!({"channelId": "shop", "storeId": "BERLIN"}))).await;
    let waits = json!({"policy": {"partial": "backorder"}, "lines": [{"sku": "POT", "qty": 1}]});
    desk.placed(with(tea("Pots", 1), waits)).await;
    desk.placed(json!({"orderId": "cups", "lines": [{"sku": "CUP", "qty": 2}]})).await;
    desk.done("/orders/web.A-1/confirm", json!({})).await;
    desk.done("/orders/web.A-2/cancel", json!({})).await;
    desk.done("/orders/cups/status", json!({"status": "SHIPPED"})).await;
    desk
}

#[tokio::test]
async fn the_newest_order_comes_first() {
    let desk = desk().await;
    let all = desk.node.get("/orders").await;
    assert_eq!(ids(&all, "orderId"), ["cups", "Pots", "shop.B-3", "web.A-2", "web.A-1"]);
    assert_eq!((all.json["nextCursor"].clone(), all.json.get("partial")), (Value::Null, None));
    assert_eq!(all.json["items"][4], desk.order("web.A-1").await, "each as it is shown alone");
    let end = desk.end().await.to_string();
    assert_eq!(all.header("onhand-sequence"), Some(end.as_str()));
}

#[tokio::test]
async fn filters_leave_out_what_they_do_not_name() {
    let desk = desk().await;
    for (query, found) in [
        ("status=PLACED", vec!["Pots", "shop.B-3"]),
        ("status=CONFIRMED", vec!["web.A-1"]),
        ("status=SHIPPED", vec!["cups"]),
        ("status=CANCELLED", vec!["web.A-2"]),
        ("status=DELIVERED", vec![]),
        ("allocation=waiting", vec!["Pots"]),
        ("allocation=complete&status=PLACED", vec!["shop.B-3"]),
        ("allocation=none", vec![]),
        ("channelId=web", vec!["web.A-2", "web.A-1"]),
        ("channelId=none", vec![]),
        ("customerId=c-1", vec!["shop.B-3", "web.A-1"]),
        ("customerId=c-1&channelId=web", vec!["web.A-1"]),
        ("storeId=BERLIN", vec!["shop.B-3"]),
        ("storeId=PARIS", vec!["web.A-2", "web.A-1"]),
        ("storeId=NOWHERE", vec![]),
        ("search=pOT", vec!["Pots"]),
        ("search=C-1", vec!["shop.B-3", "web.A-1"]),
        ("search=b-3", vec!["shop.B-3"]),
        ("search=a", vec!["web.A-2", "web.A-1"]),
        ("search=zzz", vec![]),
        ("from=2000-01-01T00:00:00Z", vec!["cups", "Pots", "shop.B-3", "web.A-2", "web.A-1"]),
        ("to=2000-01-01T00:00:00Z", vec![]),
        ("from=2999-01-01T00:00:00Z", vec![]),
    ] {
        let answer = desk.node.get(&format!("/orders?{query}")).await;
        assert_eq!(ids(answer.is(200, ""), "orderId"), found, "{query}");
    }
}

#[tokio::test]
async fn a_time_is_where_an_order_begins_to_be_listed() {
    let desk = desk().await;
    let placed = desk.order("shop.B-3").await["placedAt"].as_str().unwrap().to_owned();
    let from = desk.node.get(&format!("/orders?from={placed}")).await;
    assert!(ids(&from, "orderId").contains(&"shop.B-3"));
    let to = desk.node.get(&format!("/orders?to={placed}")).await;
    assert!(!ids(&to, "orderId").contains(&"shop.B-3"), "before it");
}

#[tokio::test]
async fn pages_follow_each_other_whatever_is_placed_meanwhile() {
    let desk = desk().await;
    let first = desk.node.get("/orders?limit=2").await;
    assert_eq!(ids(&first, "orderId"), ["cups", "Pots"]);
    desk.placed(tea("later", 1)).await;
    let next = first.json["nextCursor"].as_str().unwrap();
    let link = format!("</orders?limit=2&cursor={next}>; rel=\"next\"");
    assert_eq!(first.header("link"), Some(link.as_str()));
    let second = desk.node.get(&format!("/orders?limit=2&cursor={next}")).await;
    assert_eq!(ids(&second, "orderId"), ["shop.B-3", "web.A-2"]);
    let next = second.json["nextCursor"].as_str().unwrap();
    let last = desk.node.get(&format!("/orders?limit=2&cursor={next}")).await;
    assert_eq!((ids(&last, "orderId"), &last.json["nextCursor"]), (vec!["web.A-1"], &Value::Null));
    // A filter holds over pages.
    let first = desk.node.get("/orders?limit=1&customerId=c-1").await;
    let next = first.json["nextCursor"].as_str().unwrap();
    let second = desk.node.get(&format!("/orders?limit=1&customerId=c-1&cursor={next}")).await;
    assert_eq!((ids(&first, "orderId"), ids(&second, "orderId")), (vec!["shop.B-3"], vec!["web.A-1"]));
    assert_eq!(second.json["nextCursor"], Value::Null);
    desk.node.get(&format!("/shipments?storeId=PARIS&cursor={next}")).await.is(400, "invalid-cursor");
}

#[tokio::test]
async fn what_is_no_filter_is_refused_by_its_name() {
    let desk = desk().await;
    for (query, parameter) in [
        ("status=placed", "status"),
        ("status=", "status"),
        ("allocation=all", "allocation"),
        ("customerId=a/b", "customerId"),
        ("storeId=", "storeId"),
        ("from=yesterday", "from"),
        ("to=1", "to"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("orderId=o-1", "orderId"),
        ("status=PLACED&status=SHIPPED", "status"),
    ] {
        let answer = desk.node.get(&format!("/orders?{query}")).await;
        assert_eq!(answer.is(400, "invalid-request").json["errors"][0]["parameter"], parameter, "{query}");
    }
    desk.node.get("/orders?cursor=x").await.is(400, "invalid-cursor");
    let answer = desk.node.get("/shipments").await;
    assert_eq!(answer.is(400, "invalid-request").json["errors"][0]["parameter"], "storeId");
    desk.node.get("/shipments?storeId=BERLIN&status=held").await.is(400, "invalid-request");
    let wrong = desk.node.say(Method::DELETE, "/orders/cups", &[], "").await;
    wrong.is(405, "method-not-allowed");
}

#[tokio::test]
async fn a_store_sees_what_it_has_to_send_the_oldest_first() {
    let desk = Desk::open().await;
    for (id, store) in
        [("o-1", "PARIS"), ("o-2", "PARIS"), ("o-3", "BERLIN"), ("o-4", "PARIS"), ("o-5", "PARIS")]
    {
        let order = with(tea(id, 1), json!({"storeId": store, "shipTo": {"city": id}}));
        desk.placed(order).await;
    }
    desk.done("/orders/o-2/cancel", json!({})).await;
    desk.done("/shipments/o-4.s1/ship", json!({})).await;
    desk.done("/orders/o-5/status", json!({"status": "SHIPPED"})).await;
    desk.done("/orders/o-5/status", json!({"status": "DELIVERED"})).await;
    let list = desk.node.get("/shipments?storeId=PARIS").await;
    let shown: Vec<_> = list.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["state"], &one["shipTo"]["city"]))
        .collect();
    assert_eq!(json!(shown), json!([["held", "o-1"], ["shipped", "o-4"]]));
    assert_eq!(ids(&list, "shipmentId"), ["o-1.s1", "o-4.s1"]);
    assert_eq!(ids(&desk.node.get("/shipments?storeId=BERLIN").await, "shipmentId"), ["o-3.s1"]);
    assert_eq!(desk.node.get("/shipments?storeId=NOWHERE").await.is(200, "").json["items"], json!([]));
    let first = desk.node.get("/shipments?storeId=PARIS&limit=1").await;
    let next = first.json["nextCursor"].as_str().unwrap();
    let second = desk.node.get(&format!("/shipments?storeId=PARIS&limit=1&cursor={next}")).await;
    assert_eq!((ids(&first, "shipmentId"), ids(&second, "shipmentId")), (vec!["o-1.s1"], vec!["o-4.s1"]));
    assert_eq!(second.json["nextCursor"], Value::Null);
}
