//! Paths, methods and media types outside of the contract, and bytes that are no HTTP at all.

use super::super::raw::{Raw, exchange};
use super::{ADJUST, LEVEL, Shop, status};
use http::Method;
use serde_json::json;
use std::fmt::Write as _;

#[tokio::test(flavor = "multi_thread")]
async fn hostile_paths_are_rejected() {
    let shop = Shop::open().await;
    let long = format!("/stores/{}/inventory/A", "S".repeat(65));
    let table = [
        ("//", 404),
        ("/shelves", 404),
        ("/stores//inventory/TEA", 400),
        ("/stores/LONDON/inventory/TEA/", 404),
        ("/STORES/LONDON/inventory/TEA", 404),
        ("/stores/LONDON/inventory/TEA/steal", 404),
        ("/api/api/livez", 404),
        ("/api/inventory/livez", 404),
        ("/stores/../stores/LONDON/inventory/TEA", 404),
        ("/docs/..%2fCargo.toml", 404),
        ("/docs/%2e%2e/%2e%2e/etc/passwd", 404),
        ("/stores/LONDON/inventory/tea", 404),
        ("/stores/LONDON%2Finventory/TEA", 404),
        ("/stores/LONDON/inventory/TEA%00", 400),
        ("/stores/LONDON/inventory/TEA%0A", 400),
        ("/stores/LONDON/inventory/%ff%fe", 400),
        ("/stores/LONDON/inventory/%c0%af", 400),
        ("/stores/LONDON/inventory/%252FTEA", 400),
        ("/stores/LONDON/inventory/TEA%20", 400),
        ("/stores/LONDON/inventory/A++B", 400),
        ("/stores/LOND%D0%9EN/inventory/TEA", 400),
        ("/stores/LONDON;admin=1/inventory/TEA", 400),
        ("/stores/LONDON/inventory/%", 400),
        ("/stores/LONDON/inventory/%4", 400),
        ("/stores/LONDON/inventory/%zz", 400),
        (long.as_str(), 400),
        ("/stores/LONDON/inventory?limit=1&limit=2", 400),
        ("/stores/LONDON/inventory?Limit=1", 400),
        ("/stores/LONDON/inventory?limit=1%00", 400),
        ("/stores/LONDON/inventory?limit=0x10", 400),
        ("/stores/LONDON/inventory?limit=18446744073709551617", 400),
        ("/stores/LONDON/inventory?cursor=../../etc", 400),
        ("/stores/LONDON/inventory/TEA?asOf=-1", 400),
        ("/stores/LONDON/inventory/TEA?asOf=18446744073709551615", 400),
        ("/stores/LONDON/inventory/TEA?asOf=9999-99-99T99:99:99Z", 400),
        ("/stores/LONDON/inventory/TEA?__proto__=1", 400),
    ];
    for (path, wanted) in table {
        let answer = exchange(
            &shop.node,
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"),
        );
        assert_eq!(status(&answer), wanted.to_string(), "{path}: {answer}");
        assert!(answer.contains("application/problem+json"), "{path}: {answer}");
    }
    let answer = exchange(
        &shop.node,
        "GET /stores/%4cONDON/inventory/%54EA HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
    );
    assert!(
        answer.contains(r#""storeId":"LONDON","sku":"TEA""#),
        "an escaped letter is that letter: {answer}"
    );
    let endless =
        format!("GET /{} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", "a".repeat(100_000));
    let answer = exchange(&shop.node, endless);
    assert!(["414", "431", "400", "404", "closed"].contains(&status(&answer)), "{answer:.200}");
    shop.unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_and_media_types_are_those_of_the_contract() {
    let shop = Shop::open().await;
    for (method, path, allow) in [
        ("DELETE", LEVEL, "GET,HEAD"),
        ("PUT", LEVEL, "GET,HEAD"),
        ("PATCH", LEVEL, "GET,HEAD"),
        ("OPTIONS", LEVEL, "GET,HEAD"),
        ("TRACE", LEVEL, "GET,HEAD"),
        ("GET", ADJUST, "POST"),
        ("HEAD", ADJUST, "POST"),
        ("QUERY", ADJUST, "POST"),
        ("POST", "/livez", "GET,HEAD"),
        ("POST", "/docs", "GET,HEAD"),
    ] {
        let reply = shop.api.try_send(method.parse().unwrap(), path, &[], Vec::new()).await.unwrap();
        assert_eq!(
            (reply.status, reply.header("allow")),
            (405, Some(allow)),
            "{method} {path}: {}",
            reply.text
        );
    }
    let body = json!({"delta": 1}).to_string().into_bytes();
    for kind in [
        None,
        Some("text/plain"),
        Some("application/xml"),
        Some("application/json5"),
        Some("application/x-ndjson"),
        Some("multipart/form-data; boundary=x"),
        Some("application/x-www-form-urlencoded"),
        Some(";"),
        Some("json"),
    ] {
        let headers: Vec<_> = kind.map(|kind| ("content-type", kind)).into_iter().collect();
        let reply = shop.api.try_send(Method::POST, ADJUST, &headers, body.clone()).await.unwrap();
        reply.is(415, "unsupported-media-type");
    }
    // A body in another coding is not decoded.
    let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
    let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xabVJI\xcd)IT\xb22\xac\x05\x00\x07".to_vec();
    shop.api.try_send(Method::POST, ADJUST, &headers, gzip).await.unwrap().is(415, "unsupported-media-type");
    let (get, head) =
        (shop.api.get(LEVEL).await, shop.api.try_send(Method::HEAD, LEVEL, &[], Vec::new()).await.unwrap());
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    for name in ["etag", "content-type", "content-length", "cache-control"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
    shop.unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_http_is_closed() {
    let shop = Shop::open().await;
    let long_header = format!("GET /livez HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "y".repeat(1 << 20));
    let many_headers = format!("GET /livez HTTP/1.1\r\nhost: localhost\r\n{}\r\n", "x: y\r\n".repeat(5_000));
    let smuggled = "POST /inventory/batch HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 4\r\n\
                    content-length: 5\r\n\r\n{}  ";
    for bytes in [
        &b"\0\0\0\0\0\0\0\0\r\n\r\n"[..],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET\r\n\r\n",
        b"get /livez http/1.1\r\n\r\n",
        b"GET /livez HTTP/1.1\nhost x\n\n",
        b"GET http://[::1 HTTP/1.1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nhost: localhost\r\nbad header: y\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nhost: localhost\r\nx: \x00\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nGARBAGE-GARBAGE-GARBAGE-GARBAGE",
        long_header.as_bytes(),
        many_headers.as_bytes(),
        smuggled.as_bytes(),
    ] {
        let answer = Raw::connect(&shop.node).write(bytes).finish().read_to_end();
        assert!(
            !answer.starts_with("HTTP/1.1 200"),
            "{:?}: {answer}",
            String::from_utf8_lossy(&bytes[..bytes.len().min(80)])
        );
    }
    shop.unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelined_requests_are_answered_in_their_order() {
    let shop = Shop::open().await;
    let mut caller = Raw::connect(&shop.node);
    let mut requests = String::new();
    for number in 0..50 {
        let path = ["/livez", LEVEL, "/nowhere"][number % 3];
        let _ = write!(requests, "GET {path} HTTP/1.1\r\nhost: localhost\r\nx-request-id: pipe-{number}\r\n");
        requests += if number == 49 { "connection: close\r\n\r\n" } else { "\r\n" };
    }
    let answer = caller.write(requests).read_to_end();
    let ids: Vec<&str> = answer.lines().filter_map(|line| line.strip_prefix("x-request-id: ")).collect();
    assert!(ids.iter().copied().eq((0..50).map(|number| format!("pipe-{number}"))), "{ids:?}");
    shop.unharmed().await;
}
