//! Requests that a page in a browser can send to a node on the same machine: by DNS rebinding, or across sites. None of
//! them is answered or executed, on any address, by any method, in any protocol.

use super::api::Api;
use super::process::{Node, verify};
use super::raw::exchange;
use crate::occupied::occupy;
use axum::body::Body;
use http::{Method, Request};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpStream;

const LEVEL: &str = "/stores/LONDON/inventory/TEA";
const ADJUST: &str = "/stores/LONDON/inventory/TEA/adjust";

/// Sends one request and checks the status of its answer and, for a rejection, its code.
#[track_caller]
fn asked(node: &Node, line: &str, head: &str, body: &str, wanted: (u16, &str)) -> String {
    let length = body.len();
    let request = format!(
        "{line} HTTP/1.1\r\n{head}connection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    let answer = exchange(node, &request);
    let (status, code) = wanted;
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}\n{answer}");
    let (head, rest) = answer.split_once("\r\n\r\n").unwrap();
    if status >= 400 && !line.starts_with("HEAD") {
        let problem: Value = serde_json::from_str(rest).unwrap();
        assert_eq!(problem["code"], code, "{request}\n{answer}");
    }
    head.to_owned()
}

async fn level(node: &Node) -> (i64, i64, i64, u64) {
    Api::of(node).get(LEVEL).await.level()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebound_host_name_is_rejected() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &["--connections-max", "1"]);
    let delta = r#"{"delta":5}"#;
    asked(&node, &format!("POST {ADJUST}"), "host: localhost\r\n", delta, (200, ""));
    let addresses = [
        "/",
        "/health",
        LEVEL,
        "/api/stores/LONDON/inventory/TEA",
        "/api/inventory/stores/LONDON/inventory/TEA",
        "/events",
        "/api/inventory/events",
        "/docs",
        "/metrics",
        "/livez",
        "/health/readiness",
        "/nowhere",
    ];
    for address in addresses {
        for method in ["GET", "HEAD", "OPTIONS"] {
            let line = format!("{method} {address}");
            let head = asked(&node, &line, "host: evil.example\r\n", "", (421, "misdirected-host"));
            assert!(!head.contains("access-control") && !head.contains("etag"), "{head}");
        }
        asked(
            &node,
            &format!("GET {address}"),
            "host: localhost\r\nx-forwarded-for: 10.0.0.7\r\n",
            "",
            (421, "misdirected-host"),
        );
    }
    for address in [
        ADJUST,
        "/api/stores/LONDON/inventory/TEA/adjust",
        "/api/inventory/stores/LONDON/inventory/TEA/adjust",
    ] {
        let line = format!("POST {address}");
        for head in ["host: evil.example\r\n", "host: LOCALHOST\r\nforwarded: for=10.0.0.7\r\n"] {
            asked(&node, &line, head, delta, (421, "misdirected-host"));
        }
        for head in [
            "",
            "host: localhost\r\nhost: localhost\r\n",
            "host: localhost\r\nhost: evil.example\r\n",
            "host: u@localhost\r\n",
        ] {
            asked(&node, &line, head, delta, (400, "invalid-request"));
        }
    }
    asked(&node, "GET http://evil.example/livez", "host: localhost\r\n", "", (400, "invalid-request"));
    asked(&node, "GET http://evil.example/livez", "host: evil.example\r\n", "", (421, "misdirected-host"));
    assert!(exchange(&node, "GET /livez HTTP/1.0\r\n\r\n").starts_with("HTTP/1.0 400 "));
    // A connection above the limit is accepted for a probe; a page's request on it is rejected all the same.
    let mut busy = vec![occupy(node.address()).await];
    while Api::of(&node).get("/problems").await.status != 503 {
        busy.push(occupy(node.address()).await);
    }
    asked(&node, "GET /readyz", "host: evil.example\r\n", "", (421, "misdirected-host"));
    asked(&node, "GET /readyz", "host: 127.0.0.1\r\n", "", (200, ""));
    drop(busy);
    node.stop();
    let node = Node::start(directory.path(), &[]);
    assert_eq!(level(&node).await, (5, 5, 0, 1));
    node.stop();
    verify(directory.path());
}

