//! A receiver of webhooks, as a separate server.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The secret in the example of Standard Webhooks.
pub(super) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// The status for an answer that is never sent.
pub(super) const SILENT: u16 = 0;
const WAIT_MAX: Duration = Duration::from_secs(60);

/// One webhook that was accepted.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) id: String,
    pub(super) timestamp: i64,
    pub(super) json: Value,
}

/// A server that checks each webhook, and answers with the status that the test sets.
#[derive(Clone)]
pub(super) struct Receiver {
    answer: Arc<AtomicU16>,
    taken: watch::Sender<Vec<Taken>>,
    /// Numbers of rejected requests, and of requests to the target of the redirect.
    refused: Arc<AtomicU16>,
    redirected: Arc<AtomicU16>,
}

impl Receiver {
    pub(super) fn new() -> Self {
        Self {
            answer: Arc::new(AtomicU16::new(200)),
            taken: watch::Sender::default(),
            refused: Arc::default(),
            redirected: Arc::default(),
        }
    }

    pub(super) fn router(&self) -> Router {
        let elsewhere = Arc::clone(&self.redirected);
        Router::new()
            .route("/hook", post(take))
            .route("/elsewhere", post(async move || elsewhere.fetch_add(1, Ordering::SeqCst).to_string()))
            .with_state(self.clone())
    }

    /// Listens; returns the address and the task, which ends the server when it is aborted.
    pub(super) async fn listen(&self, address: &str) -> (SocketAddr, JoinHandle<()>) {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = self.router();
        (address, tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }))
    }

    /// Sets the status of all answers from now on.
    pub(super) fn answer(&self, status: u16) {
        self.answer.store(status, Ordering::SeqCst);
    }

    pub(super) fn refused(&self) -> u16 {
        self.refused.load(Ordering::SeqCst)
    }

    pub(super) fn redirected(&self) -> u16 {
        self.redirected.load(Ordering::SeqCst)
    }

    /// The accepted webhooks, once there are so many.
    pub(super) async fn taken(&self, at_least: usize) -> Vec<Taken> {
        let mut taken = self.taken.subscribe();
        let enough = taken.wait_for(|taken| taken.len() >= at_least);
        let Ok(taken) = tokio::time::timeout(WAIT_MAX, enough).await else {
            panic!("{at_least} are not there: {:?}", self.taken.borrow());
        };
        taken.unwrap().clone()
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let status = receiver.answer.load(Ordering::SeqCst);
    if status == SILENT {
        std::future::pending::<()>().await;
    }
    let status = StatusCode::from_u16(status).unwrap();
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/json");
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    let key = STANDARD.decode(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
    mac.update(&[format!("{id}.{timestamp}.").as_bytes(), &body].concat());
    let (expected, signed) = (STANDARD.encode(mac.finalize().into_bytes()), header("webhook-signature"));
    assert!(signed.split(' ').any(|signature| signature == format!("v1,{expected}")), "{signed}");
    crate::http::contract::is_alert_webhook(&body);
    if status.is_success() {
        let (json, timestamp) = (serde_json::from_slice(&body).unwrap(), timestamp.parse().unwrap());
        receiver.taken.send_modify(|taken| taken.push(Taken { id, timestamp, json }));
    } else {
        receiver.refused.fetch_add(1, Ordering::SeqCst);
    }
    // A body that is too long to read, and a redirect.
    (status, [("location", "/elsewhere"), ("retry-after", "0")], vec![b'x'; 1 << 20])
}
