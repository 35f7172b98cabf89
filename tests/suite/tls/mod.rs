//! TLS on the listener of the real binary: what is spoken, who is sent away, and files that are bad or change.

mod client;
mod files;
mod following;
mod reload;

use crate::occupied::occupy_on;
use client::{Client, Files, HTTP_1_1, HTTP_2, Pair};
use http::Version;
use rustls::version::{TLS12, TLS13};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const FAILED: &str = "onhand_tls_handshakes_failed_total";
const CONNECTIONS: &str = "onhand_http_connections";

/// Waits until a metric is that number; a peer knows of its end before the node has counted it.
async fn until_counted(client: &Client, address: &str, metric: &str, number: u64) {
    let begun = Instant::now();
    loop {
        let metrics = client.get(address, "/metrics").await.text;
        let counted = metrics.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
        if counted == Some(&number.to_string()) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{metric} is {counted:?}, not {number}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_versions_of_tls_and_of_http_are_spoken() {
    let pair = Pair::new();
    let files = Files::with(&pair);
    let node = files.node(&[]);
    assert!(node.url.starts_with("https://127.0.0.1:"), "{}", node.url);
    let banner = node.process.said("stderr");
    assert!(banner.contains(&format!("address  {}\n", node.url)), "{banner}");
    assert!(!banner.contains("http://") && !banner.contains("others than its owner"), "{banner}");
    for version in [&TLS12, &TLS13] {
        for (offered, chosen, http) in [
            (&[HTTP_2, HTTP_1_1][..], Some(HTTP_2), Version::HTTP_2),
            (&[HTTP_1_1, HTTP_2], Some(HTTP_2), Version::HTTP_2),
            (&[HTTP_1_1], Some(HTTP_1_1), Version::HTTP_11),
            (&[HTTP_2], Some(HTTP_2), Version::HTTP_2),
            (&[], None, Version::HTTP_11),
        ] {
            let client = Client::new(&[&pair], version, offered);
            let stream = client.connect(node.address()).await.unwrap();
            let session = stream.get_ref().1;
            assert_eq!(session.protocol_version(), Some(version.version));
            assert_eq!(session.alpn_protocol(), chosen, "{offered:?}");
            let answer = client.get(node.address(), "/readyz").await;
            assert_eq!((answer.status.as_u16(), answer.version), (200, http), "{}", answer.text);
        }
        let strange = Client::new(&[&pair], version, &[b"gopher"]);
        assert!(strange.connect(node.address()).await.is_err());
    }
    let client = Client::new(&[&pair], &TLS13, &[HTTP_2]);
    let level = "/stores/S/inventory/A";
    let mut sender = client::Sender::on(client.connect(node.address()).await.unwrap()).await;
    let answer = sender.send(client::request("POST", &format!("{level}/adjust"), r#"{"delta": 5}"#)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    // Who does not believe the certificate goes away by himself.
    assert!(Client::new(&[], &TLS13, &[]).connect(node.address()).await.is_err());
    assert!(client.get(node.address(), level).await.text.contains("\"onHand\":5"));
    until_counted(&client, node.address(), FAILED, 3).await;
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_of_a_session_is_bound_to_the_host_and_to_https() {
    let pair = Pair::new();
    let files = Files::with(&pair);
    let node = files.node(&[]);
    let client = Client::new(&[&pair], &TLS13, &[HTTP_2]);
    let mut sender = client::Sender::on(client.connect(node.address()).await.unwrap()).await;
    let person = r#"{"login": "ada", "password": "correct horse stapled", "grants": [{"role": "admin"}]}"#;
    assert_eq!(sender.send(client::request("POST", "/users", person)).await.status, 201);
    let login = r#"{"login": "ada", "password": "correct horse stapled", "session": true}"#;
    let answer = sender.send(client::request("POST", "/auth/login", login)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let set = answer.headers["set-cookie"].to_str().unwrap();
    assert!(
        set.starts_with("__Host-onhand=ohb_") && set.ends_with("; HttpOnly; SameSite=Strict; Secure"),
        "{set}"
    );
    let cookie = set.split(';').next().unwrap();
    for (cookie, status) in [(cookie.to_owned(), 200), (cookie.replace("__Host-", ""), 401)] {
        let mut request = client::request("GET", "/auth/me", "");
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
        assert_eq!(sender.send(request).await.status, status, "{cookie}");
    }
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_speak_tls_is_sent_away() {
    let pair = Pair::new();
    let files = Files::with(&pair);
    let node = files.node(&["--log-level", "debug"]);
    let mut plain = TcpStream::connect(node.address()).await.unwrap();
    plain.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // A reset is an end as well.
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP"), "{answer:?}");
    let client = Client::new(&[&pair], &TLS13, &[]);
    until_counted(&client, node.address(), FAILED, 1).await;
    let said = node.process.said("stderr");
    assert!(said.contains("a TLS handshake failed"), "{said}");
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_has_the_time_of_a_head() {
    // A head has ten seconds.
    const WAIT: std::ops::Range<u64> = 9..60;
    let pair = Pair::new();
    let files = Files::with(&pair);
    let node = files.node(&[]);
    let client = Client::new(&[&pair], &TLS13, &[HTTP_1_1]);
    // Nothing at all, and the beginning of a hello that is never finished.
    let slow = [&b""[..], b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"].map(|bytes| {
        let address = node.address().to_owned();
        tokio::spawn(async move {
            let begun = Instant::now();
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(bytes).await.unwrap();
            assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0, "closed without a word");
            begun.elapsed().as_secs()
        })
    });
    // Each has a place, and so has who asks.
    until_counted(&client, node.address(), CONNECTIONS, 3).await;
    for waited in slow {
        let waited = waited.await.unwrap();
        assert!(WAIT.contains(&waited), "{waited} s");
    }
    until_counted(&client, node.address(), FAILED, 2).await;
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_too_many_is_told_so_over_tls() {
    let pair = Pair::new();
    let files = Files::with(&pair);
    let node = files.node(&["--connections-max", "1"]);
    let client = Client::new(&[&pair], &TLS13, &[HTTP_2, HTTP_1_1]);
    let busy = occupy_on(client.connect(node.address()).await.unwrap()).await;
    // The reserve speaks HTTP/1.1 only, and says so in the handshake.
    let refused = client.get(node.address(), "/problems").await;
    assert_eq!((refused.status.as_u16(), refused.version), (503, Version::HTTP_11), "{}", refused.text);
    assert!(refused.text.contains("\"code\":\"overloaded\""), "{}", refused.text);
    let probe = client.get(node.address(), "/livez").await;
    assert_eq!((probe.status.as_u16(), probe.version), (200, Version::HTTP_11));
    drop(busy);
    node.stop();
}

/// A stop does not wait for who has connected and said nothing, and answers who has asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_waits_for_requests_and_not_for_handshakes() {
    let pair = Pair::new();
    let files = Files::with(&pair);
    let node = files.node(&[]);
    let client = Client::new(&[&pair], &TLS13, &[]);
    let _silent = TcpStream::connect(node.address()).await.unwrap();
    let mut slow = client.connect(node.address()).await.unwrap();
    let head = "POST /stores/S/inventory/A/adjust HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                expect: 100-continue\r\ncontent-length: 11\r\n\r\n";
    slow.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    slow.read_exact(&mut answer).await.unwrap();
    let begun = Instant::now();
    node.process.signal(rustix::process::Signal::TERM);
    while TcpStream::connect(node.address()).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    slow.write_all(b"{\"delta\":5}").await.unwrap();
    answer.clear();
    slow.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let ended = tokio::task::spawn_blocking(move || node.process.wait()).await.unwrap();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}
