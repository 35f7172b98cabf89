//! Who sees and moves which orders: customers their own, those who work in stores what concerns their stores.

use super::super::identity::Chain;
use super::{Answer, Method, ids, tea, with};
use serde_json::{Value, json};

/// A chain with ten pieces of tea in each of BERLIN, PARIS and ROME, and an order in each but ROME.
async fn chain() -> Chain {
    let chain = Chain::open().await;
    for (id, store) in [("o-1", "BERLIN"), ("o-2", "PARIS")] {
        let order =
            with(tea(id, 1), json!({"storeId": store, "customerId": "c-9", "shipTo": {"city": store}}));
        place(&chain, &chain.admin, &order).await.is(201, "");
    }
    chain
}

async fn place(chain: &Chain, who: &str, body: &Value) -> Answer {
    chain.say(Method::POST, "/orders", who, &body.to_string()).await
}

async fn step(chain: &Chain, who: &str, path: &str) -> Answer {
    let body = if path.ends_with("/refuse") { r#"{"reason":"busy"}"# } else { "{}" };
    chain.say(Method::POST, path, who, body).await
}

/// Two customers, with their ids.
async fn customers(chain: &Chain) -> [(String, String); 2] {
    let customer = r#"[{"role":"customer"}]"#;
    let mut found = Vec::new();
    for _ in 0..2 {
        let (who, _) = chain.token("service", customer).await;
        let id = chain.get("/auth/me", &who).await.json["principalId"].as_str().unwrap().to_owned();
        found.push((who, id));
    }
    found.try_into().unwrap()
}

#[tokio::test]
async fn customers_see_and_place_their_own_orders_only() {
    let chain = chain().await;
    let [(ada, ada_id), (bob, bob_id)] = customers(&chain).await;
    let placed = place(&chain, &ada, &with(tea("o-3", 2), json!({"shipTo": {"city": "London"}}))).await;
    assert_eq!(placed.is(201, "").json["customerId"], ada_id, "it is hers without being said");
    place(&chain, &bob, &with(tea("o-4", 1), json!({"customerId": bob_id}))).await.is(201, "");
    let other = place(&chain, &ada, &with(tea("o-5", 1), json!({"customerId": bob_id}))).await;
    assert_eq!(super::pointer(other.is(400, "invalid-request")), "/customerId");
    for (who, own, others) in [(&ada, "o-3", ["o-1", "o-4"]), (&bob, "o-4", ["o-2", "o-3"])] {
        let list = chain.get("/orders", who).await;
        assert_eq!((ids(&list, "orderId"), list.json.get("partial")), (vec![own], None));
        assert_eq!(chain.get("/orders?search=o-", who).await.json["items"].as_array().unwrap().len(), 1);
        chain.get(&format!("/orders/{own}"), who).await.is(200, "");
        let history = chain.get(&format!("/orders/{own}/history"), who).await;
        assert_eq!(history.is(200, "").json["items"][0]["change"], "held");
        for id in others {
            chain.get(&format!("/orders/{id}"), who).await.is(404, "order-not-found");
            chain.get(&format!("/orders/{id}/history"), who).await.is(404, "order-not-found");
        }
    }
    chain.get(&format!("/orders?customerId={bob_id}"), &ada).await.is(400, "invalid-request");
    let own = chain.get(&format!("/orders?customerId={ada_id}"), &ada).await;
    assert_eq!(ids(&own, "orderId"), ["o-3"]);
    // An id that somebody else has used says that it is taken, and nothing about the order.
    let taken = place(&chain, &bob, &tea("o-3", 2)).await;
    taken.is(409, "order-exists");
    assert!(!taken.text.contains("London") && !taken.text.contains(&ada_id), "{}", taken.text);
    for path in ["/orders/o-3/cancel", "/orders/o-3/confirm", "/orders/o-3/allot", "/shipments/o-3.s1/ship"] {
        step(&chain, &ada, path).await.is(403, "forbidden");
    }
    for path in ["/shipments?storeId=PARIS", "/shipments/o-3.s1"] {
        chain.get(path, &ada).await.is(403, "forbidden");
    }
}

#[tokio::test]
async fn a_manager_sees_the_orders_with_a_shipment_in_their_stores() {
    let chain = chain().await;
    let both = with(tea("o-3", 17), json!({"rules": {"stores": {"ROME": {"excluded": true}}}}));
    place(&chain, &chain.admin, &both).await.is(201, "");
    let (manager, _) = chain.token("service", r#"[{"role":"manager","stores":["BERLIN","ROME"]}]"#).await;
    let list = chain.get("/orders", &manager).await;
    assert_eq!((ids(&list, "orderId"), &list.json["partial"]), (vec!["o-3", "o-1"], &json!(true)));
    assert_eq!(ids(&chain.get("/orders?storeId=PARIS", &manager).await, "orderId"), ["o-3"]);
    chain.get("/orders/o-1", &manager).await.is(200, "");
    chain.get("/orders/o-2", &manager).await.is(404, "order-not-found");
    chain.get("/orders/o-2/history", &manager).await.is(404, "order-not-found");
    // A store that has refused it is still concerned.
    step(&chain, &chain.admin, "/shipments/o-1.s1/refuse").await.is(200, "");
    chain.get("/orders/o-1", &manager).await.is(200, "");
}

#[tokio::test]
async fn staff_of_a_warehouse_see_and_send_the_shipments_of_their_store() {
    let chain = chain().await;
    let (staff, _) = chain.token("service", r#"[{"role":"warehouse-staff","stores":["PARIS"]}]"#).await;
    let list = chain.get("/shipments?storeId=PARIS", &staff).await;
    assert_eq!(ids(&list, "shipmentId"), ["o-2.s1"]);
    assert_eq!(list.json["items"][0]["shipTo"], json!({"city": "PARIS"}), "where it goes");
    let other = chain.get("/shipments?storeId=BERLIN", &staff).await;
    assert_eq!(other.is(403, "forbidden").json["have"], json!(["PARIS"]));
    assert_eq!(chain.get("/shipments/o-2.s1", &staff).await.is(200, "").json["shipTo"]["city"], "PARIS");
    chain.get("/shipments/o-1.s1", &staff).await.is(404, "shipment-not-found");
    for path in ["/orders", "/orders/o-2", "/orders/o-2/history"] {
        chain.get(path, &staff).await.is(403, "forbidden");
    }
    for verb in ["instruct", "ship", "deliver", "refuse", "cancel"] {
        step(&chain, &staff, &format!("/shipments/o-1.s1/{verb}")).await.is(404, "shipment-not-found");
        step(&chain, &staff, &format!("/shipments/o-9.s1/{verb}")).await.is(404, "shipment-not-found");
    }
    for verb in ["instruct", "ship", "deliver"] {
        step(&chain, &staff, &format!("/shipments/o-2.s1/{verb}")).await.is(200, "");
    }
    for verb in ["confirm", "cancel", "allot"] {
        step(&chain, &staff, &format!("/orders/o-2/{verb}")).await.is(403, "forbidden");
    }
    // It may refuse, and other stores send in its place; which ones is none of its business.
    place(&chain, &chain.admin, &with(tea("o-3", 1), json!({"storeId": "PARIS"}))).await.is(201, "");
    step(&chain, &staff, "/shipments/o-3.s1/refuse").await.is(200, "");
    chain.get("/shipments/o-3.s2", &staff).await.is(404, "shipment-not-found");
    let who = chain.get("/orders/o-2/history", &chain.admin).await.json;
    let me = chain.get("/auth/me", &staff).await.json["principalId"].clone();
    assert_eq!(who["items"][3]["actor"], me, "{who}");
}

#[tokio::test]
async fn a_shop_places_orders_in_its_own_stores() {
    let chain = chain().await;
    let (shop, _) = chain.token("service", r#"[{"role":"shop","stores":["ROME"]}]"#).await;
    let placed = place(&chain, &shop, &tea("o-3", 4)).await;
    assert_eq!(placed.is(201, "").json["shipments"][0]["storeId"], "ROME");
    let short = place(&chain, &shop, &tea("o-4", 7)).await;
    assert_eq!(short.is(409, "insufficient-stock").json["shortages"][0]["available"], 6);
    let elsewhere = place(&chain, &shop, &with(tea("o-4", 1), json!({"storeId": "PARIS"}))).await;
    assert!(matches!(elsewhere.status.as_u16(), 403 | 409), "{}", elsewhere.text);
    let waits = with(tea("o-4", 7), json!({"policy": {"partial": "backorder"}}));
    assert_eq!(place(&chain, &shop, &waits).await.is(201, "").json["lines"][0]["waiting"], 1);
}

#[tokio::test]
async fn who_runs_the_chain_does_all_of_it_and_others_nothing() {
    let chain = chain().await;
    let (runs, _) = chain.token("service", r#"[{"role":"store-admin"}]"#).await;
    place(&chain, &runs, &tea("o-3", 1)).await.is(201, "");
    assert_eq!(ids(&chain.get("/orders", &runs).await, "orderId"), ["o-3", "o-2", "o-1"]);
    for path in ["/orders/o-3/confirm", "/orders/o-3/allot", "/shipments/o-3.s1/ship", "/orders/o-1/cancel"] {
        step(&chain, &runs, path).await.is(200, "");
    }
    let (viewer, _) = chain.token("service", r#"[{"role":"viewer"}]"#).await;
    assert_eq!(ids(&chain.get("/orders", &viewer).await, "orderId").len(), 3);
    place(&chain, &viewer, &tea("o-4", 1)).await.is(403, "forbidden");
    step(&chain, &viewer, "/orders/o-2/cancel").await.is(403, "forbidden");
    chain.get("/shipments?storeId=PARIS", &viewer).await.is(403, "forbidden");
    let (till, _) = chain.token("service", r#"[{"role":"till","stores":["PARIS"]}]"#).await;
    for path in ["/orders", "/orders/o-1", "/shipments?storeId=PARIS", "/shipments/o-2.s1"] {
        chain.get(path, &till).await.is(403, "forbidden");
    }
    place(&chain, &till, &tea("o-4", 1)).await.is(403, "forbidden");
}

#[tokio::test]
async fn a_customer_sets_no_price_and_no_rule() {
    let chain = chain().await;
    let [(ada, _), _] = customers(&chain).await;
    let line = json!({"sku": "TEA", "qty": 1, "unitPrice": 1, "discount": 0, "tax": 0, "name": "Gold"});
    let body = json!({
        "lines": [line], "currency": "EUR", "channelId": "web", "externalId": "1", "storeId": "ROME", "rules": {},
        "policy": {"confirm": "auto"},
    });
    let refused = place(&chain, &ada, &body).await;
    let errors = refused.is(400, "invalid-request").json["errors"].as_array().unwrap();
    let pointers: Vec<&str> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(
        pointers,
        [
            "/channelId",
            "/externalId",
            "/currency",
            "/storeId",
            "/rules",
            "/policy",
            "/lines/0/name",
            "/lines/0/unitPrice",
            "/lines/0/discount",
            "/lines/0/tax"
        ]
    );
    assert_eq!(chain.get("/orders", &ada).await.json["items"], json!([]));
}
