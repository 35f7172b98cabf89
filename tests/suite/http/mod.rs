//! The HTTP side over a real log in a scratch directory, in process or on a socket. Every answer that is read in
//! process is checked against openapi.yaml.

mod alerts;
mod allocation;
mod archived;
mod caches;
mod catalogue;
mod central;
mod console;
pub(crate) mod contract;
mod dead_letters;
mod document;
mod fakes;
mod feed;
mod follow;
mod gates;
mod guides;
mod identity;
mod many_products;
mod orders;
mod read_only;
mod refusals;
mod reports;
mod screens;
mod sockets;
mod stock;
mod stores;
mod stream;
mod sums;
mod wanted;

use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode};
use onhand_app::central::{CentralModel, Worker};
use onhand_app::ports::{Clock, EventLog, EventSource, History, Vault};
use onhand_app::{Ledger, Parts};
use onhand_disk::clock::{SystemClock, TimeOrderedIds};
use onhand_disk::layout::Layout;
use onhand_disk::{Disk, RealDisk};
use onhand_file::format::identity::DirectoryLock;
use onhand_file::log::FileLog;
use onhand_file::recovery::{OpenNode, OpenOptions, open};
use onhand_file::upkeep::maintenance::Maintenance;
use onhand_http::{Edge, Gates, Node, OpenRules, edge};
use onhand_resilience::BreakerSettings;
use onhand_vault::PersonalKeyFile;
use parking_lot::Mutex;
use serde_json::Value;
use std::iter;
use std::sync::Arc;
use std::time::Duration;
use stream::{NDJSON, SSE};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A node with a log of its own, empty at first.
struct Scratch {
    edge: Arc<Edge>,
    node: Arc<Node>,
    id: Uuid,
    shutdown: CancellationToken,
    log: Arc<FileLog>,
    worker: Option<Arc<Worker>>,
    maintenance: Mutex<Maintenance>,
    _lock: DirectoryLock,
    directory: Arc<TempDir>,
}

