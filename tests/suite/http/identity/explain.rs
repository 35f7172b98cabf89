//! `GET /auth/explain`: its verdict is that of the door, for every principal.

use super::Chain;
use http::Method;
use onhand_http::routes;
use serde_json::json;

/// Asks about a request as the administrator.
async fn explained(chain: &Chain, who: &str, method: &Method, path: &str) -> serde_json::Value {
    let path: String = form_urlencoded::byte_serialize(path.as_bytes()).collect();
    let who: String = form_urlencoded::byte_serialize(who.as_bytes()).collect();
    let answer =
        chain.get(&format!("/auth/explain?principal={who}&method={method}&path={path}"), &chain.admin).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json
}

#[tokio::test]
async fn the_verdict_is_that_of_the_door() {
    let chain = Chain::open().await;
    let (mut yes, mut no) = (0, 0);
    for grants in [
        r#"[{"role":"admin"}]"#,
        r#"[{"role":"viewer"}]"#,
        r#"[{"role":"manager","stores":["BERLIN"]}]"#,
        r#"[{"role":"manager","stores":["PARIS"]}]"#,
        r#"[{"role":"till","stores":["BERLIN"]}]"#,
        r#"[{"role":"metrics"},{"permission":"stock:read","stores":["PARIS"]}]"#,
        r#"[{"role":"team","team":"red"}]"#,
        r#"[{"role":"customer"}]"#,
    ] {
        let (credential, id) = chain.token("service", grants).await;
        for route in routes() {
            // An address that ends a token, or waits for ever, is asked about by others.
            let path = route.template.replace("{storeId}", "BERLIN").replace("{sku}", "TEA");
            let path = path.replace("{tokenId}", "000000000000");
            for path in [path.clone(), format!("/api{path}")] {
                let door = chain.node.bare(&route.method, &path, &[("authorization", &credential)]).await;
                let verdict = explained(&chain, &id, &route.method, &path).await;
                let admitted = !matches!(door, 401 | 403);
                assert_eq!(
                    verdict["allowed"], admitted,
                    "{grants}: {} {path}: {door} {verdict}",
                    route.method
                );
                *(if admitted { &mut yes } else { &mut no }) += 1;
            }
        }
    }
    assert!(yes > 100 && no > 100, "{yes} {no}");
}

