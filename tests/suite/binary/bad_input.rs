//! Requests nobody should send, over the socket. Each gets its clear answer or its closed connection; afterwards the
//! node lives, its level is what it was, and its log adds up.

use super::api::Api;
use super::process::{Node, verify};
use super::raw::{Raw, exchange, post};
use http::Method;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const LEVEL: &str = "/stores/LONDON/inventory/TEA";
const ADJUST: &str = "/stores/LONDON/inventory/TEA/adjust";
const PIECES: i64 = 41;

/// A node with one level, to be found unharmed in the end.
struct Shop {
    directory: TempDir,
    node: Node,
    api: Api,
}

impl Shop {
    async fn open() -> Self {
        let directory = TempDir::new().unwrap();
        let node = Node::start(directory.path(), &[]);
        let api = Api::of(&node);
        api.post(ADJUST, &[], &json!({"delta": PIECES})).await.is(200, "");
        Self { directory, node, api }
    }

    /// Nothing of what was sent had an effect.
    async fn unharmed(self) {
        assert_eq!(self.api.get(LEVEL).await.level(), (PIECES, PIECES, 0, 1));
        assert_eq!(self.api.get("/health/readiness").await.json["durableSequence"], 1);
        self.node.stop();
        verify(self.directory.path());
    }
}

