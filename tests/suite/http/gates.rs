//! Gates that are full: which requests are rejected, and which never are.

use super::fakes::Told;
use super::{Scratch, Setup, request};
use axum::body::Body;
use futures_util::poll;
use http::Method;
use onhand_config::GateSettings;
use onhand_http::{GateEntry, Gates, install_metrics, routes};
use onhand_resilience::BreakerSettings;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

#[tokio::test]
async fn every_route_but_health_and_metrics_is_rejected_when_its_gate_is_full() {
    let gates = Gates::new(&GateSettings { concurrency: 0, queue_max: 0, rate: None, role_rates: vec![] }, 0);
    let node = Scratch::open(Setup { gates, others: Some(vec![]), ..Setup::default() });
    let mut free = Vec::new();
    for route in routes() {
        let path = route.template.replace(['{', '}'], "");
        let answer = node.send(request(route.method.clone(), &path, &[], Body::empty())).await;
        if route.entry == GateEntry::Free {
            answer.is(200, "");
            free.push(route.template);
        } else {
            answer.is(503, "overloaded");
        }
    }
    free.sort_unstable();
    assert_eq!(
        free,
        ["/health", "/health/liveness", "/health/readiness", "/healthz", "/livez", "/metrics", "/readyz"]
    );
    node.get("/nowhere").await.is(404, "not-found");
}

/// One place, and clients that disconnect while their change is on its way to the disk.
#[tokio::test]
async fn a_disconnected_client_returns_its_place() {
    let gates = Gates::new(&GateSettings { concurrency: 1, queue_max: 0, rate: None, role_rates: vec![] }, 1);
    let node = Scratch::open(Setup { gates, ..Setup::default() });
    let path = "/stores/S/inventory/A/adjust";
    let adjust = || {
        let json = [("content-type", "application/json")];
        request(Method::POST, path, &json, Body::from(r#"{"delta":1}"#))
    };
    let mut dropped = 0;
    for _ in 0..20 {
        let mut work = Box::pin(node.edge.handle(adjust()));
        dropped += u32::from(poll!(&mut work).is_pending());
    }
    assert!(dropped > 0, "no change had to wait for the disk");
    node.send(adjust()).await.is(200, "");
    // A second one while the first is in progress finds no place.
    let mut first = Box::pin(node.edge.handle(adjust()));
    let answer = match poll!(&mut first) {
        Poll::Ready(answer) => answer,
        Poll::Pending => {
            node.send(adjust()).await.is(503, "overloaded");
            first.await
        }
    };
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a_source_that_does_not_answer_is_skipped_and_delays_no_request() {
    install_metrics();
    let told = Told::deliveries(7, 4);
    told.events.lock()[1]["type"] = "THEFT".into();
    let breaker = BreakerSettings { threshold: 0.5, cooldown: Duration::from_secs(3_600) };
    let node =
        Scratch::open(Setup { others: Some(vec![Arc::clone(&told) as _]), breaker, ..Setup::default() });
    let letter = "/dead-letters/00000000-0000-0000-0000-000000000007-2";
    node.post("/sync", &[], "").await.is(200, "");
    let state = async || node.get("/health/readiness").await.json["breakers"]["source told"].clone();
    assert_eq!(state().await, "closed");
    told.down.store(true, Ordering::SeqCst);
    let mut passes = 0;
    while state().await == "closed" {
        node.post("/sync", &[], "").await.is(200, "");
        passes += 1;
        assert!(passes < 20, "it never opens");
    }
    assert_eq!(state().await, "open");
    let asked = told.asked.load(Ordering::SeqCst);
    node.stock("/stores/S/inventory/A", 3).await;
    let pass = node.post("/sync", &[], "").await;
    assert_eq!(
        (&pass.json["sources"][0]["state"]["status"], &pass.json["applied"]),
        (&"well".into(), &1.into())
    );
    let reason = pass.json["sources"][1]["state"]["reason"].as_str().unwrap();
    assert_eq!(reason, "the line is dead", "what opened it is still told");
    assert_eq!(told.asked.load(Ordering::SeqCst), asked + 1, "a pass that somebody asks for probes once");
    let driven = node.post(&format!("{letter}/redrive"), &[], "").await;
    assert!(driven.is(503, "breaker-open").json["retryAfterMs"].as_u64().unwrap() > 3_000_000);
    assert_eq!(told.asked.load(Ordering::SeqCst), asked + 1, "a redrive does not");
    let ready = node.get("/health/readiness").await;
    assert_eq!(
        (&ready.json["ready"], &ready.json["breakers"]["source self"]),
        (&true.into(), &"closed".into())
    );
    let counters = node.get_with("/metrics", &[("accept", "application/json")]).await;
    assert!(counters.json["breakerOpen"].as_u64().unwrap() >= 1);
    let text = node.get("/metrics").await.text;
    assert!(text.contains("onhand_breaker_state{breaker=\"source told\"} 2\n"), "{text}");
    assert!(text.contains("\nonhand_log_queue_entries 0\n"), "{text}");
}