#[tokio::test]
async fn it_says_what_decides() {
    let chain = Chain::open().await;
    let (_, till) =
        chain.token("till", r#"[{"role":"till","stores":["BERLIN"]},{"permission":"ops:read"}]"#).await;
    let (_, team) = chain.token("team", r#"[{"role":"team","team":"red"}]"#).await;
    let paris = explained(&chain, &till, &Method::POST, "/stores/PARIS/inventory/TEA/reserve?x=1").await;
    assert_eq!(paris["reason"], "stock:reserve is not granted in the store PARIS");
    assert_eq!((&paris["needs"], &paris["scope"]), (&json!("stock:reserve"), &json!("PARIS")));
    assert_eq!(paris["route"], "POST /stores/{storeId}/inventory/{sku}/reserve");
    assert_eq!(paris["grants"][0]["why"], "it gives stock:reserve in BERLIN alone, which is not enough here");
    assert_eq!(paris["grants"][1]["why"], "it does not include stock:reserve");
    let berlin = explained(&chain, &till, &Method::POST, "/stores/BERLIN/inventory/TEA/reserve").await;
    assert_eq!((&berlin["allowed"], &berlin["grants"][0]["gives"]), (&json!(true), &json!(true)));
    let wrong = explained(&chain, &till, &Method::DELETE, "/stores/BERLIN/inventory/TEA").await;
    assert_eq!(wrong["reason"], "/stores/BERLIN/inventory/TEA does not take DELETE");
    // By the id of its principal, and by its name.
    let principal = paris["principalId"].as_str().unwrap();
    assert_eq!(explained(&chain, principal, &Method::GET, "/stock/current").await["allowed"], true);
    assert_eq!(explained(&chain, "a till", &Method::GET, "/stock/current").await["principalId"], principal);
    let (_, second) = chain.token("till", r#"[{"role":"till","stores":["BERLIN"]}]"#).await;
    let several = chain.get("/auth/explain?principal=a+till&method=GET&path=/stores", &chain.admin).await;
    several.is(400, "invalid-request");
    assert!(several.text.contains(&till) && several.text.contains(&second), "{}", several.text);
    chain.say(Method::DELETE, &format!("/tokens/{till}"), &chain.admin, "").await.is(200, "");
    let revoked = explained(&chain, &till, &Method::GET, "/stock/current").await;
    assert_eq!((&revoked["allowed"], &revoked["reason"]), (&json!(false), &json!("the token is revoked")));
    assert_eq!(explained(&chain, &till, &Method::GET, "/health").await["allowed"], true, "it is public");
    for (query, status, code) in [
        ("principal=nobody&method=GET&path=/stores", 404, "not-found"),
        ("principal=u_000000000000&method=GET&path=/stores", 404, "not-found"),
        ("principal=x&method=GET&path=stores", 400, "invalid-request"),
        ("principal=x&method=G%20T&path=/stores", 400, "invalid-request"),
        ("principal=x&method=GET", 400, "invalid-request"),
        ("method=GET&path=/stores", 400, "invalid-request"),
    ] {
        chain.get(&format!("/auth/explain?{query}"), &chain.admin).await.is(status, code);
    }
    let judged = explained(&chain, &team, &Method::GET, "/stock/current").await;
    assert_eq!(judged["mode"], "development");
}

/// Where the body decides, its command is checked: the verdict is that of the request, and nothing is changed.
#[tokio::test]
async fn a_body_is_checked_as_if_it_were_sent() {
    let chain = Chain::open().await;
    let grants =
        r#"[{"role":"till","stores":["BERLIN"]},{"permission":"stock:adjust","stores":["BERLIN","ROME"]}]"#;
    let (till, id) = chain.token("till", grants).await;
    let operation = |store: &str| json!({"op": "adjust", "storeId": store, "sku": "TEA", "delta": 1});
    let sale = |store: &str| json!({"storeId": store, "sku": "TEA", "quantity": 1});
    for (path, body, reason) in [
        (
            "/inventory/batch",
            json!({"operations": [operation("BERLIN"), operation("ROME")]}),
            "all that the body does is granted",
        ),
        (
            "/inventory/batch",
            json!({"operations": [operation("BERLIN"), operation("PARIS")]}),
            "stock:adjust is not granted in the store PARIS (/operations/1)",
        ),
        ("/stock/sale", sale("BERLIN"), "all that the body does is granted"),
        ("/stock/sale", sale("ROME"), "stock:sell is not granted in the store ROME"),
        ("/stock/add", sale("BERLIN"), "stock:receive is not granted here"),
    ] {
        let before = chain.get("/stores/BERLIN/inventory/TEA", &chain.admin).await.text;
        let query = format!("/auth/explain?principal={id}&method=POST&path={path}");
        let verdict = chain.say(Method::POST, &query, &chain.admin, &body.to_string()).await;
        assert_eq!(verdict.status, 200, "{}", verdict.text);
        assert_eq!(verdict.json["reason"], reason, "{path} {body}: {}", verdict.text);
        assert_eq!(chain.get("/stores/BERLIN/inventory/TEA", &chain.admin).await.text, before);
        let sent = chain.say(Method::POST, path, &till, &body.to_string()).await;
        assert_eq!(verdict.json["allowed"], sent.status != 403, "{path} {body}: {}", sent.text);
    }
    let broken = "/auth/explain?principal=a+till&method=POST&path=/inventory/batch";
    chain.say(Method::POST, broken, &chain.admin, r#"{"operations":[]}"#).await.is(400, "invalid-request");
}
