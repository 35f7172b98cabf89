//! SIGHUP: both files are read again, under load, without a request that fails.

use super::client::{Client, Files, HTTP_1_1, HTTP_2, Pair, Sender, request};
use crate::binary::process::Node;
use rustix::process::Signal;
use rustls::pki_types::CertificateDer;
use rustls::version::{TLS12, TLS13};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const ADJUST: &str = "/stores/S/inventory/A/adjust";
const RELOADS: usize = 6;
const WAIT_MAX: Duration = Duration::from_secs(60);

/// The certificate that a new connection is shown.
async fn shown(client: &Client, node: &Node) -> CertificateDer<'static> {
    let stream = client.connect(node.address()).await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

/// Waits until new connections are shown that certificate.
async fn until_shown(client: &Client, node: &Node, pair: &Pair) {
    let begun = Instant::now();
    while shown(client, node).await != pair.der {
        assert!(begun.elapsed() < WAIT_MAX, "{}", node.process.said("stderr"));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Changes a level over and over until told to stop, on one connection or on one for each change; every answer must be good.
async fn change(client: Client, address: String, kept: bool, stop: Arc<AtomicBool>) -> u64 {
    let mut sender = Sender::on(client.connect(&address).await.unwrap()).await;
    let mut changes = 0;
    while !stop.load(Ordering::Relaxed) {
        if !kept {
            sender = Sender::on(client.connect(&address).await.unwrap()).await;
        }
        let answer = sender.send(request("POST", ADJUST, r#"{"delta": 1}"#)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        changes += 1;
    }
    changes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_under_load_fails_no_request() {
    let pairs = [Pair::new(), Pair::new()];
    let believed: Vec<&Pair> = pairs.iter().collect();
    let files = Files::with(&pairs[0]);
    let node = files.node(&[]);
    let stop = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for (version, offered) in [(&TLS13, HTTP_2), (&TLS13, HTTP_1_1), (&TLS12, HTTP_1_1)] {
        for kept in [true, false] {
            let client = Client::new(&believed, version, &[offered]);
            clients.spawn(change(client, node.address().to_owned(), kept, Arc::clone(&stop)));
        }
    }
    let fresh = Client::new(&believed, &TLS13, &[HTTP_1_1]).without_memory();
    until_shown(&fresh, &node, &pairs[0]).await;
    for number in 1..=RELOADS {
        let pair = &pairs[number % 2];
        files.lay(&pair.certificate, &pair.key);
        node.process.signal(Signal::HUP);
        until_shown(&fresh, &node, pair).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.store(true, Ordering::Relaxed);
    let changes: u64 = clients.join_all().await.into_iter().sum();
    assert!(changes > 100, "{changes}");
    let level = fresh.get(node.address(), "/stores/S/inventory/A").await.text;
    assert!(level.contains(&format!("\"onHand\":{changes},")), "{changes}: {level}");
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_no_good_change_nothing() {
    let (old, new) = (Pair::new(), Pair::new());
    let files = Files::with(&old);
    let node = files.node(&[]);
    let client = Client::new(&[&old, &new], &TLS13, &[HTTP_1_1]).without_memory();
    let mut kept = Sender::on(client.connect(node.address()).await.unwrap()).await;
    for (number, (certificate, key)) in
        [(new.certificate.as_str(), old.key.as_str()), ("", &old.key), (&old.certificate, "")]
            .into_iter()
            .enumerate()
    {
        files.lay(certificate, key);
        node.process.signal(Signal::HUP);
        let begun = Instant::now();
        while node.process.said("stderr").matches("the certificate was not replaced").count() <= number {
            assert!(begun.elapsed() < WAIT_MAX, "{}", node.process.said("stderr"));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(shown(&client, &node).await, old.der);
    }
    let said = node.process.said("stderr");
    assert!(said.contains("\"level\":\"ERROR\"") && said.contains("TLS_KEY (--tls-key)"), "{said}");
    files.lay(&new.certificate, &new.key);
    node.process.signal(Signal::HUP);
    until_shown(&client, &node, &new).await;
    assert_eq!(kept.send(request("GET", "/livez", "")).await.status, 200, "it has been open all the time");
    node.stop();
}
