//! Tokens: the first one, wrong, revoked and rotated ones, restarts, followers of the feed.

use super::super::request;
use super::super::{Scratch, Setup};
use super::{Chain, bearer, setup};
use axum::body::Body;
use futures_util::StreamExt;
use http::Method;
use onhand_disk::RealDisk;
use onhand_domain::identity::TokenKind;
use onhand_http::OpenRules;
use onhand_vault::FileVault;
use serde_json::{Value, json};
use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

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
    // The administrator is counted: another principal may be something less.
    chain.token("till", r#"[{"role":"till","stores":["ROME"]}]"#).await;
}

#[tokio::test]
async fn a_follower_of_the_feed_is_cut_off_when_its_token_is_revoked() {
    let chain = Chain::open().await;
    let (node, id) = chain.token("node", r#"[{"role":"node"}]"#).await;
    let headers = [("authorization", &*node), ("accept", "application/x-ndjson")];
    let body = chain.node.open_stream("/events", &headers).await;
    let mut stream = body.into_data_stream();
    let first = stream.next().await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&first).contains("BERLIN"));
    chain.say(Method::DELETE, &format!("/tokens/{id}"), &chain.admin, "").await.is(200, "");
    let rest = async { while stream.next().await.is_some() {} };
    tokio::time::timeout(Duration::from_secs(10), rest).await.expect("the stream ends");
}

#[tokio::test]
async fn a_node_that_others_reach_answers_nothing_until_there_is_an_administrator() {
    let open = OpenRules { without_principals: false, metrics: false, ..OpenRules::default() };
    let node = Scratch::open(Setup { open, ..setup() });
    for path in ["/stock/current", "/auth/me", "/tokens", "/events", "/metrics"] {
        node.get(path).await.is(401, "setup-required");
    }
    let body = r#"{"kind":"service","name":"desk","grants":[{"role":"admin"}]}"#;
    node.post("/tokens", &[("authorization", "Bearer x")], body).await.is(401, "setup-required");
    for path in ["/health", "/livez", "/openapi.yaml", "/problems/setup-required"] {
        node.get(path).await.is(200, "");
    }
}

/// The head of a request comes while its token is good, the body when it is not any more.
#[tokio::test]
async fn a_token_that_is_revoked_while_the_body_is_on_its_way_changes_nothing() {
    let chain = Chain::open().await;
    let (second, id) = chain.token("service", r#"[{"role":"admin"}]"#).await;
    let (begun, body) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
    let (asked, sent) = (Arc::clone(&begun), Arc::clone(&body));
    let late = Body::from_stream(futures_util::stream::once(async move {
        asked.notify_one();
        sent.notified().await;
        Ok::<_, std::convert::Infallible>(r#"{"kind":"service","name":"x","grants":[{"role":"admin"}]}"#)
    }));
    let headers = [("authorization", &*second), ("content-type", "application/json")];
    let edge = Arc::clone(&chain.node.edge);
    let request = request(Method::POST, "/tokens", &headers, late);
    let answer = tokio::spawn(async move { edge.handle(request).await.status() });
    begun.notified().await;
    chain.say(Method::DELETE, &format!("/tokens/{id}"), &chain.admin, "").await.is(200, "");
    body.notify_one();
    assert_eq!(answer.await.unwrap(), 401);
}

/// A directory whose log was lost, or is mounted elsewhere, would otherwise lose every token too.
#[tokio::test]
async fn the_vault_is_not_swept_beside_a_log_that_knows_nobody() {
    let node = Scratch::open(setup());
    let vault = node.node.vault.clone().unwrap();
    let (id, _) = vault.issue_token(TokenKind::Service, "of another log").unwrap();
    let path = node.directory.path().join(format!("identity/tokens/{id}.json"));
    File::open(&path).unwrap().set_modified(UNIX_EPOCH).unwrap();
    assert_eq!(node.node.ledger.sweep_vault(&*vault).unwrap(), 0);
    let admin = r#"{"kind":"service","name":"desk","grants":[{"role":"admin"}]}"#;
    assert_eq!(node.post("/tokens", &[], admin).await.status, 201);
    assert_eq!((node.node.ledger.sweep_vault(&*vault).unwrap(), path.exists()), (1, false));
}
