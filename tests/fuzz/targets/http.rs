//! Requests, from their parts to whole ones, to a node on the simulated disk.

use super::shop;
use axum::body::Body;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use onhand_app::ports::{Clock, EventIds, EventLog};
use onhand_app::{Ledger, Parts};
use onhand_domain::Timestamp;
use onhand_file::log::FileLog;
use onhand_file::recovery::OpenNode;
use onhand_http::{Edge, Node, OpenRules, edge};
use onhand_sim::log_rules as rules;
use onhand_sim_machine::disk::{Crash, SimDisk};
use onhand_sim_machine::{SimClock, SimIds};
use onhand_vault::FileVault;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// A caller goes away after so long: what follows the feed has no end.
const PATIENCE: Duration = Duration::from_millis(50);
const LEVEL: &str = "/stores/LONDON/inventory/TEA";

struct Running {
    edge: Edge,
    log: Arc<FileLog>,
    disk: SimDisk,
    _node: onhand_file::format::identity::DirectoryLock,
}

impl Running {
    fn new(disk: SimDisk) -> Self {
        Self::with(disk, |node| node)
    }

    /// With a vault, so that callers can log in once there is an administrator.
    fn guarded(disk: SimDisk) -> Self {
        let vault = FileVault::open(Arc::new(SimDisk::new(1)), "/identity".into()).expect("a new vault");
        Self::with(disk, |node| node.with_identity(Arc::new(vault), OpenRules::default()))
    }

    fn with(disk: SimDisk, equip: impl FnOnce(Node) -> Node) -> Self {
        let OpenNode { node, log, restored, end, lock, .. } = shop::start(&disk).expect("it was made well");
        let log = Arc::new(log);
        let clock = Arc::new(SimClock::default());
        clock.set(Timestamp::parse("2026-11-20T18:00:00Z").expect("a time"));
        let ids = Arc::new(SimIds::default());
        for _ in 0..1_000 {
            ids.event_id();
        }
        let parts = Parts {
            log: Arc::clone(&log) as Arc<dyn EventLog>,
            history: log.history(),
            clock: clock as Arc<dyn Clock>,
            ids: ids as Arc<dyn EventIds>,
            idempotency_ttl_ms: 300_000,
        };
        let ledger = Arc::new(Ledger::new(parts, restored, end));
        let node = equip(Node::new(node.node, ledger, CancellationToken::new()));
        Self { edge: edge(Arc::new(node)), log, disk, _node: lock }
    }

    /// Sends one request and holds its answer against what every answer owes.
    async fn send(&self, request: Request<Body>) {
        let asked = format!("{} {}", request.method(), request.uri());
        let head = request.method() == Method::HEAD;
        let Some(response) = self.drive(self.edge.handle(request)).await else { return };
        let (parts, body) = response.into_parts();
        let status = parts.status;
        assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{asked}");
        let Some(body) = self.drive(axum::body::to_bytes(body, 64 << 20)).await else { return };
        if !(status.is_client_error() || status.is_server_error()) {
            return;
        }
        let kind = parts.headers.get("content-type").map(HeaderValue::as_bytes);
        assert_eq!(kind, Some(&b"application/problem+json"[..]), "{asked}: {status}");
        if !head {
            let problem: serde_json::Value =
                serde_json::from_slice(&body.expect("it is short")).expect("a problem is JSON");
            assert_eq!(problem["status"], status.as_u16(), "{asked}");
            assert!(problem["code"].is_string() && problem["detail"].is_string(), "{asked}: {problem}");
        }
    }

    /// Waits for an answer, writing the log on this thread meanwhile; nothing when patience is over.
    async fn drive<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.drive_within(PATIENCE, work).await
    }

    async fn drive_within<T>(&self, patience: Duration, work: impl Future<Output = T>) -> Option<T> {
        let (mut work, since) = (pin!(work), Instant::now());
        std::future::poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if since.elapsed() > patience => Poll::Ready(None),
            Poll::Pending => {
                self.log.write_waiting().expect("the disk is well");
                context.waker().wake_by_ref();
                Poll::Pending
            }
        })
        .await
    }

    /// Whatever was asked, the log adds up, and is still there after a crash.
    fn check(self) {
        let Self { edge, log, disk, _node: lock } = self;
        let end = log.durable().sequence();
        drop((edge, log, lock));
        disk.crash(Crash::PowerCut { seed: 3 });
        rules::check(&rules::entries(&disk));
        assert!(shop::start(&disk).expect("it starts again").end >= end);
    }
}

