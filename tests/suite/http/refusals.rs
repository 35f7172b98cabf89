//! Requests that are rejected before they reach the ledger, and the form of the rejection.

use super::{Answer, Scratch, request};
use axum::body::Body;
use http::Method;

const LEVEL: &str = "/stores/S1/inventory/A-1";

#[tokio::test]
async fn an_unknown_route_is_a_problem() {
    let node = Scratch::new();
    for (method, path, status, code) in [
        ("GET", "/api/api", 404, "not-found"),
        ("GET", "/api/inventory", 404, "not-found"),
        ("GET", "/api/inventory/", 404, "not-found"),
        ("POST", "/", 405, "method-not-allowed"),
        ("GET", "/shelves", 404, "not-found"),
        ("GET", "/stores/S1/inventory/", 404, "not-found"),
        ("GET", "/api/inventory/health/liveness", 404, "not-found"),
        ("GET", "/problems/no-such-code", 404, "not-found"),
        ("GET", "/docs/../Cargo.toml", 404, "not-found"),
        ("GET", "/docs/secret", 404, "not-found"),
        ("DELETE", LEVEL, 405, "method-not-allowed"),
        ("OPTIONS", LEVEL, 405, "method-not-allowed"),
        ("GET", "/stores/S1/inventory/A-1/adjust", 405, "method-not-allowed"),
        ("POST", "/metrics", 405, "method-not-allowed"),
        ("POST", "/metrics?x=1", 405, "method-not-allowed"),
    ] {
        let method: Method = method.parse().unwrap();
        let answer = node.send(request(method, path, &[], Body::empty())).await;
        answer.is(status, code);
        assert_eq!(answer.json["instance"], path.split('?').next().unwrap());
        assert_eq!(answer.headers.contains_key("allow"), status == 405, "{path}");
    }
    let answer = node.send(request(Method::PUT, LEVEL, &[], Body::empty())).await;
    assert_eq!(answer.header("allow"), Some("GET,HEAD"));
}

#[tokio::test]
async fn paths_and_queries_are_held_to_the_contract() {
    let node = Scratch::new();
    for (path, parameter) in [
        ("/stores/S%20/inventory/A", "storeId"),
        ("/stores/S1/inventory/A%2FB", "sku"),
        ("/stores/S1/inventory/%20A", "sku"),
        ("/stores/S1/inventory/%00", "sku"),
        ("/stores/S1/inventory/%FF", "sku"),
        ("/stores/%C3%28/inventory", "storeId"),
        ("/stores/S1/inventory?limit=0", "limit"),
        ("/stores/S1/inventory?limit=1001", "limit"),
        ("/stores/S1/inventory?limt=5", "limt"),
        ("/stores/S1/inventory?limit=5&limit=6", "limit"),
        ("/stores/S1/inventory/A?asOf=yesterday", "asOf"),
        ("/stores/S1/inventory/A?asOf=99", "asOf"),
        ("/stores/S1/inventory/A?asOf=9999-01-01T00:00:00Z", "asOf"),
        ("/stores/S1/inventory/A/history?type=THEFT", "type"),
        ("/stores/S1/inventory/A/history?since=noon", "since"),
        ("/health/liveness?verbose=1", "verbose"),
        ("/imports/a%20b", "importId"),
    ] {
        let answer = node.get(path).await;
        answer.is(400, "invalid-request");
        assert_eq!(answer.json["errors"][0]["parameter"], parameter, "{path}: {}", answer.text);
    }
    for path in ["/stores/S1/inventory?cursor=x", "/stores/S1/inventory?cursor="] {
        node.get(path).await.is(400, "invalid-cursor");
    }
}

