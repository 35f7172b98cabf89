//! The server on a socket: half-sent heads, too many connections, bodies that are too long, the drain.

use super::Scratch;
use crate::occupied::occupy;
use onhand_http::server::{Drained, ServerLimits, serve};
use onhand_remote::client_builder;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub(super) async fn started(node: &Scratch, limits: ServerLimits) -> (SocketAddr, JoinHandle<Drained>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = serve(listener, node.edge.clone(), limits, node.shutdown.clone());
    (address, tokio::spawn(serving))
}

pub(super) fn limits() -> ServerLimits {
    ServerLimits {
        header_read: Duration::from_millis(200),
        ..ServerLimits::with_drain(Duration::from_secs(5))
    }
}

/// Sends bytes and reads until the server closes.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    tokio::time::timeout(Duration::from_secs(20), reading).await.expect("the server closes").unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_head_that_never_ends_is_not_waited_for() {
    let node = Scratch::new();
    let (address, _) = started(&node, limits()).await;
    // Nothing at all, a byte that could begin either protocol, half a head, half an HTTP/2 preface.
    for bytes in ["", "P", "GET /livez HTTP/1.1\r\nhost: localhost\r\n", "PRI * HTTP/2.0\r\n"] {
        let answer = exchange(address, bytes.as_bytes()).await;
        assert!(!answer.contains("200"), "{bytes:?}: {answer}");
    }
    let answer =
        exchange(address, b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("{\"status\":\"ok\"}"), "{answer}");
    assert!(!answer.to_lowercase().contains("\r\nserver:"), "{answer}");
}

#[tokio::test]
async fn one_connection_too_many_is_answered_503() {
    let node = Scratch::new();
    let header_read = Duration::from_secs(20);
    let (address, _) = started(&node, ServerLimits { connections_max: 1, header_read, ..limits() }).await;
    // A follower of the feed takes no place.
    let follower = lazy_reader(address, super::SSE).await;
    let mut first = occupy(&address.to_string()).await;
    let close = b"GET /problems HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let answer = loop {
        let answer = exchange(address, close).await;
        if answer.starts_with("HTTP/1.1 503") {
            break answer;
        }
        first = occupy(&address.to_string()).await;
    };
    assert!(answer.contains("retry-after: 1") && answer.contains("\"code\":\"overloaded\""), "{answer}");
    let answer = exchange(address, b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "a probe gets through: {answer}");
    drop((first, follower));
}

#[tokio::test]
async fn a_pause_between_requests_may_be_longer_than_a_head() {
    let node = Scratch::new();
    let idle = Duration::from_millis(1_500);
    let (address, _) = started(&node, ServerLimits { idle, ..limits() }).await;
    let mut kept = TcpStream::connect(address).await.unwrap();
    for _ in 0..2 {
        kept.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"{\"status\":\"ok\"}") {
            assert_ne!(kept.read_buf(&mut answer).await.unwrap(), 0, "closed after a pause");
        }
        // Longer than the time limit of a head.
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    // The second head begins and never ends.
    kept.write_all(b"GET /livez HT").await.unwrap();
    assert_eq!(kept.read(&mut [0; 1]).await.unwrap_or(0), 0, "cut");
    let mut silent = TcpStream::connect(address).await.unwrap();
    silent.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(Duration::from_secs(20), silent.read_to_end(&mut answer))
        .await
        .expect("a pause has an end")
        .unwrap();
}

#[tokio::test]
async fn a_body_that_is_too_long_is_answered_before_the_connection_ends() {
    let node = Scratch::new();
    let (address, _) = started(&node, limits()).await;
    let path = format!("http://{address}/stores/S1/inventory/A/adjust");
    let post = client_builder(true).build().unwrap().post(path).header("content-type", "application/json");
    let answer = post.body(vec![b' '; 2 << 20]).send().await.unwrap();
    assert_eq!(answer.status(), 413);
    let problem: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(problem["code"], "body-too-large");
}

