//! Logins of central at another node: which tokens are good there, and what their people may do.

use super::super::NDJSON;
use super::persons::{PASSWORD, access};
use super::{Chain, setup};
use http::Method;
use http_body_util::BodyExt;
use onhand_app::identity::DeclaredCentral;
use onhand_app::ports::{Claims, Vault};
use onhand_disk::RealDisk;
use onhand_domain::Timestamp;
use onhand_domain::identity::{PrincipalId, PrincipalKind, TokenId};
use onhand_vault::FileVault;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) const URL: &str = "https://central.example.com";
pub(super) const ISSUER: &str = "urn:uuid:00000000-0000-0000-0000-00000000000c";

/// A shop, and the vault of a central whose keys it has fetched.
pub(super) struct Shop {
    pub(super) chain: Chain,
    pub(super) central: FileVault,
    _directory: tempfile::TempDir,
}

impl Shop {
    pub(super) async fn open(ceiling: &Value) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let central = FileVault::open(Arc::new(RealDisk), directory.path().join("identity")).unwrap();
        let shop = Self { chain: Chain::open().await, central, _directory: directory };
        shop.central.rotate_keys(false, shop.now()).unwrap();
        shop.declare(ceiling).await;
        shop.fetch(shop.now()).await;
        shop
    }

    pub(super) fn now(&self) -> Timestamp {
        self.chain.node.node.ledger.now()
    }

    pub(super) async fn declare(&self, ceiling: &Value) {
        let ceiling = serde_json::from_value(ceiling.clone()).unwrap();
        let logins = self.chain.node.node.central_logins.as_ref().unwrap();
        logins.declare(Some(DeclaredCentral { url: URL.to_owned(), ceiling })).await;
    }

    async fn fetch(&self, at: Timestamp) {
        let logins = self.chain.node.node.central_logins.as_ref().unwrap();
        logins.learn(URL, ISSUER.to_owned(), self.central.public_keys().unwrap(), at).await.unwrap();
    }

    /// The claims of a person with these grants, that are good.
    fn claims(&self, grants: &Value) -> Claims {
        let now = self.now().milliseconds().div_euclid(1_000);
        Claims {
            iss: ISSUER.to_owned(),
            aud: format!("urn:uuid:{}", self.chain.node.node.ledger_id),
            sub: PrincipalId::of_bits(PrincipalKind::Person, 1_000),
            sid: Some(TokenId::of_bits(1)),
            jti: None,
            iat: now,
            exp: now + 600,
            grants: serde_json::from_value(grants.clone()).unwrap(),
        }
    }

    fn signed(&self, claims: &Claims) -> String {
        format!("Bearer {}", self.central.sign(claims, self.now()).unwrap())
    }

    pub(super) fn person(&self, grants: &Value) -> String {
        self.signed(&self.claims(grants))
    }
}

pub(super) fn manager(stores: &[&str]) -> Value {
    json!([{"role": "manager", "stores": stores}])
}

#[tokio::test]
async fn a_person_of_central_may_do_what_both_allow() {
    let shop = Shop::open(&manager(&["BERLIN", "ROME"])).await;
    let chain = &shop.chain;
    let ada = shop.person(&manager(&["BERLIN", "PARIS"]));
    let sale = |store: &str| json!({"storeId": store, "sku": "TEA", "quantity": 1}).to_string();
    chain.say(Method::POST, "/stock/sale", &ada, &sale("BERLIN")).await.is(200, "");
    for store in ["PARIS", "ROME"] {
        let refused = chain.say(Method::POST, "/stock/sale", &ada, &sale(store)).await;
        refused.is(403, "forbidden");
        assert_eq!((&refused.json["scope"], &refused.json["have"]), (&json!(store), &json!(["BERLIN"])));
    }
    let me = chain.get("/auth/me", &ada).await;
    let id = shop.claims(&json!([])).sub;
    assert_eq!((&me.json["principalId"], &me.json["kind"]), (&json!(id.as_str()), &json!("person")));
    assert!(me.json["permissions"].as_array().unwrap().contains(&json!("stock:sell")), "{}", me.text);
    let history = chain.get("/stores/BERLIN/inventory/TEA/history", &chain.admin).await;
    assert_eq!(history.json["items"].as_array().unwrap().last().unwrap()["actor"], json!(id.as_str()));
    // An administrator of central is none here, and a grant of a later version gives nothing.
    let admin = shop.person(&json!([{"role": "admin"}, {"role": "of-a-later-version"}]));
    chain.say(Method::POST, "/stock/sale", &admin, &sale("ROME")).await.is(200, "");
    chain.get("/users", &admin).await.is(403, "forbidden");
    chain.get("/stores/PARIS/inventory/TEA", &admin).await.is(403, "forbidden");
    chain.get("/stores/BERLIN/inventory/TEA", &shop.person(&json!([]))).await.is(403, "forbidden");
    // They change nothing about themselves here.
    chain.say(Method::POST, "/auth/logout", &ada, "").await.is(400, "invalid-request");
    let password = json!({"currentPassword": PASSWORD, "password": "rusty bridge in winter"}).to_string();
    chain.say(Method::POST, "/auth/password", &ada, &password).await.is(400, "invalid-request");
    // What somebody tries again is one change, whichever token of theirs is shown.
    let mut again = shop.claims(&manager(&["BERLIN"]));
    again.sid = Some(TokenId::of_bits(2));
    let key = [("authorization", &*ada), ("idempotency-key", "till-1")];
    let first = chain.node.say(Method::POST, "/stock/sale", &key, &sale("BERLIN")).await;
    let key = [("authorization", &*shop.signed(&again)), ("idempotency-key", "till-1")];
    let second = chain.node.say(Method::POST, "/stock/sale", &key, &sale("BERLIN")).await;
    assert_eq!((first.status.as_u16(), &first.text), (200, &second.text));
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
}

