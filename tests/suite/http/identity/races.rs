//! Changes of persons that meet each other, come again, or meet a damaged file.

use super::Chain;
use super::persons::{OTHER, PASSWORD, access, manager};
use http::Method;
use serde_json::json;

#[tokio::test]
async fn changes_of_one_person_at_once_all_count() {
    let chain = Chain::open().await;
    for round in 0..20 {
        let id = chain.person(&format!("ada{round}"), manager()).await;
        let (path, grants) = (format!("/users/{id}"), format!("/users/{id}/grants"));
        let viewer = r#"{"grants":[{"role":"viewer"}]}"#;
        let (disabled, granted, renamed) = tokio::join!(
            chain.say(Method::PATCH, &path, &chain.admin, r#"{"disabled":true}"#),
            chain.say(Method::PUT, &grants, &chain.admin, viewer),
            chain.say(Method::PATCH, &path, &chain.admin, r#"{"name":"Countess"}"#),
        );
        for answer in [&disabled, &granted, &renamed] {
            answer.is(200, "");
        }
        let left = chain.get(&path, &chain.admin).await.json;
        assert_eq!(
            (&left["disabled"], &left["role"], &left["name"], &left["version"]),
            (&json!(true), &json!("viewer"), &json!("Countess"), &json!(4))
        );
    }
}

#[tokio::test]
async fn a_retry_does_not_undo_what_came_after_its_try() {
    let chain = Chain::open().await;
    let id = chain.person("ada", manager()).await;
    let rename = async |name: &str, key: &str| {
        let headers = [("authorization", &*chain.admin), ("idempotency-key", key)];
        let body = json!({"name": name}).to_string();
        let answer = chain.node.say(Method::PATCH, &format!("/users/{id}"), &headers, &body).await;
        answer.is(200, "");
        chain.get(&format!("/users/{id}"), &chain.admin).await.json["name"].as_str().unwrap().to_owned()
    };
    assert_eq!(rename("One", "a").await, "One");
    assert_eq!(rename("One", "a").await, "One");
    assert_eq!(rename("Two", "b").await, "Two");
    assert_eq!(rename("One", "a").await, "Two");
}

#[tokio::test]
async fn a_change_whose_login_is_taken_changes_nothing() {
    let chain = Chain::open().await;
    chain.person("ada", manager()).await;
    let bob = chain.person("bob", manager()).await;
    for body in [json!({"disabled": true, "login": "ADA"}), json!({"disabled": true, "email": "a@b"})] {
        let taken = body["login"].is_string();
        let answer =
            chain.say(Method::PATCH, &format!("/users/{bob}"), &chain.admin, &body.to_string()).await;
        if taken {
            answer.is(409, "login-taken");
        }
        let left = chain.get(&format!("/users/{bob}"), &chain.admin).await.json;
        assert_eq!(left["disabled"], json!(!taken));
    }
}

#[tokio::test]
async fn a_link_ends_with_other_grants_and_a_session_with_its_person() {
    let chain = Chain::open().await;
    let id = chain.person("ada", manager()).await;
    let reset = chain.say(Method::POST, &format!("/users/{id}/reset"), &chain.admin, "").await;
    let session = chain.log_in(json!({"login": "ada", "password": PASSWORD})).await;
    let grants = r#"{"grants":[{"role":"admin"}]}"#;
    chain.say(Method::PUT, &format!("/users/{id}/grants"), &chain.admin, grants).await.is(200, "");
    let link = json!({"link": reset.json["link"]["text"], "password": OTHER}).to_string();
    chain.node.post("/auth/link", &[], &link).await.is(401, "unauthorized");
    chain.get("/users", &access(&session)).await.is(200, "");
    for body in [r#"{"disabled":true}"#, r#"{"disabled":false}"#] {
        chain.say(Method::PATCH, &format!("/users/{id}"), &chain.admin, body).await.is(200, "");
    }
    chain.get("/users", &access(&session)).await.is(401, "unauthorized");
}

#[tokio::test]
async fn a_person_whose_file_is_damaged_is_disabled_and_erased() {
    let chain = Chain::open().await;
    let id = chain.person("ada", manager()).await;
    chain.person("bob", manager()).await;
    let file = chain.node.directory.path().join(format!("identity/persons/{id}.json"));
    let kept = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, kept.replace("ada", "eve")).unwrap();
    chain.get(&format!("/users/{id}"), &chain.admin).await.is(500, "internal");
    let list = chain.get("/users", &chain.admin).await;
    assert_eq!(list.json["items"].as_array().unwrap().len(), 1, "the other one is shown");
    chain.say(Method::DELETE, &format!("/users/{id}"), &chain.admin, "").await.is(204, "");
    assert!(!file.exists());
    chain.person("ada", manager()).await;
}