fn status(answer: &str) -> &str {
    answer.strip_prefix("HTTP/1.1 ").map_or("closed", |rest| &rest[..3])
}

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
async fn addresses_that_try_something_lead_nowhere() {
    let shop = Shop::open().await;
    let long = format!("/stores/{}/inventory/A", "S".repeat(65));
    let table = [
        ("/", 404),
        ("//", 404),
        ("/stores", 404),
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
        let answer =
            exchange(&shop.node, format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
        assert_eq!(status(&answer), wanted.to_string(), "{path}: {answer}");
        assert!(answer.contains("application/problem+json"), "{path}: {answer}");
    }
    let answer = exchange(
        &shop.node,
        "GET /stores/%4cONDON/inventory/%54EA HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    );
    assert!(
        answer.contains(r#""storeId":"LONDON","sku":"TEA""#),
        "an escaped letter is that letter: {answer}"
    );
    let endless = format!("GET /{} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", "a".repeat(100_000));
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
    // A body in another coding is not decoded, and is no JSON as it is.
    let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
    let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xabVJI\xcd)IT\xb22\xac\x05\x00\x07".to_vec();
    shop.api.try_send(Method::POST, ADJUST, &headers, gzip).await.unwrap().is(400, "invalid-request");
    let (get, head) =
        (shop.api.get(LEVEL).await, shop.api.try_send(Method::HEAD, LEVEL, &[], Vec::new()).await.unwrap());
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    for name in ["etag", "content-type", "content-length", "cache-control"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
    shop.unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_read_to_their_limit_and_no_further() {
    let shop = Shop::open().await;
    let kind = [("content-type", "application/json")];
    for (path, bytes) in [
        (ADJUST, (64 << 10) + 1),
        (ADJUST, 8 << 20),
        ("/inventory/batch", (16 << 20) + 1),
        ("/imports/i/rows", 20 << 20),
    ] {
        let reply = shop.api.try_send(Method::POST, path, &kind, vec![b' '; bytes]).await.unwrap();
        reply.is(413, "body-too-large");
    }
    let node = &shop.node;
    // Asked for leave first, it is refused before it is sent; within the limit it is let in.
    let answer = exchange(node, post(ADJUST, "expect: 100-continue\r\ncontent-length: 70000\r\n"));
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let mut polite = Raw::connect(node);
    polite.write(post(ADJUST, "expect: 100-continue\r\ncontent-length: 11\r\n"));
    assert_eq!(polite.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    assert!(polite.write(r#"{"delta":0}"#).read_to_end().starts_with("HTTP/1.1 400"));
    // A lie about the length, both ways.
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
            // Half of them wait for an answer that says no, the others just go away.
            let answer = caller.finish().read_to_end();
            assert!(["400", "closed"].contains(&status(&answer)), "{cut}: {answer}");
        }
    }
    shop.unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_http_is_closed() {
    let shop = Shop::open().await;
    let long_header = format!("GET /livez HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(1 << 20));
    let many_headers = format!("GET /livez HTTP/1.1\r\nhost: x\r\n{}\r\n", "x: y\r\n".repeat(5_000));
    let smuggled = "POST /inventory/batch HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 4\r\n\
                    content-length: 5\r\n\r\n{}  ";
    for bytes in [
        &b"\0\0\0\0\0\0\0\0\r\n\r\n"[..],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET\r\n\r\n",
        b"get /livez http/1.1\r\n\r\n",
        b"GET /livez HTTP/1.1\nhost x\n\n",
        b"GET http://[::1 HTTP/1.1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nhost: x\r\nbad header: y\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nhost: x\r\nx: \x00\r\n\r\n",
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
        requests += &format!("GET {path} HTTP/1.1\r\nhost: x\r\nx-request-id: pipe-{number}\r\n");
        requests += if number == 49 { "connection: close\r\n\r\n" } else { "\r\n" };
    }
    let answer = caller.write(requests).read_to_end();
    let ids: Vec<&str> = answer.lines().filter_map(|line| line.strip_prefix("x-request-id: ")).collect();
    assert!(ids.iter().copied().eq((0..50).map(|number| format!("pipe-{number}"))), "{ids:?}");
    shop.unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_senders_are_let_go_and_slow_nobody() {
    let shop = Shop::open().await;
    // Three who never finish a head, one who sends it letter by letter, one who never finishes a body, one who never
    // reads.
    let mut heads: Vec<Raw> = ["", "G", "GET /livez HTTP/1.1\r\nhost: x\r\n"]
        .iter()
        .map(|start| {
            let mut caller = Raw::connect(&shop.node);
            caller.write(start);
            caller
        })
        .collect();
    let mut drip = Raw::connect(&shop.node);
    let dripping = std::thread::spawn(move || {
        let head = "GET /livez HTTP/1.1\r\nhost: x\r\nx-slow: ".bytes().chain(std::iter::repeat(b'z'));
        for letter in head.take(60) {
            drip.write([letter]);
            std::thread::sleep(Duration::from_millis(300));
        }
        drip.finish().read_to_end()
    });
    let mut body = Raw::connect(&shop.node);
    body.write(post(ADJUST, "content-length: 20\r\n")).write("{");
    let mut deaf = Raw::connect(&shop.node);
    for _ in 0..2_000 {
        deaf.write_some("GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: x\r\n\r\n");
    }
    for _ in 0..50 {
        shop.api.get(LEVEL).await.is(200, "");
    }
    for head in &mut heads {
        let answer = head.read_to_end();
        assert!(["408", "400", "closed"].contains(&status(&answer)), "{answer}");
    }
    let answer = dripping.join().unwrap();
    assert!(["408", "400", "closed"].contains(&status(&answer)), "{answer}");
    let answer = body.read_to_end();
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("request-timeout"), "{answer}");
    drop(deaf);
    shop.unharmed().await;
}

/// Lets this process and those it starts have as many open files as the system allows.
fn more_files() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: limit.maximum, maximum: limit.maximum };
    setrlimit(Resource::Nofile, wanted).unwrap();
    limit.maximum.unwrap_or(u64::MAX)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_idle_connections_are_no_burden() {
    if more_files() < 4_096 {
        return super::skipped("a thousand idle connections", "the system allows too few open files");
    }
    let shop = Shop::open().await;
    let idle: Vec<Raw> = (0..1_000).map(|_| Raw::connect(&shop.node)).collect();
    for _ in 0..20 {
        shop.api.get(LEVEL).await.is(200, "");
        shop.api.post(ADJUST, &[], &json!({"delta": 0})).await.is(400, "invalid-request");
    }
    drop(idle);
    shop.unharmed().await;
}

/// More connections than the process may have files: it says so, goes on with those it has, and recovers.
#[tokio::test(flavor = "multi_thread")]
async fn running_out_of_files_stops_nobody_who_is_in() {
    let directory = TempDir::new().unwrap();
    let mut program = Command::new("sh");
    program.args(["-c", "ulimit -n 60; exec \"$0\" \"$@\"", super::process::PROGRAM]);
    let node = Node::start_as(program, directory.path(), &["--snapshot-every-n-events", "10"]);
    let api = Api::of(&node);
    api.post(ADJUST, &[], &json!({"delta": 1})).await.is(200, "");
    let crowd: Vec<Raw> = (0..200).map(|_| Raw::connect(&node)).collect();
    for _ in 0..100 {
        api.post(ADJUST, &[], &json!({"delta": 1})).await.is(200, "");
    }
    drop(crowd);
    let newcomer = Api::of(&node);
    assert_eq!(newcomer.get(LEVEL).await.level(), (101, 101, 0, 101));
    assert_eq!(newcomer.items(&format!("{LEVEL}/history")).await.len(), 101);
    node.stop();
    verify(directory.path());
}