#[tokio::test]
async fn a_token_that_central_did_not_sign_for_this_node_is_refused() {
    let shop = Shop::open(&manager(&["BERLIN"])).await;
    let chain = &shop.chain;
    let local = chain.person("ada", manager(&["BERLIN"])).await;
    let local = PrincipalId::new(&local).unwrap();
    let good = shop.claims(&manager(&["BERLIN"]));
    chain.get("/auth/me", &shop.signed(&good)).await.is(200, "");
    let changed = |change: fn(&mut Claims)| {
        let mut claims = good.clone();
        change(&mut claims);
        claims
    };
    let of_another_kind = |kind| Claims { sub: PrincipalId::of_bits(kind, 7), ..good.clone() };
    for (what, claims) in [
        ("central's own", changed(|claims| claims.aud = "onhand".to_owned())),
        ("of another node", changed(|claims| claims.aud = ISSUER.to_owned())),
        ("of another issuer", changed(|claims| claims.iss = "urn:uuid:other".to_owned())),
        ("as if it were this node's own", changed(|claims| claims.iss = claims.aud.clone())),
        ("expired", changed(|claims| claims.exp = claims.iat)),
        ("for years", changed(|claims| claims.exp += 100_000_000)),
        ("of all times", changed(|claims| (claims.iat, claims.exp) = (i64::MIN, i64::MAX))),
        ("of the future", changed(|claims| claims.iat += 120)),
        ("without a session", changed(|claims| claims.sid = None)),
        ("of a team", changed(|claims| claims.jti = Some(TokenId::of_bits(3)))),
        ("of a service", of_another_kind(PrincipalKind::Service)),
        ("of a node", of_another_kind(PrincipalKind::Node)),
        ("of a person of this node", Claims { sub: local, ..good.clone() }),
    ] {
        let answer = chain.get("/auth/me", &shop.signed(&claims)).await;
        assert_eq!((answer.status.as_u16(), &answer.json["code"]), (401, &json!("unauthorized")), "{what}");
    }
    let stranger_directory = tempfile::tempdir().unwrap();
    let stranger = FileVault::open(Arc::new(RealDisk), stranger_directory.path().join("identity")).unwrap();
    let forged = format!("Bearer {}", stranger.sign(&good, shop.now()).unwrap());
    chain.get("/auth/me", &forged).await.is(401, "unauthorized");
    // What this node signs for central is not good here either.
    let other = json!({"login": "ada", "password": PASSWORD, "audience": ISSUER});
    let for_central = chain.log_in(other).await;
    chain.get("/auth/me", &access(for_central.is(200, ""))).await.is(401, "unauthorized");
}