/// The configuration of a node.
struct Setup {
    directory: Arc<TempDir>,
    disk: Arc<dyn Disk>,
    segment_bytes: u64,
    /// A wrapper around the reading of the log.
    watch: fn(Arc<dyn History>) -> Arc<dyn History>,
    /// The logs that its worker follows besides its own; none: there is no worker.
    others: Option<Vec<Arc<dyn EventSource>>>,
    /// A central model that another process fills.
    central: Option<Arc<CentralModel>>,
    /// When its worker stops reading a source.
    breaker: BreakerSettings,
    gates: Gates,
    /// Stock only of SKUs in the catalogue.
    strict: bool,
    /// The vault of its identity.
    vault: Option<Arc<dyn Vault>>,
    /// What is open without a login.
    open: OpenRules,
    clock: Arc<dyn Clock>,
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
        Self::open(Setup::default())
    }

    fn open(setup: Setup) -> Self {
        let options = OpenOptions {
            disk: setup.disk,
            layout: Layout::new(setup.directory.path()),
            segment_bytes: setup.segment_bytes,
            ballast_bytes: 0,
            idempotency_ttl_ms: 300_000,
        };
        let opened = open(&options, &*setup.clock, &TimeOrderedIds).unwrap();
        let maintenance = Mutex::new(opened.maintenance(10));
        let OpenNode { log, restored, end, lock, node, .. } = opened;
        log.start(Duration::from_millis(10), |_| {}).unwrap();
        let log = Arc::new(log);
        let parts = Parts {
            log: Arc::clone(&log) as Arc<dyn EventLog>,
            history: (setup.watch)(log.history()),
            clock: setup.clock,
            ids: Arc::new(TimeOrderedIds),
            idempotency_ttl_ms: 300_000,
        };
        let shutdown = CancellationToken::new();
        let ledger = Ledger::new(parts, restored, end);
        let ledger = Arc::new(if setup.strict { ledger.with_strict_catalog() } else { ledger });
        let plain = Node::new(node.node, Arc::clone(&ledger), shutdown.clone()).with_gates(setup.gates);
        let worker = setup.others.map(|others| {
            let own = Arc::new(edge(Arc::new(Node::new(node.node, ledger, shutdown.clone()))));
            let sources = iter::once(fakes::over_http(own)).chain(others).collect();
            Arc::new(fakes::worker(sources, setup.breaker))
        });
        let equipped = match (&worker, setup.central) {
            (Some(worker), _) => plain.with_worker(Arc::clone(worker)),
            (None, Some(central)) => plain.with_central(central, Arc::default()),
            (None, None) => plain,
        };
        let equipped = match setup.vault {
            Some(vault) => identity::with_vault(equipped, vault, setup.open),
            None => equipped,
        };
        let personal = PersonalKeyFile::open(Arc::new(RealDisk), setup.directory.path().join("identity"));
        let equipped = Arc::new(equipped.with_personal_keys(Arc::new(personal.unwrap())));
        let edge = Arc::new(edge(Arc::clone(&equipped)));
        Self {
            edge,
            node: equipped,
            id: node.node,
            shutdown,
            log,
            worker,
            maintenance,
            _lock: lock,
            directory: setup.directory,
        }
    }

    /// A node whose worker follows its own log, over pages of HTTP, and others.
    fn with_worker(others: Vec<Arc<dyn EventSource>>) -> Self {
        Self::open(Setup { others: Some(others), ..Setup::default() })
    }

    /// Stops, and starts again in the same directory.
    fn restart(self, setup: Setup) -> Self {
        self.shutdown.cancel();
        self.log.close().unwrap();
        let directory = Arc::clone(&self.directory);
        drop(self);
        Self::open(Setup { directory, ..setup })
    }

    /// One step of maintenance: an index, a snapshot, a segment to the archive.
    fn upkeep(&self) {
        self.maintenance.lock().step().unwrap();
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
        self.say(Method::POST, path, headers, body).await
    }

    /// Sends a JSON body.
    async fn say(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let json = [("content-type", "application/json")];
        let headers: Vec<_> = json.iter().chain(headers).copied().collect();
        self.send(request(method, path, &headers, Body::from(body.to_owned()))).await
    }

    /// The status of a HEAD request.
    async fn head(&self, path: &str, headers: &[(&str, &str)]) -> StatusCode {
        self.edge.handle(request(Method::HEAD, path, headers, Body::empty())).await.status()
    }

    /// The status of a request without a body to another address of a route.
    async fn bare(&self, method: &Method, path: &str, headers: &[(&str, &str)]) -> u16 {
        self.edge.handle(request(method.clone(), path, headers, Body::empty())).await.status().as_u16()
    }

    /// An answer that goes on.
    async fn open_stream(&self, path: &str, headers: &[(&str, &str)]) -> Body {
        self.edge.handle(request(Method::GET, path, headers, Body::empty())).await.into_body()
    }

    async fn delete(&self, path: &str) -> Answer {
        self.send(request(Method::DELETE, path, &[], Body::empty())).await
    }

    /// Stocks a level for the start of a test.
    async fn stock(&self, path: &str, pieces: i64) {
        let answer = self.post(&format!("{path}/adjust"), &[], &format!(r#"{{"delta":{pieces}}}"#)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            directory: Arc::new(tempfile::tempdir().unwrap()),
            disk: Arc::new(RealDisk),
            segment_bytes: 64 << 20,
            watch: |history| history,
            others: None,
            central: None,
            breaker: fakes::NEVER,
            gates: Gates::default(),
            strict: false,
            vault: None,
            open: OpenRules::default(),
            clock: Arc::new(SystemClock),
        }
    }
}

impl Answer {
    /// Checks the status and, for a rejection, its code and all members that a problem must have.
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
