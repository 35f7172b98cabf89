//! Persons: how they are added, invited, changed and erased.

use super::super::Answer;
use super::{Chain, setup};
use http::Method;
use onhand_http::OpenRules;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

pub(super) const PASSWORD: &str = "correct horse stapled";
pub(super) const OTHER: &str = "rusty bridge in winter";

impl Chain {
    /// Adds a person with these grants; their id.
    pub(super) async fn person(&self, login: &str, grants: Value) -> String {
        let body = json!({"login": login, "name": "Ada Lovelace", "password": PASSWORD, "grants": grants});
        let answer = self.say(Method::POST, "/users", &self.admin, &body.to_string()).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json["userId"].as_str().unwrap().to_owned()
    }

    pub(super) async fn log_in(&self, body: Value) -> Answer {
        self.node.post("/auth/login", &[], &body.to_string()).await
    }
}

pub(super) fn access(answer: &Answer) -> String {
    format!("Bearer {}", answer.json["accessToken"].as_str().unwrap_or_else(|| panic!("{}", answer.text)))
}

pub(super) fn basic(login: &str, password: &str) -> String {
    use base64::Engine;
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{login}:{password}"));
    format!("Basic {pair}")
}

pub(super) fn manager() -> Value {
    json!([{"role": "manager", "stores": ["BERLIN"]}])
}

#[tokio::test]
async fn an_invited_person_chooses_a_password_once() {
    let chain = Chain::open().await;
    let body = json!({"email": "ada@example.com", "grants": manager()}).to_string();
    let added = chain.say(Method::POST, "/users", &chain.admin, &body).await;
    added.is(201, "");
    assert_eq!(
        (&added.json["login"], &added.json["hasPassword"]),
        (&json!("ada@example.com"), &json!(false))
    );
    let link = added.json["link"]["text"].clone();
    let redeem = async |link: &Value, password: &str| {
        let body = json!({"link": link, "password": password}).to_string();
        chain.node.post("/auth/link", &[], &body).await
    };
    chain.log_in(json!({"email": "ada@example.com", "password": PASSWORD})).await.is(401, "unauthorized");
    redeem(&link, "too short").await.is(400, "invalid-request");
    redeem(&link, PASSWORD).await.is(204, "");
    redeem(&link, OTHER).await.is(401, "unauthorized");
    let session = chain.log_in(json!({"email": "Ada@Example.com", "password": PASSWORD})).await;
    session.is(200, "");
    let id = added.json["userId"].as_str().unwrap();
    let reset = chain.say(Method::POST, &format!("/users/{id}/reset"), &chain.admin, "").await;
    reset.is(200, "");
    chain.get("/auth/me", &access(&session)).await.is(200, "");
    redeem(&reset.json["link"]["text"], OTHER).await.is(204, "");
    chain.get("/auth/me", &access(&session)).await.is(401, "unauthorized");
    chain.log_in(json!({"login": "ada@example.com", "password": OTHER})).await.is(200, "");
}

#[tokio::test]
async fn what_is_changed_about_a_person_counts_at_once() {
    let chain = Chain::open().await;
    let id = chain.person("ada", manager()).await;
    let path = format!("/users/{id}");
    let session = chain.log_in(json!({"login": "ada", "password": PASSWORD})).await;
    chain.get("/stores/ROME/inventory/TEA", &access(&session)).await.is(403, "forbidden");
    let grants = json!({"grants": [{"role": "manager", "stores": ["ROME"]}]}).to_string();
    let headers = [("authorization", &*chain.admin), ("if-match", "\"7\"")];
    let stale = chain.node.say(Method::PUT, &format!("{path}/grants"), &headers, &grants).await;
    stale.is(409, "version-conflict");
    let headers = [("authorization", &*chain.admin), ("if-match", "\"1\"")];
    let granted = chain.node.say(Method::PUT, &format!("{path}/grants"), &headers, &grants).await;
    assert_eq!((granted.status.as_u16(), &granted.json["version"]), (200, &json!(2)));
    chain.get("/stores/ROME/inventory/TEA", &access(&session)).await.is(200, "");
    chain.get("/stores/BERLIN/inventory/TEA", &access(&session)).await.is(403, "forbidden");
    let renamed = json!({"login": "countess", "name": null, "email": "ada@example.com"}).to_string();
    let patched = chain.say(Method::PATCH, &path, &chain.admin, &renamed).await;
    assert_eq!((&patched.json["login"], patched.json.get("name")), (&json!("countess"), None));
    chain.log_in(json!({"login": "ada", "password": PASSWORD})).await.is(401, "unauthorized");
    chain.log_in(json!({"login": "countess", "password": PASSWORD})).await.is(200, "");
    let found = chain.get("/users?login=ADA@example.com", &chain.admin).await;
    assert_eq!(found.json["items"][0]["userId"], json!(id));
    let disable = json!({"disabled": true}).to_string();
    chain.say(Method::PATCH, &path, &chain.admin, &disable).await.is(200, "");
    chain.get("/auth/me", &access(&session)).await.is(401, "unauthorized");
    chain.refresh(&session.json["refreshToken"]).await.is(401, "unauthorized");
    chain.log_in(json!({"login": "countess", "password": PASSWORD})).await.is(401, "unauthorized");
}

