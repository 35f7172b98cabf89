//! Sessions: login, refresh, cookies, passwords that come with each request, signed tokens.

use super::super::Answer;
use super::persons::{OTHER, PASSWORD, access, basic, manager};
use super::{Chain, setup};
use http::Method;
use onhand_http::OpenRules;
use serde_json::{Value, json};

const JSON: &str = "application/json";

impl Chain {
    pub(super) async fn refresh(&self, token: &Value) -> Answer {
        self.node.post("/auth/refresh", &[], &json!({"refreshToken": token}).to_string()).await
    }

    /// The status of a request for who the caller is.
    async fn me(&self, header: &str, value: &str) -> u16 {
        self.node.get_with("/auth/me", &[(header, value)]).await.status.as_u16()
    }
}

#[tokio::test]
async fn a_person_logs_in_works_refreshes_and_logs_out() {
    let chain = Chain::open().await;
    let id = chain.person("ada", manager()).await;
    let first = chain.log_in(json!({"login": "Ada", "password": PASSWORD})).await;
    first.is(200, "");
    assert_eq!((&first.json["user"]["userId"], &first.json["user"]["role"]), (&json!(id), &json!("manager")));
    assert_eq!(first.json["expiresIn"], 600);
    let me = chain.get("/auth/profile", &access(&first)).await;
    assert_eq!((&me.json["login"], &me.json["kind"]), (&json!("ada"), &json!("person")));
    let sale = r#"{"storeId":"BERLIN","sku":"TEA","quantity":1}"#;
    chain.say(Method::POST, "/stock/sale", &access(&first), sale).await.is(200, "");
    chain.get("/stores/PARIS/inventory/TEA", &access(&first)).await.is(403, "forbidden");
    let history = chain.get("/stores/BERLIN/inventory/TEA/history", &chain.admin).await;
    assert_eq!(history.json["items"].as_array().unwrap().last().unwrap()["actor"], json!(id));
    let second = chain.refresh(&first.json["refreshToken"]).await;
    second.is(200, "");
    let again = chain.refresh(&first.json["refreshToken"]).await;
    assert_eq!(again.json["refreshToken"], second.json["refreshToken"], "an answer may be lost");
    assert_ne!(first.json["refreshToken"], second.json["refreshToken"]);
    chain.say(Method::POST, "/auth/logout", &access(&second), "").await.is(204, "");
    for token in [access(&first), access(&second)] {
        chain.get("/auth/me", &token).await.is(401, "unauthorized");
    }
    chain.refresh(&second.json["refreshToken"]).await.is(401, "unauthorized");
    chain.say(Method::POST, "/auth/logout", &chain.admin, "").await.is(400, "invalid-request");
}

#[tokio::test]
async fn a_refresh_token_that_was_copied_ends_its_session() {
    let chain = Chain::open().await;
    chain.person("ada", manager()).await;
    let first = chain.log_in(json!({"login": "ada", "password": PASSWORD})).await;
    let second = chain.refresh(&first.json["refreshToken"]).await;
    let third = chain.refresh(&second.json["refreshToken"]).await;
    chain.get("/auth/me", &access(&third)).await.is(200, "");
    // Two generations old: its sender has a copy.
    chain.refresh(&first.json["refreshToken"]).await.is(401, "unauthorized");
    chain.get("/auth/me", &access(&third)).await.is(401, "unauthorized");
    chain.refresh(&third.json["refreshToken"]).await.is(401, "unauthorized");
}