#[tokio::test]
async fn requests_in_progress_end_before_the_server() {
    let node = Scratch::new();
    let (address, serving) = started(&node, limits()).await;
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut start = [0; 12];
    idle.read_exact(&mut start).await.unwrap();
    let mut slow = TcpStream::connect(address).await.unwrap();
    let head = "POST /stores/S1/inventory/A/adjust HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                content-length: 11\r\n\r\n{\"delta\"";
    slow.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    node.shutdown.cancel();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(TcpStream::connect(address).await.is_err(), "nobody new is let in");
    slow.write_all(b":5}").await.unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(serving.await.unwrap(), Drained::All);
}

#[tokio::test]
async fn a_drain_has_an_end() {
    let node = Scratch::new();
    let header_read = Duration::from_secs(20);
    let drain = Duration::from_millis(200);
    let (address, serving) = started(&node, ServerLimits { header_read, drain, ..limits() }).await;
    let mut stuck = TcpStream::connect(address).await.unwrap();
    let head = "POST /stores/S1/inventory/A/adjust HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                content-length: 11\r\n\r\n{";
    stuck.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    node.shutdown.cancel();
    assert_eq!(serving.await.unwrap(), Drained::Abandoned(1));
}

#[tokio::test]
async fn a_client_that_starts_with_http_2_gets_http_2() {
    let node = Scratch::new();
    let (address, _) = started(&node, limits()).await;
    let client = client_builder(true).http2_prior_knowledge().build().unwrap();
    let answer = client.get(format!("http://{address}/livez")).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, reqwest::Version::HTTP_2));
}

/// A reader with a small buffer that requests the feed and reads only the head of the answer.
async fn lazy_reader(address: SocketAddr, form: &str) -> TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 << 10).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let head = format!("GET /events HTTP/1.1\r\nhost: localhost\r\naccept: {form}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 200");
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_takes_nothing_is_cut() {
    let node = Scratch::new();
    let write_stall = Duration::from_millis(500);
    let (address, serving) = started(&node, ServerLimits { write_stall, ..limits() }).await;
    let reason = "x".repeat(256);
    let operations: Vec<serde_json::Value> = (0..10_000)
        .map(|number| {
            let sku = format!("SKU-{number}");
            serde_json::json!({"op": "adjust", "storeId": "S1", "sku": sku, "delta": 1, "reason": reason, "reference": reason})
        })
        .collect();
    let batch = serde_json::json!({ "operations": operations }).to_string();
    node.post("/inventory/batch", &[], &batch).await.is(200, "");
    let idle = Arc::strong_count(&node.edge);
    let lazy = lazy_reader(address, super::SSE).await;
    assert_eq!(Arc::strong_count(&node.edge), idle + 1, "the connection holds on to the server");
    // The buffers to the reader fill up, nothing is read from them, and the connection is closed.
    let cut = async {
        while Arc::strong_count(&node.edge) > idle {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), cut).await.expect("the reader is cut");
    drop(lazy);
    // The others are served, and the server can stop.
    let followed = lazy_reader(address, super::NDJSON).await;
    node.shutdown.cancel();
    drop(followed);
    assert_eq!(serving.await.unwrap(), Drained::All);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_does_not_wait_for_followers() {
    let node = Scratch::new();
    let (address, serving) = started(&node, limits()).await;
    node.stock("/stores/S1/inventory/A", 1).await;
    let mut streams = Vec::new();
    for form in [super::SSE, super::NDJSON] {
        streams.push(lazy_reader(address, form).await);
    }
    let client = client_builder(true).http2_prior_knowledge().build().unwrap();
    let request = client.get(format!("http://{address}/events")).header("accept", super::NDJSON);
    let mut over_2 = request.send().await.unwrap();
    assert!(over_2.chunk().await.unwrap().unwrap().starts_with(b"{\"sequence\":1,"));
    node.shutdown.cancel();
    while let Some(chunk) = over_2.chunk().await.expect("the stream ends as it should") {
        assert!(chunk.is_empty());
    }
    for mut stream in streams {
        let mut rest = String::new();
        stream.read_to_string(&mut rest).await.unwrap();
        assert!(rest.contains("\"sequence\":1,") && rest.ends_with("\r\n0\r\n\r\n"), "{rest}");
    }
    drop(client);
    assert_eq!(serving.await.unwrap(), Drained::All);
}