#[tokio::test]
async fn a_login_is_of_one_person() {
    let chain = Chain::open().await;
    chain.person("ada", manager()).await;
    let body = json!({"login": "ADA", "password": PASSWORD, "grants": manager()}).to_string();
    chain.say(Method::POST, "/users", &chain.admin, &body).await.is(409, "login-taken");
    let bob = chain.person("bob", manager()).await;
    let patch = json!({"login": "Ada"}).to_string();
    chain.say(Method::PATCH, &format!("/users/{bob}"), &chain.admin, &patch).await.is(409, "login-taken");
    chain.log_in(json!({"login": "bob", "password": PASSWORD})).await.is(200, "");
    let add = |number: usize| {
        let body = json!({"login": "cleo", "name": format!("{number}"), "password": PASSWORD, "grants": []});
        let chain = &chain;
        async move { chain.say(Method::POST, "/users", &chain.admin, &body.to_string()).await.status.as_u16() }
    };
    let mut statuses = futures_util::future::join_all((0..6).map(add)).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409]);
    assert_eq!(chain.get("/users", &chain.admin).await.json["items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn nobody_grants_what_they_have_not_and_an_administrator_is_always_left() {
    let chain = Chain::open().await;
    let deputy =
        json!([{"permission": "identity:manage"}, {"permission": "identity:read"}, {"role": "viewer"}]);
    chain.person("deputy", deputy).await;
    let session = access(&chain.log_in(json!({"login": "deputy", "password": PASSWORD})).await);
    let ada = chain.person("ada", json!([{"role": "admin"}])).await;
    let admin = json!({"login": "eve", "password": PASSWORD, "grants": [{"role": "admin"}]}).to_string();
    chain.say(Method::POST, "/users", &session, &admin).await.is(403, "forbidden");
    assert!(chain.get("/users?login=eve", &chain.admin).await.json["items"].as_array().unwrap().is_empty());
    for (method, path, body) in [
        (Method::PUT, format!("/users/{ada}/grants"), r#"{"grants":[]}"#),
        (Method::PATCH, format!("/users/{ada}"), r#"{"disabled":true}"#),
        (Method::POST, format!("/users/{ada}/reset"), ""),
        (Method::DELETE, format!("/users/{ada}"), ""),
    ] {
        chain.say(method, &path, &session, body).await.is(403, "forbidden");
    }
    let viewer = json!({"login": "vic", "password": PASSWORD, "grants": [{"role": "viewer"}]}).to_string();
    chain.say(Method::POST, "/users", &session, &viewer).await.is(201, "");
    // The administrators are ada and the desk's token.
    chain.say(Method::DELETE, &format!("/users/{ada}"), &chain.admin, "").await.is(204, "");
    let me = chain.get("/auth/me", &chain.admin).await;
    assert!(me.json["permissions"].as_array().unwrap().contains(&json!("identity:manage")));
}

#[tokio::test]
async fn the_first_person_is_an_administrator() {
    let node = super::Scratch::open(setup());
    let viewer = json!({"login": "ada", "password": PASSWORD, "grants": [{"role": "viewer"}]}).to_string();
    node.post("/users", &[], &viewer).await.is(409, "last-admin");
    let admin = json!({"login": "ada", "password": PASSWORD, "grants": [{"role": "admin"}]}).to_string();
    let added = node.post("/users", &[], &admin).await;
    added.is(201, "");
    node.get("/users").await.is(401, "unauthorized");
    let id = added.json["userId"].as_str().unwrap();
    let headers = [("authorization", basic("ada", PASSWORD))];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let gone = node.say(Method::DELETE, &format!("/users/{id}"), &headers, "").await;
    gone.is(409, "last-admin");
    node.get_with("/users", &headers).await.is(200, "");
}

#[tokio::test]
async fn a_retry_adds_nobody_twice_and_another_body_is_told() {
    let chain = Chain::open().await;
    let add = async |login: &str| {
        let body = json!({"login": login, "password": PASSWORD, "grants": manager()}).to_string();
        let headers = [("authorization", &*chain.admin), ("idempotency-key", "one")];
        chain.node.post("/users", &headers, &body).await
    };
    let first = add("ada").await;
    first.is(201, "");
    let again = add("ada").await;
    assert_eq!(
        (again.header("idempotency-replayed"), &again.json["userId"]),
        (Some("true"), &first.json["userId"])
    );
    add("bob").await.is(409, "idempotency-key-reused");
    assert_eq!(chain.get("/users", &chain.admin).await.json["items"].as_array().unwrap().len(), 1);
    chain.log_in(json!({"login": "bob", "password": PASSWORD})).await.is(401, "unauthorized");
    chain.person("bob", manager()).await;
}

#[tokio::test]
async fn everybody_registers_where_the_installation_says_so() {
    let chain = Chain::open().await;
    let body = json!({"email": "eve@example.com", "name": "Eve", "password": PASSWORD}).to_string();
    chain.node.post("/auth/register", &[], &body).await.is(404, "not-found");
    let rules = OpenRules { signup: true, ..OpenRules::default() };
    let chain = Chain::of(super::Setup { open: rules, ..setup() }).await;
    let registered = chain.node.post("/auth/register", &[], &body).await;
    registered.is(201, "");
    assert_eq!(registered.json["grants"], json!([{"role": "customer"}]));
    chain.node.post("/auth/register", &[], &body).await.is(409, "login-taken");
    let session = chain.log_in(json!({"email": "eve@example.com", "password": PASSWORD})).await;
    chain.get("/users", &access(&session)).await.is(403, "forbidden");
    let mut statuses = BTreeSet::new();
    for number in 0..6 {
        let body = json!({"login": format!("bot{number}"), "password": PASSWORD}).to_string();
        statuses.insert(chain.node.post("/auth/register", &[], &body).await.status.as_u16());
    }
    assert_eq!(statuses, BTreeSet::from([201, 429]));
}

/// Every file below a directory that has one of these texts in its name or content, in any case.
fn files_with(directory: &Path, texts: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, texts));
        } else if let Ok(bytes) = std::fs::read(&path) {
            let content =
                String::from_utf8_lossy(&bytes).to_lowercase() + &path.to_string_lossy().to_lowercase();
            let hits = texts.iter().filter(|text| content.contains(&text.to_lowercase()));
            found.extend(hits.map(|text| format!("{text} in {}", path.display())));
        }
    }
    found
}