#[tokio::test]
async fn bodies_need_a_media_type_and_stay_within_bounds() {
    let node = Scratch::new();
    let path = format!("{LEVEL}/adjust");
    let sized = |bytes: usize| format!(r#"{{"delta":1,"reason":"x"{}}}"#, " ".repeat(bytes - 24));
    assert_eq!(sized(100).len(), 100);
    for (kind, body, status, code) in [
        (Some("text/plain"), "{}".to_owned(), 415, "unsupported-media-type"),
        (None, "{}".to_owned(), 415, "unsupported-media-type"),
        (Some("application/x-ndjson"), "{}".to_owned(), 415, "unsupported-media-type"),
        (Some("application/json"), sized((64 << 10) + 1), 413, "body-too-large"),
        (Some("application/json"), String::new(), 400, "invalid-request"),
        (Some("application/json"), "[1]".to_owned(), 400, "invalid-request"),
        (Some("application/json"), "[".repeat(10_000), 400, "invalid-request"),
        (Some("application/json"), r#"{"delta":0}"#.to_owned(), 400, "invalid-request"),
        (Some("application/json; charset=utf-8"), sized(64 << 10), 200, ""),
    ] {
        let headers: Vec<_> = kind.iter().map(|kind| ("content-type", *kind)).collect();
        node.send(request(Method::POST, &path, &headers, Body::from(body))).await.is(status, code);
    }
}

#[tokio::test]
async fn invalid_conditions_and_keys_are_rejected() {
    let node = Scratch::new();
    node.stock(LEVEL, 5).await;
    let path = format!("{LEVEL}/adjust");
    for (header, value, body) in [
        ("if-match", "W/\"1\"", r#"{"delta":1}"#),
        ("if-match", "\"1\", \"2\"", r#"{"delta":1}"#),
        ("if-match", "one", r#"{"delta":1}"#),
        ("if-match", "\"1\"", r#"{"delta":1,"expectedVersion":2}"#),
        ("if-match", "*", r#"{"delta":1,"expectedVersion":1}"#),
        ("idempotency-key", "", r#"{"delta":1}"#),
        ("idempotency-key", "a b", r#"{"delta":1}"#),
    ] {
        node.post(&path, &[(header, value)], body).await.is(400, "invalid-request");
    }
    let batch = r#"{"operations":[{"op":"adjust","storeId":"S1","sku":"A-1","delta":1}]}"#;
    node.post("/inventory/batch", &[("if-match", "1")], batch).await.is(400, "invalid-request");
    assert_eq!(node.get(LEVEL).await.json["version"], 1, "none of it had an effect");
}

#[tokio::test]
async fn request_ids_are_taken_or_made() {
    let node = Scratch::new();
    let answer = node.get_with("/livez", &[("x-request-id", "till-7.order_1")]).await;
    assert_eq!(answer.header("x-request-id"), Some("till-7.order_1"));
    let answer = node.get_with("/nowhere", &[("x-request-id", "till 7")]).await;
    assert_ne!(answer.is(404, "not-found").header("x-request-id"), Some("till 7"));
}

#[tokio::test]
async fn every_problem_type_leads_somewhere() {
    let node = Scratch::new();
    let list = node.get("/problems").await;
    let items = list.json["items"].as_array().unwrap();
    assert!(items.len() > 15);
    for item in items {
        let place = item["type"].as_str().unwrap();
        assert_eq!(&node.get(place).await.json, item);
        let page = node.get_with(place, &[("accept", BROWSER)]).await;
        assert!(
            page.is_a_page().text.contains(&format!("<h1>{}</h1>", item["title"].as_str().unwrap())),
            "{}",
            page.text
        );
        assert!(!page.text.contains('`'), "{}", page.text);
    }
    let page = node.get_with("/api/problems", &[("accept", BROWSER)]).await;
    assert_eq!(page.is_a_page().text.matches("<tr>").count(), items.len());
    node.get_with("/problems/no-such-code", &[("accept", BROWSER)]).await.is(404, "not-found");
}

/// The `Accept` header of Chromium for an address that a user opens.
const BROWSER: &str =
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8";

impl Answer {
    /// Checks that this is a page that no other one can frame, and that loads nothing from elsewhere.
    #[track_caller]
    fn is_a_page(&self) -> &Self {
        assert_eq!(self.status, 200, "{}", self.text);
        assert_eq!(self.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(self.header("vary"), Some("accept"));
        let policy = self.header("content-security-policy").unwrap();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!self.text.contains("http") && !self.text.contains("<script"), "{}", self.text);
        self
    }
}

#[tokio::test]
async fn the_root_links_to_everything() {
    let node = Scratch::new();
    for path in ["/", "/api", "/api/"] {
        let answer = node.get(path).await;
        assert_eq!(
            (&answer.json["name"], &answer.json["version"]),
            (&"onhand".into(), &env!("CARGO_PKG_VERSION").into())
        );
        let links = answer.json["links"].as_object().unwrap();
        for link in links.values() {
            node.get(link.as_str().unwrap()).await.is(200, "");
        }
        let page = node.get_with(path, &[("accept", BROWSER)]).await;
        assert_eq!((page.status.as_u16(), page.header("location")), (303, Some("console")));
    }
}

#[tokio::test]
async fn health_is_a_word_and_two_addresses() {
    let node = Scratch::new();
    for path in ["/health", "/api/health"] {
        let answer = node.get(path).await;
        assert_eq!((&answer.json["status"], &answer.json["mode"]), (&"ok".into(), &"normal".into()));
        for link in answer.json["links"].as_object().unwrap().values() {
            node.get(link.as_str().unwrap()).await.is(200, "");
        }
    }
    node.shutdown.cancel();
    let answer = node.get("/health").await;
    assert_eq!(answer.is(503, "not-ready").json["mode"], "draining");
}

/// Addresses that earlier clients use.
#[tokio::test]
async fn events_and_alerts_have_the_addresses_of_stock_too() {
    let node = Scratch::new();
    node.stock(LEVEL, 5).await;
    for path in ["/events", "/alerts"] {
        let (plain, alias) = (node.get(path).await, node.get(&format!("/api/inventory{path}")).await);
        assert_eq!(
            (alias.is(200, "").json["items"].as_array().map(Vec::len), &alias.json),
            (plain.json["items"].as_array().map(Vec::len), &plain.json)
        );
    }
    let page = node.get("/api/inventory/events?limit=1&type=ADJUST").await;
    assert_eq!(page.json["items"][0]["type"], "ADJUST", "{}", page.text);
    node.get("/api/inventory/events?limt=1").await.is(400, "invalid-request");
    let head = node.send(request(Method::HEAD, "/api/inventory/alerts", &[], Body::empty())).await;
    head.is(200, "");
    let wrong = node.send(request(Method::POST, "/api/inventory/events", &[], Body::empty())).await;
    assert_eq!(wrong.is(405, "method-not-allowed").header("allow"), Some("GET,HEAD"));
}

#[tokio::test]
async fn a_node_that_stops_is_not_ready_and_says_so_twice() {
    let node = Scratch::new();
    let ready = node.get("/health/readiness").await;
    assert_eq!((ready.status.as_u16(), &ready.json["mode"]), (200, &"normal".into()));
    node.shutdown.cancel();
    for path in ["/health/readiness", "/api/readyz"] {
        let answer = node.get(path).await;
        answer.is(503, "not-ready");
        assert_eq!((&answer.json["ready"], &answer.json["mode"]), (&false.into(), &"draining".into()));
    }
    assert_eq!(node.get("/livez").await.json["status"], "ok");
}

#[tokio::test]
async fn a_log_that_takes_nothing_more_is_answered_503() {
    let node = Scratch::new();
    node.stock(LEVEL, 5).await;
    node.log.close().unwrap();
    node.post(&format!("{LEVEL}/reserve"), &[], r#"{"qty":1}"#).await.is(503, "not-ready");
    assert_eq!(node.get(LEVEL).await.json["qty"], 5, "what is durable is still shown");
}

#[tokio::test]
async fn pages_need_no_network() {
    let node = Scratch::new();
    for (path, kind) in [
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
        ("/docs/swagger-ui.css", "text/css; charset=utf-8"),
        ("/docs/onhand.css", "text/css; charset=utf-8"),
        ("/docs/favicon-32x32.png", "image/png"),
        ("/docs/start.js", "text/javascript; charset=utf-8"),
        ("/openapi.yaml", "application/yaml"),
    ] {
        let answer = node.get(path).await;
        answer.is(200, "");
        assert_eq!(answer.header("content-type"), Some(kind), "{path}");
        let strict = answer
            .header("content-security-policy")
            .is_some_and(|policy| policy.contains("default-src 'none'"));
        assert_eq!(strict, path != "/openapi.yaml", "{path}");
    }
    assert!(!node.get("/docs").await.text.contains("http"), "the page itself loads nothing from elsewhere");
}
