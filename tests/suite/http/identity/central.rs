//! Logins of central at another node: which tokens are good there, and what their people may do.

use super::super::fakes::ShiftedClock;
use super::super::{NDJSON, Setup};
use super::central_shop::{ISSUER, Shop, manager};
use super::persons::{PASSWORD, access};
use super::{Chain, setup};
use http::Method;
use http_body_util::BodyExt;
use onhand_app::ports::{Claims, Vault};
use onhand_disk::RealDisk;
use onhand_domain::identity::{PrincipalId, PrincipalKind, TokenId};
use onhand_vault::FileVault;
use serde_json::{Value, json};
use std::sync::Arc;

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
    assert_eq!(me.json["grants"], manager(&["BERLIN", "PARIS"]), "those at central");
    // They change nothing about themselves here.
    let password = json!({"currentPassword": PASSWORD, "password": "rusty bridge in winter"}).to_string();
    for (path, body) in [("/auth/logout", ""), ("/auth/password", &password)] {
        let refused = chain.say(Method::POST, path, &ada, body).await;
        let detail = refused.is(400, "invalid-request").json["detail"].as_str().unwrap();
        assert!(detail.contains("at central"), "{detail}");
    }
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

/// Log time follows a corrected clock within an hour or a day; the clock of central was right all the time.
#[tokio::test]
async fn a_token_of_central_is_good_by_the_wall_clock() {
    for wrong_by in [-3 * 3_600_000, 2 * 3_600_000, 40 * 24 * 3_600_000] {
        let clock = Arc::new(ShiftedClock::by(wrong_by));
        let shop = Shop::of(Setup { clock: Arc::clone(&clock) as _, ..setup() }, &manager(&["BERLIN"])).await;
        clock.shift(0);
        let (ledger, day) = (&shop.chain.node.node.ledger, 86_400);
        assert_eq!(ledger.now() < ledger.wall_clock(), wrong_by < 0, "log time has not followed");
        shop.fetch(shop.now()).await;
        let ada = shop.person(&manager(&["BERLIN"]));
        shop.chain.get("/auth/me", &ada).await.is(200, "");
        let headers = [("authorization", &*ada), ("accept", NDJSON)];
        let mut stream = shop.chain.node.open_stream("/events?after=0", &headers).await;
        stream.frame().await.unwrap().unwrap();
        let sale = json!({"storeId": "BERLIN", "sku": "TEA", "quantity": 1}).to_string();
        shop.chain.say(Method::POST, "/stock/sale", &ada, &sale).await.is(200, "");
        stream.frame().await.unwrap().unwrap();
        // What this node signs for another one has the times of the wall clock too.
        let bob = shop.chain.person("bob", manager(&["BERLIN"])).await;
        let body = json!({"login": "bob", "password": PASSWORD, "audience": ISSUER});
        let signed = access(shop.chain.log_in(body).await.is(200, ""));
        let vault = shop.chain.node.node.vault.as_ref().unwrap();
        let claims = vault.claims_in(signed.trim_start_matches("Bearer ")).unwrap().unwrap();
        assert_eq!((claims.sub.as_str(), claims.exp - claims.iat), (&*bob, 600));
        assert!((shop.seconds() - claims.iat).abs() < 60, "signed {} s off", shop.seconds() - claims.iat);
        shop.fetch(shop.now().plus_seconds(-8 * day)).await;
        shop.chain.get("/auth/me", &ada).await.is(401, "unauthorized");
    }
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
