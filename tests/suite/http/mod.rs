//! The HTTP side over a real log in a scratch directory, in process or on a socket. Every answer that is read in
//! process is held against openapi.yaml.

pub(crate) mod contract;
mod refusals;
mod sockets;
mod stock;

use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode};
use onhand::adapters::file::clock::{SystemClock, TimeOrderedIds};
use onhand::adapters::file::disk::RealDisk;
use onhand::adapters::file::identity::DirectoryLock;
use onhand::adapters::file::layout::Layout;
use onhand::adapters::file::log::FileLog;
use onhand::adapters::file::recovery::{OpenNode, OpenOptions, open};
use onhand::adapters::http::{Edge, Node, edge};
use onhand::app::ports::EventLog;
use onhand::app::{Ledger, Parts};
use serde_json::Value;
use std::sync::Arc;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A node with an empty log.
struct Scratch {
    edge: Arc<Edge>,
    shutdown: CancellationToken,
    log: Arc<FileLog>,
    _lock: DirectoryLock,
    _directory: TempDir,
}

/// An answer, read to its end.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    json: Value,
    text: String,
}

impl Scratch {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = OpenOptions {
            disk: Arc::new(RealDisk),
            layout: Layout::new(directory.path()),
            segment_bytes: 64 << 20,
            idempotency_ttl_ms: 300_000,
        };
        let OpenNode { log, restored, end, lock, .. } =
            open(&options, &SystemClock, &TimeOrderedIds).unwrap();
        log.start().unwrap();
        let log = Arc::new(log);
        let parts = Parts {
            log: Arc::clone(&log) as Arc<dyn EventLog>,
            history: log.history(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(TimeOrderedIds),
            idempotency_ttl_ms: 300_000,
        };
        let shutdown = CancellationToken::new();
        let ledger = Arc::new(Ledger::new(parts, restored, end));
        let node = Arc::new(Node::new(ledger, shutdown.clone()));
        Self { edge: Arc::new(edge(node)), shutdown, log, _lock: lock, _directory: directory }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().to_string());
        let response = self.edge.handle(request).await;
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 64 << 20).await.unwrap();
        contract::check(&method, &path, parts.status, &parts.headers, &bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, json, text }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Request::builder().uri(path).body(Body::empty()).unwrap()).await
    }

    async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(request(Method::GET, path, headers, Body::empty())).await
    }

    async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let json = [("content-type", "application/json")];
        let headers: Vec<_> = json.iter().chain(headers).copied().collect();
        self.send(request(Method::POST, path, &headers, Body::from(body.to_owned()))).await
    }

    /// Stocks a level, so that a test has something to start with.
    async fn stock(&self, path: &str, pieces: i64) {
        let answer = self.post(&format!("{path}/adjust"), &[], &format!(r#"{{"delta":{pieces}}}"#)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

impl Answer {
    /// Holds the answer against a status and, for a refusal, a code and everything a problem must have.
    #[track_caller]
    fn is(&self, status: u16, code: &str) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert!(self.headers.contains_key("x-request-id"));
        assert_eq!(self.headers["x-content-type-options"], "nosniff");
        if status >= 400 {
            assert_eq!(self.headers["content-type"], "application/problem+json");
            assert_eq!(self.json["code"], code, "{}", self.text);
            assert_eq!(self.json["type"], format!("/problems/{code}"));
            assert_eq!(self.json["status"], status);
            assert_eq!(self.json["requestId"], self.headers["x-request-id"].to_str().unwrap());
            for member in ["title", "detail", "instance"] {
                assert!(self.json[member].as_str().is_some_and(|text| !text.is_empty()), "{member}");
            }
            let asks_to_wait = self.headers.contains_key("retry-after");
            assert_eq!(asks_to_wait, matches!(status, 429 | 503));
        }
        self
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

fn request(method: Method, path: &str, headers: &[(&str, &str)], body: Body) -> Request<Body> {
    let builder = Request::builder().method(method).uri(path);
    headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value)).body(body).unwrap()
}