#[tokio::test]
async fn of_an_erased_person_nothing_is_left() {
    let chain = Chain::open().await;
    let body = json!({"login": "countess", "name": "Ada Lovelace", "email": "ada@example.com",
                      "password": PASSWORD, "grants": manager()});
    let headers = [("authorization", &*chain.admin), ("idempotency-key", "countess-1")];
    let added = chain.node.post("/users", &headers[..1], &body.to_string()).await;
    added.is(201, "");
    let id = added.json["userId"].as_str().unwrap().to_owned();
    let session = chain.log_in(json!({"login": "countess", "password": PASSWORD})).await;
    chain.log_in(json!({"login": "countess", "password": PASSWORD, "session": true})).await.is(200, "");
    let sale = r#"{"storeId":"BERLIN","sku":"TEA","quantity":1}"#;
    chain.say(Method::POST, "/stock/sale", &access(&session), sale).await.is(200, "");
    chain
        .say(Method::PATCH, &format!("/users/{id}"), &chain.admin, r#"{"name":"Augusta Ada"}"#)
        .await
        .is(200, "");
    chain.node.upkeep();
    let directory = chain.node.directory.path().to_owned();
    let kept = std::fs::read_to_string(directory.join(format!("identity/persons/{id}.json"))).unwrap();
    let kept: Value = serde_json::from_str(&kept).unwrap();
    let hash = kept["password"].as_str().unwrap().rsplit('$').next().unwrap().to_owned();
    let texts: Vec<String> =
        ["countess", "Lovelace", "Augusta", "ada@example.com", PASSWORD, &hash].map(str::to_owned).into();
    let outside = |found: &Vec<String>| found.iter().filter(|hit| !hit.contains("/identity/")).count();
    let before = files_with(&directory, &texts);
    assert!(before.len() >= 4 && outside(&before) == 0, "{before:#?}");
    chain.say(Method::DELETE, &format!("/users/{id}"), &chain.admin, "").await.is(204, "");
    assert_eq!(files_with(&directory, &texts), Vec::<String>::new());
    assert_eq!(files_with(&directory.join("identity"), std::slice::from_ref(&id)), Vec::<String>::new());
    chain.get("/auth/me", &access(&session)).await.is(401, "unauthorized");
    chain.get(&format!("/users/{id}"), &chain.admin).await.is(404, "not-found");
    chain.say(Method::DELETE, &format!("/users/{id}"), &chain.admin, "").await.is(404, "not-found");
    assert!(chain.get("/users", &chain.admin).await.json["items"].as_array().unwrap().is_empty());
    let history = chain.get("/stores/BERLIN/inventory/TEA/history", &chain.admin).await;
    assert_eq!(
        history.json["items"].as_array().unwrap().last().unwrap()["actor"],
        json!(id),
        "the pseudonym"
    );
    // The login is free again, for somebody else.
    assert_ne!(chain.person("countess", manager()).await, id);
}
