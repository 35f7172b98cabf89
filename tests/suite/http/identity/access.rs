//! Access: scopes in path, body, batch, import, lists and the feed.

use super::{Chain, stores};
use http::Method;
use serde_json::json;

#[tokio::test]
async fn a_change_needs_what_it_does_wherever_it_comes_in() {
    let chain = Chain::open().await;
    let (till, _) = chain.token("till", r#"[{"role":"till","stores":["BERLIN"]}]"#).await;
    let sale = |store: &str| format!(r#"{{"storeId":"{store}","sku":"TEA","quantity":1}}"#);
    chain.say(Method::POST, "/stock/sale", &till, &sale("BERLIN")).await.is(200, "");
    let refused = chain.say(Method::POST, "/stock/sale", &till, &sale("PARIS")).await;
    refused.is(403, "forbidden");
    assert_eq!(
        (&refused.json["needs"], &refused.json["scope"], &refused.json["have"]),
        (&json!("stock:sell"), &json!("PARIS"), &json!(["BERLIN"]))
    );
    chain.say(Method::POST, "/stock/add", &till, &sale("BERLIN")).await.is(403, "forbidden");
    chain
        .say(Method::POST, "/stores/BERLIN/inventory/TEA/adjust", &till, r#"{"delta":1}"#)
        .await
        .is(403, "forbidden");
    // One operation of a batch refuses all of it, atomic or not, and nothing is done.
    for atomic in [true, false] {
        let body = json!({"atomic": atomic, "operations": [
            {"op": "reserve", "storeId": "BERLIN", "sku": "TEA", "qty": 1},
            {"op": "reserve", "storeId": "PARIS", "sku": "TEA", "qty": 1},
        ]});
        let refused = chain.say(Method::POST, "/inventory/batch", &till, &body.to_string()).await;
        refused.is(403, "forbidden");
        assert_eq!(refused.json["pointer"], "/operations/1");
    }
    let (importer, _) = chain.token("service", r#"[{"permission":"import:run","stores":["BERLIN"]}]"#).await;
    let rows = json!({"afterRow": 0, "throughRow": 2, "last": true, "rows": [
        {"row": 1, "storeId": "BERLIN", "sku": "TEA", "kind": "stock-in", "quantity": 1},
        {"row": 2, "storeId": "ROME", "sku": "TEA", "kind": "stock-in", "quantity": 1},
    ]});
    let refused = chain.say(Method::POST, "/imports/one/rows", &importer, &rows.to_string()).await;
    refused.is(403, "forbidden");
    assert_eq!((&refused.json["scope"], &refused.json["pointer"]), (&json!("ROME"), &json!("/rows/1")));
    let level = chain.get("/stores/BERLIN/inventory/TEA", &till).await;
    assert_eq!((&level.json["qty"], &level.json["onHand"]), (&json!(9), &json!(9)), "one sale, nothing else");
}

#[tokio::test]
async fn lists_and_the_feed_show_the_stores_of_the_caller() {
    let chain = Chain::open().await;
    let grants =
        r#"[{"role":"manager","stores":["BERLIN","ROME"]},{"permission":"central:read","stores":["ROME"]}]"#;
    let (manager, _) = chain.token("service", grants).await;
    for path in ["/stock/current", "/stock/movements", "/stores"] {
        let mine = chain.get(path, &manager).await;
        assert_eq!((stores(&mine), &mine.json["partial"]), (vec!["BERLIN", "ROME"], &json!(true)), "{path}");
        let all = chain.get(path, &chain.admin).await;
        assert_eq!((stores(&all).len(), all.json.get("partial")), (3, None), "{path}");
    }
    let mut seen = Vec::new();
    let mut path = "/stock/current?limit=1".to_owned();
    loop {
        let page = chain.get(&path, &manager).await;
        seen.extend(stores(&page).into_iter().map(str::to_owned));
        let Some(cursor) = page.json["nextCursor"].as_str() else { break };
        path = format!("/stock/current?limit=1&cursor={cursor}");
    }
    assert_eq!(seen, ["BERLIN", "ROME"]);
    let page = chain.get("/stores?limit=1", &manager).await;
    let next = format!("/stores?limit=1&cursor={}", page.json["nextCursor"].as_str().unwrap());
    let last = chain.get(&next, &manager).await;
    assert_eq!(
        (stores(&page), stores(&last), last.json["nextCursor"].is_null()),
        (vec!["BERLIN"], vec!["ROME"], true)
    );
    chain.get("/stock/current?storeId=PARIS", &manager).await.is(403, "forbidden");
    chain.get("/stock/movements?storeId=PARIS", &manager).await.is(403, "forbidden");
    chain.get("/events?storeId=PARIS", &manager).await.is(403, "forbidden");
    let csv = [("authorization", &*manager), ("accept", "text/csv")];
    for path in ["/stock/current", "/stock/movements", "/stock/movements/sums"] {
        let table = chain.node.get_with(path, &csv).await;
        assert!(table.text.contains("BERLIN") && !table.text.contains("PARIS"), "{path}: {}", table.text);
    }
    let sums = chain.get("/stock/movements/sums?by=store", &manager).await;
    assert_eq!((stores(&sums), &sums.json["partial"]), (vec!["BERLIN", "ROME"], &json!(true)));
    let events = chain.get("/events", &manager).await;
    let items = events.json["items"].as_array().unwrap();
    assert!(items.iter().all(|event| event["payload"]["storeId"] != "PARIS"), "{}", events.text);
    assert_eq!((items.len(), &events.json["partial"]), (2, &json!(true)));
    assert!(events.json["through"].as_u64().unwrap() > 4, "the position passes over what is filtered");
}

#[tokio::test]
async fn nobody_grants_what_they_have_not() {
    let chain = Chain::open().await;
    let (manager, _) =
        chain.token("service", r#"[{"permission":"identity:manage"},{"permission":"stock:read"}]"#).await;
    for (grants, status) in [
        (r#"[{"permission":"stock:read","stores":["BERLIN"]}]"#, 201),
        (r#"[{"permission":"stock:sell"}]"#, 403),
        (r#"[{"role":"admin"}]"#, 403),
    ] {
        let body = format!(r#"{{"kind":"service","name":"x","grants":{grants}}}"#);
        let answer = chain.say(Method::POST, "/tokens", &manager, &body).await;
        assert_eq!(answer.status.as_u16(), status, "{grants}: {}", answer.text);
    }
    // Nor does a token of somebody who has more come within reach.
    let page = chain.get("/tokens", &chain.admin).await;
    let admin_token =
        page.json["items"].as_array().unwrap().iter().find(|token| token["name"] == "desk").unwrap();
    let id = admin_token["tokenId"].as_str().unwrap();
    chain.say(Method::POST, &format!("/tokens/{id}/rotate"), &manager, "{}").await.is(403, "forbidden");
    chain.say(Method::DELETE, &format!("/tokens/{id}"), &manager, "").await.is(403, "forbidden");
    chain.get("/auth/me", &chain.admin).await.is(200, "");
}

#[tokio::test]
async fn the_feed_shows_identity_to_those_who_may_read_it_and_to_nodes() {
    let chain = Chain::open().await;
    let (viewer, _) = chain.token("service", r#"[{"role":"viewer"}]"#).await;
    let (node, _) = chain.token("node", r#"[{"role":"node"}]"#).await;
    let kinds = async |authorization: &str| -> Vec<String> {
        let events = chain.get("/events", authorization).await;
        let items = events.json["items"].as_array().unwrap().iter();
        items.map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds(&viewer).await, ["ADJUST"; 3]);
    let all = kinds(&node).await;
    assert_eq!((all.len(), kinds(&chain.admin).await), (9, all));
}

#[tokio::test]
async fn a_login_to_look_for_has_the_bounds_of_logins() {
    let chain = Chain::open().await;
    for (login, status) in [("", 400), (&"é".repeat(254)[..], 200), (&"x".repeat(255)[..], 400)] {
        let login: String = form_urlencoded::byte_serialize(login.as_bytes()).collect();
        let answer = chain.get(&format!("/users?login={login}"), &chain.admin).await;
        assert_eq!(answer.status.as_u16(), status, "{login}: {}", answer.text);
    }
}