fn post(path: &str, headers: &[(&str, &[u8])], body: &[u8]) -> Option<Request<Body>> {
    request(Method::POST, path, headers, body)
}

fn request(method: Method, target: &str, headers: &[(&str, &[u8])], body: &[u8]) -> Option<Request<Body>> {
    let mut request = Request::new(Body::from(body.to_vec()));
    *request.method_mut() = method;
    *request.uri_mut() = target.parse::<Uri>().ok().filter(|uri| uri.path().starts_with('/'))?;
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        request.headers_mut().append(name, HeaderValue::from_bytes(value).ok()?);
    }
    Some(request)
}

fn send_all(requests: impl IntoIterator<Item = Option<Request<Body>>>) {
    let requests: Vec<_> = requests.into_iter().flatten().collect();
    if requests.is_empty() {
        return;
    }
    let disk = shop::disk();
    shop::wait(async {
        let node = Running::new(disk);
        for request in requests {
            node.send(request).await;
        }
        node.check();
    });
}

/// A body, to the route that its first byte chooses.
pub(super) fn body(bytes: &[u8]) {
    let Some((first, body)) = bytes.split_first() else { return };
    let json: (&str, &[u8]) = ("content-type", b"application/json");
    let lines: (&str, &[u8]) = ("content-type", b"application/x-ndjson");
    let key: (&str, &[u8]) = ("idempotency-key", b"k");
    let merge: (&str, &[u8]) = ("content-type", b"application/merge-patch+json");
    let level = |verb: &str| format!("{LEVEL}/{verb}");
    let (method, path, kind) = match first % 18 {
        0 => (Method::POST, level("adjust"), json),
        1 => (Method::POST, level("reserve"), json),
        2 => (Method::POST, level("release"), json),
        3 => (Method::POST, level("commit"), json),
        4 => (Method::POST, level("count"), json),
        5 => (Method::POST, "/inventory/batch".to_owned(), json),
        6 => (Method::POST, "/inventory/batch".to_owned(), lines),
        7 => (Method::POST, "/inventory/batch?atomic=false".to_owned(), lines),
        8 => (Method::POST, "/imports/g/rows".to_owned(), json),
        9 => (Method::POST, "/products".to_owned(), json),
        10 => (Method::PUT, "/products/TEA".to_owned(), json),
        11 => (Method::PATCH, "/products/TEA".to_owned(), merge),
        12 => (Method::POST, "/stores".to_owned(), json),
        13 => (Method::PUT, "/stores/LONDON".to_owned(), json),
        14 => (Method::PUT, level("threshold"), json),
        15 => (Method::POST, "/catalogue/products".to_owned(), json),
        16 => (Method::POST, "/stock/add".to_owned(), json),
        _ => (Method::POST, "/stock/sale".to_owned(), json),
    };
    // Twice with a key: the second is its replay. Then the level moves, past whatever was said.
    let send = |headers: &[(&str, &[u8])]| request(method.clone(), &path, headers, body);
    let moved = post(&level("adjust"), &[json], br#"{"delta":-1}"#);
    send_all([send(&[kind, key]), send(&[kind, key]), send(&[kind]), moved]);
}

/// Credentials, one a line, in every place where one is read: none of them is good.
pub(super) fn credentials(bytes: &[u8]) {
    let disk = shop::disk();
    shop::wait(async {
        let node = Running::guarded(disk);
        let json: (&str, &[u8]) = ("content-type", b"application/json");
        let admin = br#"{"kind":"service","name":"desk","grants":[{"role":"admin"}]}"#;
        // This one is always answered, on a busy machine later.
        let asked = node.edge.handle(post("/tokens", &[json], admin).expect("it is well-formed"));
        let made = node.drive_within(Duration::MAX, asked).await.expect("there is no end of patience");
        assert_eq!(made.status(), StatusCode::CREATED);
        for line in bytes.split(|byte| *byte == b'\n').take(4) {
            let [bearer, basic, cookie] =
                [&b"Bearer "[..], b"Basic ", b"onhand="].map(|front| [front, line].concat());
            let shown: [(&str, &[u8]); 5] = [
                ("authorization", line),
                ("authorization", &bearer),
                ("authorization", &basic),
                ("cookie", line),
                ("cookie", &cookie),
            ];
            for header in shown {
                let Some(request) = request(Method::GET, "/auth/me", &[header], b"") else { continue };
                let Some(answer) = node.drive(node.edge.handle(request)).await else { continue };
                let status = answer.status().as_u16();
                assert!(matches!(status, 401 | 429 | 503), "{header:?}: {status}");
            }
        }
        node.check();
    });
}

/// Header values and query parameters, one a line, each in every place where something is parsed.
pub(super) fn headers(bytes: &[u8]) {
    let requests = bytes.split(|byte| *byte == b'\n').take(8).flat_map(|value| {
        let json: (&str, &[u8]) = ("content-type", b"application/json");
        let adjust = format!("{LEVEL}/adjust");
        let text = String::from_utf8_lossy(value);
        let query = |name: &str| format!("{LEVEL}?{name}={text}");
        [
            post(&adjust, &[json, ("if-match", value)], br#"{"delta":1}"#),
            post(&adjust, &[json, ("idempotency-key", value)], br#"{"delta":1}"#),
            post(&adjust, &[json, ("prefer", value)], br#"{"delta":1}"#),
            post(&adjust, &[("content-type", value), ("content-encoding", value)], br#"{"delta":1}"#),
            request(Method::GET, LEVEL, &[("if-none-match", value), ("x-request-id", value)], b""),
            request(Method::GET, "/metrics", &[("accept", value), ("traceparent", value)], b""),
            request(Method::GET, "/events?limit=2", &[("accept", value), ("last-event-id", value)], b""),
            request(Method::GET, &format!("/events?cursor={text}"), &[], b""),
            request(Method::GET, &format!("/events?{text}"), &[], b""),
            request(Method::GET, &format!("/stores/LONDON/inventory?cursor={text}"), &[], b""),
            request(Method::GET, &format!("{LEVEL}/history?cursor={text}"), &[], b""),
            request(Method::GET, &format!("/stores/{text}/inventory/{text}"), &[], b""),
            request(Method::GET, &query("asOf"), &[], b""),
            request(Method::GET, &format!("/central/inventory/TEA?atLeast={text}"), &[], b""),
            request(Method::DELETE, "/products/TEA", &[("if-match", value)], b""),
            request(Method::GET, &format!("/products?{text}"), &[], b""),
            request(Method::GET, &format!("/products?cursor={text}"), &[], b""),
            request(Method::GET, &format!("/products/{text}"), &[("if-none-match", value)], b""),
            request(Method::GET, &format!("/stores?cursor={text}"), &[], b""),
            request(Method::GET, &format!("/alerts?{text}"), &[], b""),
            request(Method::GET, &format!("/alerts?cursor={text}"), &[], b""),
        ]
    });
    send_all(requests);
}

/// Whole requests one after the other, `%%` on a line of its own between them.
pub(super) fn requests(bytes: &[u8]) {
    let text = bytes.split(|byte| *byte == b'\n').collect::<Vec<_>>();
    send_all(text.split(|line| *line == b"%%").take(8).map(whole));
}

/// `METHOD target`, header lines, an empty line, the body.
fn whole(lines: &[&[u8]]) -> Option<Request<Body>> {
    let (first, rest) = lines.split_first()?;
    let (method, target) = str::from_utf8(first).ok()?.split_once(' ')?;
    let head = rest.iter().position(|line| line.is_empty()).unwrap_or(rest.len());
    let headers: Vec<(&str, &[u8])> = rest
        .get(..head)?
        .iter()
        .filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((str::from_utf8(line.get(..colon)?).ok()?, line.get(colon + 1..)?.trim_ascii()))
        })
        .collect();
    let body = rest.get(head + 1..).unwrap_or_default().join(&b'\n');
    request(Method::from_bytes(method.as_bytes()).ok()?, target, &headers, &body)
}
