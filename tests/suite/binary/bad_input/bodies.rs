//! Bodies that break the contract, are too large, lie about their length, or never end.

use super::super::raw::{Raw, exchange, post};
use super::{ADJUST, Shop, status};
use http::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_break_the_contract_name_the_place() {
    let shop = Shop::open().await;
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    let deep_inside = format!(r#"{{"delta":1,"reason":{deep}}}"#);
    let long = format!(r#"{{"delta":1,"reason":"{}"}}"#, "r".repeat(257));
    let table: [(&[u8], &str); 36] = [
        (b"", ""),
        (b" ", ""),
        (b"{", ""),
        (b"{}", ""),
        (b"null", ""),
        (b"7", ""),
        (b"[1]", ""),
        (b"\"delta\"", ""),
        (b"\xef\xbb\xbf{\"delta\":1}", ""),
        (b"{\"delta\":1}{\"delta\":1}", ""),
        (b"{\"delta\":1,}", ""),
        (b"{\"delta\":1 /* one */}", ""),
        (b"{'delta':1}", ""),
        (b"{\"delta\":1}\0", ""),
        (b"{\"delta\":1,\"delta\":1}", ""),
        (b"{\"delta\":0}", "/delta"),
        (b"{\"delta\":\"1\"}", "/delta"),
        (b"{\"delta\":1.0}", "/delta"),
        (b"{\"delta\":1e0}", "/delta"),
        (b"{\"delta\":true}", "/delta"),
        (b"{\"delta\":null}", "/delta"),
        (b"{\"delta\":[1]}", "/delta"),
        (b"{\"delta\":{\"$gt\":0}}", "/delta"),
        (b"{\"delta\":9007199254740992}", "/delta"),
        (b"{\"delta\":-9007199254740992}", "/delta"),
        (b"{\"delta\":-9223372036854775808}", "/delta"),
        (b"{\"delta\":9223372036854775808}", "/delta"),
        (b"{\"delta\":99999999999999999999999999}", "/delta"),
        (b"{\"delta\":1,\"colour\":1}", "/colour"),
        (b"{\"delta\":1,\"reason\":\"caf\xe9\"}", "/reason"),
        (b"{\"delta\":1,\"reason\":\"\\ud800\"}", "/reason"),
        (b"{\"delta\":1,\"reason\":\"\\u0000\"}", "/reason"),
        (b"{\"delta\":1,\"reason\":\"a\0b\"}", "/reason"),
        (b"{\"delta\":1,\"reason\":\"a\nb\"}", "/reason"),
        (long.as_bytes(), "/reason"),
        (b"{\"delta\":1,\"expectedVersion\":-1}", "/expectedVersion"),
    ];
    let kind = [("content-type", "application/json")];
    for (body, pointer) in table {
        let reply = shop.api.try_send(Method::POST, ADJUST, &kind, body.to_vec()).await.unwrap();
        let told = format!("{}: {}", String::from_utf8_lossy(body), reply.text);
        assert_eq!((reply.status, &reply.json["code"]), (400, &"invalid-request".into()), "{told}");
        assert_eq!(reply.json["errors"][0]["pointer"], pointer, "{told}");
    }
    for body in [&deep, &deep_inside] {
        let reply = shop.api.try_send(Method::POST, ADJUST, &kind, body.clone().into_bytes()).await.unwrap();
        reply.is(400, "invalid-request");
    }
    let reply = shop.api.post(ADJUST, &[], &json!({"delta": 9_007_199_254_740_991_i64})).await;
    reply.is(409, "out-of-range");
    shop.unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_read_to_their_limit_and_no_further() {
    let shop = Shop::open().await;
    let kind = [("content-type", "application/json")];
    let node = &shop.node;
    // A little more than the limit is the mistake people make: the sender is read to the end, and so sees the answer.
    for (path, bytes) in [
        (ADJUST, (64 << 10) + 1),
        (ADJUST, 4 << 20),
        ("/inventory/batch", (16 << 20) + 1),
        ("/imports/i/rows", 20 << 20),
    ] {
        let sent = shop.api.try_send(Method::POST, path, &kind, vec![b' '; bytes]).await;
        sent.unwrap_or_else(|error| panic!("{path} {bytes}: {error:?}")).is(413, "body-too-large");
    }
    // A much longer body is not read on: the sender may find the connection closed.
    if let Ok(reply) = shop.api.try_send(Method::POST, ADJUST, &kind, vec![b' '; 32 << 20]).await {
        reply.is(413, "body-too-large");
    }
    // With `Expect: 100-continue` an oversized body is rejected before it is sent; one within the limit is requested.
    let answer = exchange(node, post(ADJUST, "expect: 100-continue\r\ncontent-length: 70000\r\n"));
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let mut polite = Raw::connect(node);
    polite.write(post(ADJUST, "expect: 100-continue\r\ncontent-length: 11\r\n"));
    assert_eq!(polite.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    assert!(polite.write(r#"{"delta":0}"#).read_to_end().starts_with("HTTP/1.1 400"));
    // A wrong length, in both directions.
    let answer = exchange(node, post(ADJUST, "content-length: 18446744073709551000\r\n"));
    assert_eq!(status(&answer), "413", "{answer}");
    for length in ["-1", "1e3", "99999999999999999999999", "7, 8", ""] {
        let answer = exchange(node, post(ADJUST, &format!("content-length: {length}\r\n")));
        assert!(["400", "411", "closed"].contains(&status(&answer)), "{length:?}: {answer}");
    }
    let chunk = format!("4000\r\n{}\r\n", " ".repeat(0x4000));
    let endless = post(ADJUST, "transfer-encoding: chunked\r\n") + &chunk.repeat(6) + "0\r\n\r\n";
    assert_eq!(status(&exchange(node, endless)), "413");
    for bad in ["zz\r\n{}\r\n0\r\n\r\n", "-1\r\n\r\n", "ffffffffffffffffff\r\n{}\r\n"] {
        let answer = exchange(node, post(ADJUST, "transfer-encoding: chunked\r\n") + bad);
        assert!(["400", "413", "closed"].contains(&status(&answer)), "{bad:?}: {answer}");
    }
    shop.unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_requests_have_no_effect() {
    let shop = Shop::open().await;
    let body = r#"{"delta":1}"#;
    let whole = post(ADJUST, &format!("content-length: {}\r\n", body.len())) + body;
    for cut in 1..whole.len() {
        let mut caller = Raw::connect(&shop.node);
        caller.write(&whole[..cut]);
        if cut % 2 == 0 {
            // Half of the clients wait for the rejection, the others disconnect.
            let answer = caller.finish().read_to_end();
            assert!(["400", "closed"].contains(&status(&answer)), "{cut}: {answer}");
        }
    }
    shop.unharmed().await;
}

/// A body with a content coding is rejected as such, on every route that reads a body.
#[tokio::test(flavor = "multi_thread")]
async fn a_coding_of_the_body_is_not_guessed_at() {
    let Shop { api, .. } = &Shop::open().await;
    let body = json!({"delta": 1}).to_string().into_bytes();
    for (method, path) in [
        (Method::POST, ADJUST),
        (Method::POST, "/api/inventory/stores/LONDON/inventory/TEA/adjust"),
        (Method::POST, "/stock/add"),
        (Method::POST, "/inventory/batch"),
        (Method::POST, "/imports/i/rows"),
        (Method::POST, "/catalogue/products"),
        (Method::POST, "/products"),
        (Method::PUT, "/products/TEA"),
        (Method::PATCH, "/products/TEA"),
        (Method::PUT, "/stores/LONDON"),
        (Method::PUT, "/stores/LONDON/inventory/TEA/threshold"),
    ] {
        for coding in ["gzip", "x", "identity, gzip"] {
            let headers = [("content-type", "application/json"), ("content-encoding", coding)];
            let reply = api.try_send(method.clone(), path, &headers, body.clone()).await.unwrap();
            reply.is(415, "unsupported-media-type");
            assert!(reply.text.contains("Content-Encoding"), "{}", reply.text);
        }
    }
    let headers = [("content-type", "application/json"), ("content-encoding", "identity")];
    api.try_send(Method::POST, ADJUST, &headers, body).await.unwrap().is(200, "");
}
