//! The last administrator: somebody can always log in to manage identity.

use super::super::{Answer, request};
use super::{Chain, bearer};
use axum::body::Body;
use http::Method;
use onhand_app::ports::KeptPerson;
use onhand_domain::Timestamp;
use onhand_domain::identity::{PrincipalId, PrincipalKind};
use onhand_http::LocalPeer;

const ADMIN: &str = r#"[{"role":"admin"}]"#;

async fn revoke(chain: &Chain, id: &str, by: &str) -> Answer {
    chain.say(Method::DELETE, &format!("/tokens/{id}"), by, "").await
}

/// The id of the first administrator's token.
async fn first(chain: &Chain) -> String {
    let page = chain.get("/tokens", &chain.admin).await;
    let desk = page.json["items"].as_array().unwrap().iter().find(|token| token["name"] == "desk");
    desk.unwrap()["tokenId"].as_str().unwrap().to_owned()
}

fn id(answer: &Answer) -> &str {
    answer.json["tokenId"].as_str().unwrap()
}

#[tokio::test]
async fn the_last_token_is_revoked_over_the_socket_only() {
    let chain = Chain::open().await;
    let last = first(&chain).await;
    revoke(&chain, &last, &chain.admin).await.is(409, "last-admin");
    let path = format!("/tokens/{last}/rotate");
    let rotated = chain.say(Method::POST, &path, &chain.admin, r#"{"graceSeconds":604800}"#).await;
    let new = bearer(&rotated);
    // The old one is on its way out, so it does not count.
    revoke(&chain, id(&rotated), &new).await.is(409, "last-admin");
    revoke(&chain, &last, &new).await.is(200, "");
    revoke(&chain, &last, &new).await.is(200, "");
    let mut over_socket = request(Method::DELETE, &format!("/tokens/{}", id(&rotated)), &[], Body::empty());
    over_socket.extensions_mut().insert(LocalPeer { uid: 0 });
    chain.node.send(over_socket).await.is(200, "");
    chain.get("/auth/me", &new).await.is(401, "unauthorized");
}

#[tokio::test]
async fn a_person_counts_with_a_password() {
    let chain = Chain::open().await;
    let ada = PrincipalId::of_bits(PrincipalKind::Person, 1);
    let person = |password: Option<&str>| KeptPerson {
        created_at: Timestamp::EPOCH,
        login: "ada".to_owned(),
        name: None,
        email: None,
        password: password.map(str::to_owned),
    };
    let vault = chain.node.node.vault.clone().unwrap();
    vault.keep_person(&ada, &person(None)).unwrap();
    chain.put_principal(true, &ada, ADMIN, false).await;
    let last = first(&chain).await;
    revoke(&chain, &last, &chain.admin).await.is(409, "last-admin");
    vault.keep_person(&ada, &person(Some("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA"))).unwrap();
    chain.put_principal(false, &ada, ADMIN, true).await;
    revoke(&chain, &last, &chain.admin).await.is(409, "last-admin");
    chain.put_principal(false, &ada, ADMIN, false).await;
    revoke(&chain, &last, &chain.admin).await.is(200, "");
}

#[tokio::test]
async fn two_that_revoke_each_other_at_once_leave_one() {
    let chain = Chain::open().await;
    let one = first(&chain).await;
    let (second, two) = chain.token("service", ADMIN).await;
    let (left, right) = tokio::join!(revoke(&chain, &two, &chain.admin), revoke(&chain, &one, &second));
    let revoked = [&left, &right].into_iter().filter(|answer| answer.status == 200).count();
    assert_eq!(revoked, 1, "{} {}", left.text, right.text);
}

/// An administrator without a token that is good is none that could go on.
#[tokio::test]
async fn one_who_cannot_log_in_does_not_take_the_place_of_another() {
    let chain = Chain::open().await;
    chain.expired().await;
    revoke(&chain, &first(&chain).await, &chain.admin).await.is(409, "last-admin");
}