#[tokio::test]
async fn a_login_is_good_for_as_long_as_what_it_rests_on() {
    let shop = Shop::open(&manager(&["BERLIN"])).await;
    let chain = &shop.chain;
    let ada = shop.person(&manager(&["BERLIN"]));
    let follow = async || {
        let headers = [("authorization", &*ada), ("accept", NDJSON)];
        let mut body = chain.node.open_stream("/events?after=0", &headers).await;
        body.frame().await.unwrap().unwrap();
        body
    };
    let logins = chain.node.node.central_logins.as_ref().unwrap();
    let ended = async |mut body: axum::body::Body| {
        while let Some(frame) = body.frame().await {
            if frame.is_err() {
                return;
            }
        }
    };
    // A fetch that brings nothing new ends nothing, another ceiling does.
    let stream = follow().await;
    shop.fetch(shop.now()).await;
    chain.get("/auth/me", &ada).await.is(200, "");
    shop.declare(&manager(&["ROME"])).await;
    ended(stream).await;
    chain.get("/stores/BERLIN/inventory/TEA", &ada).await.is(403, "forbidden");
    shop.declare(&manager(&["BERLIN"])).await;
    chain.get("/stores/BERLIN/inventory/TEA", &ada).await.is(200, "");
    // Keys that central has revoked end what they have signed.
    let stream = follow().await;
    shop.central.rotate_keys(true, shop.now()).unwrap();
    chain.get("/auth/me", &ada).await.is(200, "");
    shop.fetch(shop.now()).await;
    ended(stream).await;
    chain.get("/auth/me", &ada).await.is(401, "unauthorized");
    // Keys that have not been fetched for a week are not believed, nor those of a clock that was a week ahead.
    let bob = shop.person(&manager(&["BERLIN"]));
    let day = 86_400;
    for (days, good) in [(-8, false), (-6, true), (8, false), (0, true)] {
        shop.central.rotate_keys(false, shop.now()).unwrap();
        shop.fetch(shop.now().plus_seconds(days * day)).await;
        let status = chain.get("/auth/me", &bob).await.status.as_u16();
        assert_eq!(status, if good { 200 } else { 401 }, "fetched {days} days from now");
    }
    logins.declare(None).await;
    chain.get("/auth/me", &bob).await.is(401, "unauthorized");
}

#[tokio::test]
async fn a_login_for_another_node_says_what_is_wrong_with_it() {
    let chain = Chain::of(setup()).await;
    chain.person("ada", manager(&["BERLIN"])).await;
    let login = |audience: Value| json!({"login": "ada", "password": PASSWORD, "audience": audience});
    for wrong in [json!("onhand"), json!(""), json!("urn:uuid:x"), json!(ISSUER.to_uppercase()), json!(null)]
    {
        let refused = chain.log_in(login(wrong.clone())).await;
        refused.is(400, "invalid-request");
        assert!(refused.json["pointer"].as_str().unwrap_or("/audience").contains("audience"), "{wrong}");
    }
    let mut both = login(json!(ISSUER));
    both["session"] = json!(true);
    chain.log_in(both).await.is(400, "invalid-request");
    let names: Vec<String> = (0..400).map(|number| format!("STORE-{number}")).collect();
    let body =
        json!({"login": "bob", "password": PASSWORD, "grants": [{"role": "manager", "stores": names}]});
    chain.say(Method::POST, "/users", &chain.admin, &body.to_string()).await.is(201, "");
    let refused = chain.log_in(json!({"login": "bob", "password": PASSWORD, "audience": ISSUER})).await;
    refused.is(400, "invalid-request");
    assert!(refused.json["detail"].as_str().unwrap().contains("too many grants"), "{}", refused.text);
    // A refusal costs no session.
    let own = chain.log_in(json!({"login": "bob", "password": PASSWORD})).await;
    let sessions = || {
        let folder = std::fs::read_dir(chain.node.directory.path().join("identity/sessions")).unwrap();
        let mut files: Vec<_> = folder.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
        files.sort();
        files
    };
    let before = sessions();
    let body = json!({"refreshToken": own.json["refreshToken"], "audience": ISSUER}).to_string();
    chain.node.post("/auth/refresh", &[], &body).await.is(400, "invalid-request");
    let again = json!({"login": "bob", "password": PASSWORD, "audience": ISSUER});
    chain.log_in(again).await.is(400, "invalid-request");
    assert!(sessions() == before, "no session was begun, and no refresh token replaced");
    chain.refresh(&own.json["refreshToken"]).await.is(200, "");
    // The refresh token stays one of this node, and gets either kind.
    let first = chain.log_in(login(json!(ISSUER))).await;
    let body = json!({"refreshToken": first.json["refreshToken"], "audience": ISSUER}).to_string();
    let second = chain.node.post("/auth/refresh", &[], &body).await;
    chain.get("/auth/me", &access(second.is(200, ""))).await.is(401, "unauthorized");
    let third = chain.refresh(&second.json["refreshToken"]).await;
    chain.get("/auth/me", &access(third.is(200, ""))).await.is(200, "");
}
