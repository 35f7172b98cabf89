//! A central node that follows a node over https, whose certificate an own authority vouches for.

use super::client::{Client, Files, Pair};
use crate::binary::process::Node;
use onhand_remote::client_builder;
use rustls::version::TLS13;
use serde_json::Value;
use std::fs;
use std::time::{Duration, Instant};

const WAIT_MAX: Duration = Duration::from_secs(60);

/// What central says about its source at this address, once it is not new any more.
async fn seen(central: &Node, source: &str) -> Value {
    let (begun, http) = (Instant::now(), client_builder(true).build().unwrap());
    loop {
        let ready = http.get(format!("{}/health/readiness", central.url)).send().await.unwrap();
        let ready: Value = serde_json::from_str(&ready.text().await.unwrap()).unwrap();
        let sources = ready["sources"].as_array().unwrap();
        let found = sources.iter().find(|found| found["name"] == source);
        if let Some(state) = found.map(|found| &found["state"]).filter(|state| state["status"] != "new") {
            return state.clone();
        }
        assert!(begun.elapsed() < WAIT_MAX, "{ready}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_believed_by_an_own_authority_and_by_no_other() {
    let (pair, other) = (Pair::new(), Pair::new());
    let files = Files::with(&pair);
    let node = files.node(&[]);
    let client = Client::new(&[&pair], &TLS13, &[]);
    assert_eq!(client.get(node.address(), "/livez").await.status, 200);
    let source = node.url.replace("127.0.0.1", "localhost");
    let directory = tempfile::TempDir::new().unwrap();
    let authorities = directory.path().join("ca.pem");
    let both = format!("{}{}", other.certificate, pair.certificate);
    for (content, status) in [
        (None, "failing"),
        (Some(&other.certificate), "failing"),
        (Some(&pair.certificate), "well"),
        (Some(&both), "well"),
    ] {
        let mut options = vec!["--source", source.as_str()];
        if let Some(content) = content {
            fs::write(&authorities, content).unwrap();
            options.extend(["--sync-ca-file", authorities.to_str().unwrap()]);
        }
        let central = Node::start(&directory.path().join("central"), &options);
        let state = seen(&central, &source).await;
        assert_eq!(state["status"], status, "{state}");
        let reason = state["reason"].as_str().unwrap_or_default();
        assert_eq!(reason.contains("certificate"), status == "failing", "{reason}");
        central.stop();
    }
    node.stop();
}
