//! The routing of the chain: the rules that count where an order brings none.

use super::{Desk, Method, shipments, tea, with};
use serde_json::{Value, json};

/// Rules by which a store comes first.
fn first(store: &str) -> Value {
    json!({"ranks": ["priority"], "stores": {store: {"priority": 1}}})
}

#[tokio::test]
async fn orders_follow_the_rules_of_their_channel_of_the_chain_or_their_own() {
    let desk = Desk::open().await;
    let none = desk.node.get("/routing").await;
    assert_eq!((&none.is(200, "").json["version"], none.header("etag")), (&json!(0), Some("\"0\"")));
    let body = json!({"rules": first("BERLIN"), "channels": {"web": first("PARIS")}});
    let put = async |headers: &[(&str, &str)], body: &Value| {
        desk.node.say(Method::PUT, "/routing", headers, &body.to_string()).await
    };
    let set = put(&[], &body).await;
    assert_eq!(
        (&set.is(200, "").json["version"], &set.json["rules"]["ranks"]),
        (&json!(1), &json!(["priority"]))
    );
    assert_eq!(desk.node.get("/routing").await.json, set.json);
    let sender = async |order: Value| shipments(&desk.placed(order).await)[0].0.to_owned();
    assert_eq!(sender(tea("o-1", 1)).await, "BERLIN");
    let of_channel = |external: &str| json!({"channelId": "web", "externalId": external, "lines": [{"sku": "TEA", "qty": 1}]});
    assert_eq!(sender(of_channel("1")).await, "PARIS");
    assert_eq!(sender(with(of_channel("2"), json!({"rules": first("BERLIN")}))).await, "BERLIN");
    assert_eq!(sender(with(tea("o-2", 1), json!({"storeId": "PARIS"}))).await, "PARIS");
    let plan = desk.done("/orders/plan", json!({"lines": [{"sku": "TEA", "qty": 1}]})).await;
    assert_eq!(plan["parts"][0]["storeId"], "BERLIN");
    put(&[("if-match", "0")], &body).await.is(409, "version-conflict");
    put(&[("if-match", "1")], &json!({"rules": {}})).await.is(200, "");
    for (body, at) in [
        (json!({}), ""),
        (json!({"rules": null}), "/rules"),
        (json!({"rules": {"ranks": ["cheapest"]}}), "/rules/ranks/0"),
        (json!({"rules": {"keepsBack": -1}}), "/rules"),
        (json!({"rules": {}, "channels": {"a.b": {}}}), "/channels"),
        (json!({"rules": {}, "version": 1}), ""),
    ] {
        let answer = put(&[], &body).await;
        assert!(super::pointer(answer.is(400, "invalid-request")).starts_with(at), "{body}: {}", answer.text);
    }
    let events = desk.node.get("/events?type=ROUTING").await;
    assert_eq!(events.is(200, "").json["items"].as_array().unwrap().len(), 2);
}