/// HTTP/2 has the host in `:authority`, and may have it in `Host` too.
#[tokio::test(flavor = "multi_thread")]
async fn http_2_requests_are_checked_alike() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &[]);
    let socket = TokioIo::new(TcpStream::connect(node.address()).await.unwrap());
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), socket).await.unwrap();
    tokio::spawn(connection);
    for (method, authority, headers, status) in [
        ("GET", "localhost:3000", &[][..], 404),
        ("GET", "evil.example", &[], 421),
        ("HEAD", "evil.example", &[], 421),
        ("GET", "localhost", &[("host", "evil.example")], 400),
        ("GET", "evil.example", &[("host", "localhost")], 400),
        ("GET", "localhost", &[("host", "localhost"), ("host", "localhost")], 400),
        ("GET", "localhost", &[("x-forwarded-host", "evil.example")], 421),
        ("POST", "localhost", &[("sec-fetch-site", "cross-site")], 403),
        ("POST", "localhost", &[("origin", "http://localhost:1")], 403),
        ("POST", "localhost", &[("origin", "http://localhost")], 405),
    ] {
        let builder = Request::builder().method(method).uri(format!("http://{authority}{LEVEL}"));
        let request = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
        let answer = sender.send_request(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{method} {authority} {headers:?}");
    }
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_changes_nothing_even_where_any_host_is_served() {
    for options in [&[][..], &["--insecure"]] {
        let directory = TempDir::new().unwrap();
        let node = Node::start(directory.path(), options);
        let host = if options.is_empty() { "localhost:3000" } else { "shop.example" };
        let mut changes = vec![
            format!("POST {ADJUST}"),
            format!("POST /api{ADJUST}"),
            format!("POST /api/inventory{ADJUST}"),
            format!("PUT {LEVEL}/threshold"),
            "PATCH /products/TEA".to_owned(),
            "DELETE /products/TEA".to_owned(),
            "POST /stock/add".to_owned(),
            "POST /inventory/batch".to_owned(),
            "POST /stores".to_owned(),
            "POST /imports/i/rows".to_owned(),
            "POST /catalogue/products".to_owned(),
            "POST /dead-letters/1/redrive".to_owned(),
            "DELETE /dead-letters/1".to_owned(),
        ];
        changes.extend(["/sync", "/api/sync", "/livez", "/nowhere"].map(|path| format!("POST {path}")));
        for line in &changes {
            for from in [
                "sec-fetch-site: cross-site",
                "sec-fetch-site: same-site",
                "origin: http://evil.example",
                "origin: null",
            ] {
                let head = format!("host: {host}\r\n{from}\r\n");
                asked(&node, line, &head, r#"{"delta":5}"#, (403, "cross-site"));
            }
        }
        for from in ["sec-fetch-site: same-origin", "sec-fetch-site: none", &format!("origin: http://{host}")]
        {
            let head = format!("host: {host}\r\n{from}\r\n");
            asked(&node, "POST /api/sync", &head, "", (200, ""));
        }
        // A read changes nothing; whether a page may see the answer is its browser's decision.
        asked(&node, "GET /livez", &format!("host: {host}\r\nsec-fetch-site: cross-site\r\n"), "", (200, ""));
        assert_eq!(Api::of(&node).get("/health/readiness").await.json["durableSequence"], 0);
        node.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_listed_origins_may_call_and_read() {
    const DESK: &str = "https://desk.example";
    let directory = TempDir::new().unwrap();
    let node =
        Node::start(directory.path(), &["--cors-origins", "http://localhost:8080,https://desk.example"]);
    let ask = "access-control-request-method: POST\r\naccess-control-request-headers: content-type,idempotency-key\r\n";
    for (origin, known) in [
        (DESK, true),
        ("http://localhost:8080", true),
        ("http://desk.example", false),
        ("https://evil.example", false),
        ("null", false),
    ] {
        let head = format!("host: localhost\r\nsec-fetch-site: cross-site\r\norigin: {origin}\r\n");
        let wanted = if known { (204, "") } else { (405, "method-not-allowed") };
        let preflight = asked(&node, &format!("OPTIONS /api{ADJUST}"), &format!("{head}{ask}"), "", wanted);
        assert_eq!(preflight.contains("access-control-allow-methods: POST\r\n"), known, "{preflight}");
        let allowed_headers =
            preflight.lines().find(|line| line.starts_with("access-control-allow-headers: "));
        assert_eq!(
            allowed_headers.is_some_and(|line| line.contains("idempotency-key")),
            known,
            "{preflight}"
        );
        let done = if known { (200, "") } else { (403, "cross-site") };
        let answer = asked(&node, &format!("POST {ADJUST}"), &head, r#"{"delta":1}"#, done);
        let read = asked(&node, &format!("GET {LEVEL}"), &head, "", (200, ""));
        let refused = asked(&node, "GET /nowhere", &head, "", (404, "not-found"));
        for head in [&preflight, &answer, &read, &refused] {
            assert_eq!(head.contains(&format!("access-control-allow-origin: {origin}\r\n")), known, "{head}");
            assert!(head.contains("vary: origin\r\n"), "{head}");
            assert!(!head.contains("credentials"), "{head}");
        }
    }
    // One piece from each of two pages.
    assert_eq!(level(&node).await, (2, 2, 0, 2));
    // A good origin does not make up for a bad host.
    let head = format!("host: evil.example\r\norigin: {DESK}\r\n");
    let refused = asked(&node, &format!("GET {LEVEL}"), &head, "", (421, "misdirected-host"));
    assert!(!refused.contains("access-control"), "{refused}");
    node.stop();
    let node = Node::start(directory.path(), &[]);
    let plain = asked(
        &node,
        &format!("GET {LEVEL}"),
        &format!("host: localhost\r\norigin: {DESK}\r\n"),
        "",
        (200, ""),
    );
    assert!(!plain.contains("access-control") && !plain.contains("vary: origin"), "{plain}");
    node.stop();
}

/// Headers that keep other pages from using an answer, on every kind of answer.
#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_the_isolation_headers() {
    let directory = TempDir::new().unwrap();
    let node = Node::start(directory.path(), &[]);
    let api = Api::of(&node);
    for (method, path) in [
        (Method::GET, "/docs"),
        (Method::GET, "/docs/start.js"),
        (Method::GET, "/livez"),
        (Method::GET, "/metrics"),
        (Method::GET, "/nowhere"),
        (Method::HEAD, "/api/docs"),
        (Method::DELETE, LEVEL),
    ] {
        let reply = api.try_send(method, path, &[], Vec::new()).await.unwrap();
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(reply.header(name), Some(value), "{path}");
        }
        if reply.header("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
            let policy = reply.header("content-security-policy").unwrap();
            assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        }
    }
    node.stop();
}