#[tokio::test]
async fn a_page_has_a_cookie_that_scripts_and_other_sites_do_not_see() {
    let chain = Chain::open().await;
    chain.person("ada", manager()).await;
    let asked = chain.log_in(json!({"login": "ada", "password": PASSWORD, "session": true})).await;
    let html = [("accept", "text/html,application/xhtml+xml")];
    let body = json!({"login": "ada", "password": PASSWORD}).to_string();
    let by_form = chain.node.post("/auth/login", &html, &body).await;
    let mut cookies = Vec::new();
    for answer in [&asked, &by_form] {
        answer.is(200, "");
        assert!(answer.json.get("accessToken").is_none() && answer.json.get("refreshToken").is_none());
        let set = answer.header("set-cookie").unwrap();
        for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=604800"] {
            assert!(set.contains(part), "{set}");
        }
        cookies.push(set.split(';').next().unwrap().to_owned());
    }
    assert!(cookies[0].starts_with("onhand=ohb_") && cookies[0] != cookies[1]);
    for cookie in &cookies {
        assert_eq!(chain.me("cookie", cookie).await, 200);
        assert_eq!(chain.me("cookie", &format!("{cookie}; {cookie}")).await, 401, "one too many");
        assert_eq!(chain.me("cookie", &format!("__Host-{cookie}")).await, 401, "of another transport");
        assert_eq!(chain.me("authorization", &cookie.replace("onhand=", "Bearer ")).await, 401);
    }
    let left = chain.node.post("/auth/logout", &[("cookie", &cookies[0])], "").await;
    left.is(204, "");
    assert!(left.header("set-cookie").unwrap().starts_with("onhand=; Path=/; Max-Age=0"));
    assert_eq!((chain.me("cookie", &cookies[0]).await, chain.me("cookie", &cookies[1]).await), (401, 200));
}

#[tokio::test]
async fn wrong_logins_are_one_refusal_and_have_to_wait_longer() {
    let chain = Chain::open().await;
    chain.person("ada", manager()).await;
    chain.person("bob", manager()).await;
    let outcomes = async |login: &str| {
        let mut outcomes = Vec::new();
        for _ in 0..7 {
            let answer = chain.log_in(json!({"login": login, "password": "something else"})).await;
            assert_eq!(answer.status.as_u16() == 429, answer.header("retry-after").is_some());
            outcomes.push((answer.status.as_u16(), answer.json["detail"].clone()));
        }
        outcomes
    };
    let (known, unknown) = (outcomes("ada").await, outcomes("nobody").await);
    assert_eq!(known, unknown, "nothing tells whether there is such a login");
    assert_eq!(
        known.iter().map(|(status, _)| *status).collect::<Vec<_>>(),
        [401, 401, 401, 401, 401, 429, 429]
    );
    chain.log_in(json!({"login": "ADA", "password": PASSWORD})).await.is(429, "too-many-attempts");
    chain.get("/auth/me", &basic("ada", PASSWORD)).await.is(429, "too-many-attempts");
    chain.log_in(json!({"login": "bob", "password": PASSWORD})).await.is(200, "");
}

