//! Who may do what: every route for every kind of caller, scopes in path, body, batch and import, what lists and the feed show,
//! tokens that are rotated, revoked, expired or wrong.

use super::{Answer, Scratch, Setup};
use http::Method;
use onhand_disk::RealDisk;
use onhand_http::{Need, routes};
use onhand_vault::FileVault;
use serde_json::{Value, json};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

/// A node with stock in three stores, and its first administrator.
struct Chain {
    node: Scratch,
    admin: String,
}

fn setup() -> Setup {
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let vault = FileVault::open(Arc::new(RealDisk), directory.path().join("identity")).unwrap();
    Setup { vault: Some(Arc::new(vault)), directory, others: Some(Vec::new()), ..Setup::default() }
}

impl Chain {
    async fn open() -> Self {
        let node = Scratch::open(setup());
        for store in ["BERLIN", "PARIS", "ROME"] {
            node.stock(&format!("/stores/{store}/inventory/TEA"), 10).await;
        }
        let body = r#"{"kind":"service","name":"desk","grants":[{"role":"admin"}]}"#;
        let first = node.post("/tokens", &[], body).await;
        assert_eq!(first.status, 201, "{}", first.text);
        let admin = bearer(&first);
        Self { node, admin }
    }

    /// A token with these grants; its value of `Authorization`, and its id.
    async fn token(&self, kind: &str, grants: &str) -> (String, String) {
        let body = format!(r#"{{"kind":"{kind}","name":"a {kind}","grants":{grants}}}"#);
        let answer = self.node.post("/tokens", &[("authorization", &self.admin)], &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        (bearer(&answer), answer.json["tokenId"].as_str().unwrap().to_owned())
    }

    async fn get(&self, path: &str, authorization: &str) -> Answer {
        self.node.get_with(path, &[("authorization", authorization)]).await
    }

    async fn say(&self, method: Method, path: &str, authorization: &str, body: &str) -> Answer {
        self.node.say(method, path, &[("authorization", authorization)], body).await
    }
}

fn bearer(answer: &Answer) -> String {
    format!("Bearer {}", answer.json["token"].as_str().unwrap())
}

fn stores(answer: &Answer) -> Vec<&str> {
    let items = answer.json["items"].as_array().unwrap().iter();
    items.map(|item| item["storeId"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn nobody_has_to_log_in_until_there_is_an_administrator() {
    let node = Scratch::open(setup());
    let me = node.get("/auth/me").await;
    assert_eq!((&me.json["principalId"], &me.json["mode"]), (&json!("local"), &json!("development")));
    let till = r#"{"kind":"till","name":"till-3","grants":[{"role":"till","stores":["BERLIN"]}]}"#;
    node.post("/tokens", &[], till).await.is(409, "last-admin");
    node.get("/tokens").await.is(200, "");
    let admin = r#"{"kind":"service","name":"desk","grants":[{"role":"admin"}]}"#;
    let first = node.post("/tokens", &[], admin).await;
    assert_eq!(first.status, 201, "{}", first.text);
    let refused = node.get("/stock/current").await;
    refused.is(401, "unauthorized");
    assert_eq!(refused.header("www-authenticate"), Some("Bearer realm=\"onhand\""));
    let me = node.get_with("/auth/me", &[("authorization", &bearer(&first))]).await;
    assert_eq!((&me.json["principalId"], &me.json["kind"]), (&first.json["principalId"], &json!("service")));
    node.get("/health").await.is(200, "");
}

#[tokio::test]
async fn a_credential_that_is_not_good_is_one_refusal() {
    let chain = Chain::open().await;
    let (till, id) = chain.token("till", r#"[{"role":"till","stores":["BERLIN"]}]"#).await;
    let good = till.clone();
    let mut wrong =
        vec![String::new(), "Basic YTpi".into(), "Bearer".into(), "Bearer  ".into(), "Bearer x".into()];
    // Every character counts.
    for at in "Bearer ".len()..good.len() {
        let other = if good.as_bytes()[at] == b'A' { "B" } else { "A" };
        wrong.push(format!("{}{other}{}", &good[..at], &good[at + 1..]));
    }
    for credential in &wrong {
        chain.get("/stores/BERLIN/inventory/TEA", credential).await.is(401, "unauthorized");
    }
    let twice = [("authorization", &*good), ("authorization", &*good)];
    chain.node.get_with("/stores/BERLIN/inventory/TEA", &twice).await.is(401, "unauthorized");
    chain.get("/stores/BERLIN/inventory/TEA", &good.replace("Bearer", "bEARER")).await.is(200, "");
    let revoked = chain.say(Method::DELETE, &format!("/tokens/{id}"), &chain.admin, "").await;
    assert_eq!((revoked.status.as_u16(), &revoked.json["revoked"]), (200, &json!(true)));
    chain.get("/stores/BERLIN/inventory/TEA", &good).await.is(401, "unauthorized");
}

/// What a caller gets for a request of a route: `-` when the door lets it through, whatever is wrong with it then.
fn met(answer: &Answer) -> String {
    match answer.status.as_u16() {
        status @ (401 | 403) => status.to_string(),
        _ => "-".to_owned(),
    }
}

#[tokio::test]
async fn every_route_is_open_to_whom_it_should_be() {
    let chain = Chain::open().await;
    let everywhere = ["admin", "viewer", "store-admin", "node", "auditor", "metrics", "backup"];
    let in_stores = ["manager", "warehouse-staff", "till", "shop"];
    let mut callers =
        vec![("nobody".to_owned(), String::new()), ("malformed".to_owned(), "Bearer x".to_owned())];
    for role in everywhere {
        callers.push((role.to_owned(), chain.token("service", &format!(r#"[{{"role":"{role}"}}]"#)).await.0));
    }
    for role in in_stores {
        let (inside, outside) = (format!("{role} inside"), format!("{role} outside"));
        let grant = |store: &str| format!(r#"[{{"role":"{role}","stores":["{store}"]}}]"#);
        callers.push((inside, chain.token("service", &grant("BERLIN")).await.0));
        callers.push((outside, chain.token("service", &grant("PARIS")).await.0));
    }
    let mut matrix = String::new();
    for (name, credential) in &callers {
        let mut row = String::new();
        for route in routes() {
            let path = route
                .template
                .replace("{storeId}", "BERLIN")
                .replace("{sku}", "TEA")
                .replace("{tokenId}", "000000000000");
            let answer = chain.say(route.method.clone(), &path, credential, "{}").await;
            let met = met(&answer);
            let is_public = matches!(route.need, Need::Public | Need::Metrics);
            assert!(!is_public || met == "-", "{name}: {} {path}", route.method);
            assert!(is_public || credential.starts_with("Bearer oh") || met == "401", "{name}: {path}");
            if !is_public {
                let _ = writeln!(row, "    {met:4} {} {}", route.method, route.template);
            }
            // HEAD, and the other addresses of the route, are behind the same door.
            if route.method == Method::GET && !is_public {
                let head = chain.node.head(&path, &[("authorization", credential)]).await;
                assert_eq!(matches!(head.as_u16(), 401 | 403), met != "-", "HEAD {path}");
            }
            for address in route.addresses().filter(|address| *address != route.template && !is_public) {
                let path = address.replace("{storeId}", "BERLIN").replace("{sku}", "TEA");
                let path = path.replace("{tokenId}", "000000000000");
                let other = chain.node.bare(&route.method, &path, &[("authorization", credential)]).await;
                assert_eq!(matches!(other, 401 | 403), met != "-", "{name}: {} {path}", route.method);
            }
        }
        let _ = writeln!(matrix, "{name}\n{row}");
    }
    insta::assert_snapshot!(matrix);
}

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
    assert_eq!(refused.json["scope"], "ROME");
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
async fn the_actor_is_the_principal_and_a_retry_with_another_token_is_the_same() {
    let chain = Chain::open().await;
    let (till, id) = chain.token("till", r#"[{"role":"till","stores":["BERLIN"]}]"#).await;
    let sale = r#"{"storeId":"BERLIN","sku":"TEA","quantity":1}"#;
    let headers = [("authorization", &*till), ("idempotency-key", "k")];
    let first = chain.node.post("/stock/sale", &headers, sale).await;
    assert_eq!(first.header("idempotency-replayed"), None, "{}", first.text);
    let rotate = format!("/tokens/{id}/rotate");
    let rotated = chain.say(Method::POST, &rotate, &chain.admin, r#"{"graceSeconds":3600}"#).await;
    assert_eq!(rotated.status, 201, "{}", rotated.text);
    let other = bearer(&rotated);
    let headers = [("authorization", &*other), ("idempotency-key", "k")];
    let again = chain.node.post("/stock/sale", &headers, sale).await;
    assert_eq!((again.header("idempotency-replayed"), &again.json), (Some("true"), &first.json));
    // Another principal has keys of its own.
    let (another, _) = chain.token("till", r#"[{"role":"till","stores":["BERLIN"]}]"#).await;
    let headers = [("authorization", &*another), ("idempotency-key", "k")];
    let new = chain.node.post("/stock/sale", &headers, sale).await;
    assert_eq!(new.header("idempotency-replayed"), None);
    let history = chain.get("/stores/BERLIN/inventory/TEA/history", &chain.admin).await;
    let actors: Vec<&Value> =
        history.json["items"].as_array().unwrap().iter().map(|item| &item["actor"]).collect();
    let principal = &rotated.json["principalId"];
    assert!(actors.contains(&&json!("local")) && actors.contains(&principal), "{actors:?}");
    chain.get("/stores/BERLIN/inventory/TEA", &till).await.is(200, "");
    let rotate = format!("/tokens/{}/rotate", rotated.json["tokenId"].as_str().unwrap());
    let now = chain.say(Method::POST, &rotate, &chain.admin, "{}").await;
    assert_eq!(now.status, 201, "{}", now.text);
    chain.get("/stores/BERLIN/inventory/TEA", &other).await.is(401, "unauthorized");
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
async fn what_is_granted_and_revoked_survives_a_restart() {
    let chain = Chain::open().await;
    let (till, _) = chain.token("till", r#"[{"role":"till","stores":["BERLIN"]}]"#).await;
    let (gone, id) = chain.token("till", r#"[{"role":"till","stores":["BERLIN"]}]"#).await;
    chain.say(Method::DELETE, &format!("/tokens/{id}"), &chain.admin, "").await.is(200, "");
    let mode = chain.say(Method::PUT, "/mode", &chain.admin, r#"{"mode":"judging"}"#).await;
    assert_eq!(mode.status, 200, "{}", mode.text);
    let directory = Arc::clone(&chain.node.directory);
    let open = || FileVault::open(Arc::new(RealDisk), directory.path().join("identity")).unwrap();
    let node = chain.node.restart(Setup { vault: Some(Arc::new(open())), ..Setup::default() });
    let chain = Chain { node, admin: chain.admin };
    chain.get("/stores/BERLIN/inventory/TEA", &till).await.is(200, "");
    chain.get("/stores/PARIS/inventory/TEA", &till).await.is(403, "forbidden");
    chain.get("/stores/BERLIN/inventory/TEA", &gone).await.is(401, "unauthorized");
    assert_eq!(chain.get("/mode", &chain.admin).await.json["mode"], "judging");
}

#[tokio::test]
async fn a_follower_of_the_feed_is_cut_off_when_its_token_is_revoked() {
    let chain = Chain::open().await;
    let (node, id) = chain.token("node", r#"[{"role":"node"}]"#).await;
    let headers = [("authorization", &*node), ("accept", "application/x-ndjson")];
    let body = chain.node.open_stream("/events", &headers).await;
    chain.say(Method::DELETE, &format!("/tokens/{id}"), &chain.admin, "").await.is(200, "");
    let rest = tokio::time::timeout(Duration::from_secs(10), axum::body::to_bytes(body, 1 << 20)).await;
    let text = String::from_utf8(rest.expect("the stream ends").unwrap().to_vec()).unwrap();
    assert!(text.contains("BERLIN"), "what was before is there");
}