#[tokio::test]
async fn a_password_comes_with_each_request_where_a_program_wants_it_so() {
    let chain = Chain::open().await;
    let id = chain.person("ada", manager()).await;
    for _ in 0..20 {
        let me = chain.get("/auth/me", &basic("ada", PASSWORD)).await;
        assert_eq!(me.json["principalId"], json!(id));
    }
    let change = json!({"currentPassword": PASSWORD, "password": OTHER}).to_string();
    chain.say(Method::POST, "/auth/password", &basic("ada", PASSWORD), &change).await.is(204, "");
    chain.get("/auth/me", &basic("ada", PASSWORD)).await.is(401, "unauthorized");
    chain.get("/auth/me", &basic("ada", OTHER)).await.is(200, "");
    let disable = json!({"disabled": true}).to_string();
    chain.say(Method::PATCH, &format!("/users/{id}"), &chain.admin, &disable).await.is(200, "");
    chain.get("/auth/me", &basic("ada", OTHER)).await.is(401, "unauthorized");
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    let chain = Chain::open().await;
    chain.person("ada", manager()).await;
    let here = chain.log_in(json!({"login": "ada", "password": PASSWORD})).await;
    let there = chain.log_in(json!({"login": "ada", "password": PASSWORD})).await;
    for (body, status) in [
        (json!({"currentPassword": "something else", "password": OTHER}), 401),
        (json!({"currentPassword": PASSWORD, "password": "short"}), 400),
        (json!({"currentPassword": PASSWORD, "password": "ada"}), 400),
        (json!({"currentPassword": PASSWORD, "password": OTHER}), 204),
    ] {
        let answer = chain.say(Method::POST, "/auth/password", &access(&here), &body.to_string()).await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
    chain.get("/auth/me", &access(&here)).await.is(200, "");
    chain.get("/auth/me", &access(&there)).await.is(401, "unauthorized");
    chain.refresh(&there.json["refreshToken"]).await.is(401, "unauthorized");
    chain.log_in(json!({"login": "ada", "password": PASSWORD})).await.is(401, "unauthorized");
    chain.log_in(json!({"login": "ada", "password": OTHER})).await.is(200, "");
}

#[tokio::test]
async fn passwords_do_not_go_over_plain_http() {
    let rules = OpenRules { plain_passwords: false, ..OpenRules::default() };
    let chain = Chain::of(super::Setup { open: rules, ..setup() }).await;
    let (json, grants) = (("content-type", JSON), manager());
    let with_password = json!({"login": "ada", "password": PASSWORD, "grants": grants}).to_string();
    chain.say(Method::POST, "/users", &chain.admin, &with_password).await.is(403, "tls-required");
    let invited = json!({"login": "ada", "grants": grants}).to_string();
    let added = chain.say(Method::POST, "/users", &chain.admin, &invited).await;
    added.is(201, "");
    let link = json!({"link": added.json["link"]["text"], "password": PASSWORD}).to_string();
    let login = json!({"login": "ada", "password": PASSWORD}).to_string();
    for (path, body) in [("/auth/link", link), ("/auth/login", login)] {
        chain.node.post(path, &[json], &body).await.is(403, "tls-required");
    }
    chain.get("/auth/me", &basic("ada", PASSWORD)).await.is(403, "tls-required");
}

#[tokio::test]
async fn signed_tokens_are_those_of_this_node_and_for_teams() {
    let chain = Chain::open().await;
    chain.person("ada", manager()).await;
    let session = chain.log_in(json!({"login": "ada", "password": PASSWORD})).await;
    let keys = chain.node.get("/auth/keys").await;
    assert_eq!(
        (&keys.json["keys"][0]["crv"], keys.json["keys"].as_array().unwrap().len()),
        (&json!("Ed25519"), 1)
    );
    let body =
        json!({"kind": "team", "name": "red", "jwt": true, "grants": [{"role": "team", "team": "red"}]});
    let issued = chain.say(Method::POST, "/tokens", &chain.admin, &body.to_string()).await;
    issued.is(201, "");
    let team = super::bearer(&issued);
    assert_eq!(team.matches('.').count(), 2);
    let me = chain.get("/auth/me", &team).await;
    assert_eq!(me.json["principalId"], issued.json["principalId"]);
    let till =
        json!({"kind": "till", "name": "x", "jwt": true, "grants": [{"role": "till", "stores": ["ROME"]}]});
    chain.say(Method::POST, "/tokens", &chain.admin, &till.to_string()).await.is(400, "invalid-request");
    // A node of another ledger signs with keys of its own.
    let other = Chain::open().await;
    for token in [&team, &access(&session)] {
        other.get("/auth/me", token).await.is(401, "unauthorized");
    }
    let rotate = async |body: &str| {
        chain.say(Method::POST, "/auth/keys/rotate", &chain.admin, body).await.is(200, "");
    };
    rotate("{}").await;
    for token in [&team, &access(&session)] {
        chain.get("/auth/me", token).await.is(200, "");
    }
    rotate(r#"{"revoke":true}"#).await;
    chain.get("/auth/me", &access(&session)).await.is(401, "unauthorized");
    chain.refresh(&session.json["refreshToken"]).await.is(200, "");
    let id = issued.json["tokenId"].as_str().unwrap();
    chain.say(Method::DELETE, &format!("/tokens/{id}"), &chain.admin, "").await.is(200, "");
    chain.get("/auth/me", &team).await.is(401, "unauthorized");
}
