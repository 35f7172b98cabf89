//! The way to the node: over HTTP where its address is given; else over the local socket of the data directory while a server
//! runs there; else on its files, opened in this process for one command.
//!
//! The lock of the data directory decides between the last two, so the files are never changed beside a server. A server that
//! is starting has the lock and no socket yet: then the command tries both again for a while.

use crate::admin::options::AdminOptions;
use crate::admin::refusal::refusal;
use crate::terminal::client::{NodeClient, NodeResponse, encode};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, IF_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use onhand_disk::layout::Layout;
use onhand_runtime::directory;
use onhand_runtime::exit::{Exit, Failure, OrExit};
use serde::Serialize;
use serde_json::Value;
use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// How long a server may take to start.
const START_MAX: Duration = Duration::from_secs(10);
const TRY_AGAIN: Duration = Duration::from_millis(100);
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A future of this thread.
pub type Local<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Opens the node of a data directory in this process; [`Exit::Locked`] when another process has it.
pub type OpenNode = for<'a> fn(&'a Path) -> Local<'a, Result<Box<dyn OpenedNode>, Failure>>;

/// A node that this process has opened on its files.
pub trait OpenedNode {
    /// Answers a request as the local socket of a server does: it comes from the owner of the data directory.
    fn answer(&self, request: Request<Bytes>) -> Local<'_, Response<Bytes>>;

    /// Closes the files; what was answered is durable already.
    ///
    /// # Errors
    /// [`Exit::Io`] when the log cannot be written at the end.
    fn close(self: Box<Self>) -> Result<(), Failure>;
}

/// A node that a command talks to.
pub(super) enum Connection {
    Client(NodeClient),
    Files(Box<dyn OpenedNode>),
}

/// The body of an answer, and the version in its `ETag`.
pub(super) struct Answer {
    pub(super) body: Value,
    pub(super) etag: Option<HeaderValue>,
}

impl Connection {
    /// Finds the node that the options name.
    ///
    /// # Errors
    /// [`Exit::NoInput`] without a data directory, [`Exit::Locked`] when its process does not answer on its socket,
    /// [`Exit::Permission`] when it is of another user.
    pub(super) async fn open(options: &AdminOptions, open: OpenNode) -> Result<Self, Failure> {
        if let Some(server) = &options.server {
            return Ok(Self::Client(NodeClient::new(server)?));
        }
        let begun = Instant::now();
        loop {
            if let Some(socket) = live_socket(&options.data_dir)? {
                return Ok(Self::Client(NodeClient::over_socket(&socket)?));
            }
            match open(&options.data_dir).await {
                Ok(node) => return Ok(Self::Files(node)),
                Err(failure) if failure.exit != Exit::Locked => return Err(failure),
                Err(failure) if begun.elapsed() >= START_MAX => return Err(unanswered(failure)),
                Err(_) => tokio::time::sleep(TRY_AGAIN).await,
            }
        }
    }

    /// Reads `path`.
    pub(super) async fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.send(Method::GET, path, HeaderMap::new(), None).await
    }

    /// Changes something. A retry after a lost answer takes effect once.
    pub(super) async fn change(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
        etag: Option<HeaderValue>,
    ) -> Result<Answer, Failure> {
        let key = HeaderValue::try_from(Uuid::now_v7().to_string()).expect("an id is ASCII");
        let headers = [(IDEMPOTENCY_KEY, key)].into_iter().chain(etag.map(|etag| (IF_MATCH, etag)));
        self.send(method, path, headers.collect(), body.map(encode)).await
    }

    /// Every item of a list.
    pub(super) async fn list(&self, path: &str) -> Result<Vec<Value>, Failure> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let mut page = self.get(&format!("{path}?limit=1000{cursor}")).await?.body;
            if let Some(Value::Array(rows)) = page.get_mut("items").map(Value::take) {
                items.extend(rows);
            }
            let Some(next) = page.get("nextCursor").and_then(Value::as_str) else { return Ok(items) };
            cursor = format!("&cursor={next}");
        }
    }

    /// Ends the command with its outcome; a node on files is closed first.
    pub(super) fn close(self, outcome: Result<Exit, Failure>) -> Result<Exit, Failure> {
        let closed = match self {
            Self::Client(_) => Ok(()),
            Self::Files(node) => node.close(),
        };
        let exit = outcome?;
        closed.map(|()| exit)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Option<Bytes>,
    ) -> Result<Answer, Failure> {
        let answer = match self {
            Self::Client(client) => client.call(method.clone(), path, headers, body).await?,
            Self::Files(node) => {
                let (parts, body) = node.answer(request(&method, path, headers, body)).await.into_parts();
                NodeResponse { status: parts.status, headers: parts.headers, body }
            }
        };
        if !answer.status.is_success() {
            return Err(refusal(&method, path, answer.status, &answer.body));
        }
        if answer.body.is_empty() {
            return Ok(Answer { body: Value::Null, etag: None });
        }
        let body = serde_json::from_slice(&answer.body).or_exit(Exit::Unavailable, || {
            format!("{method} {path}: the answer is not that of an Onhand server of this version")
        })?;
        Ok(Answer { body, etag: answer.headers.get(http::header::ETAG).cloned() })
    }
}

fn request(method: &Method, path: &str, headers: HeaderMap, body: Option<Bytes>) -> Request<Bytes> {
    let mut request = Request::new(body.unwrap_or_default());
    *request.method_mut() = method.clone();
    *request.uri_mut() = path.parse().expect("the commands make paths of escaped parts");
    *request.headers_mut() = headers;
    if !request.body().is_empty() {
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    request
}

/// The local socket of a server that runs on the data directory; of several processes, any.
fn live_socket(data_dir: &Path) -> Result<Option<PathBuf>, Failure> {
    let of_another = || {
        let message = format!(
            "{} is of another user: run this as its owner or as root, or name the node with --server",
            data_dir.display()
        );
        Failure::new(Exit::Permission, message)
    };
    // A directory that cannot be entered looks as if nothing were in it.
    if matches!(Layout::new(data_dir).node().metadata(), Err(error) if error.kind() == ErrorKind::PermissionDenied)
    {
        return Err(of_another());
    }
    let (disk, layout) = directory::existing(data_dir)?;
    for member in directory::logs(disk, &layout)? {
        let socket = member.admin_socket();
        match UnixStream::connect(&socket) {
            Ok(_) => return Ok(Some(socket)),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => return Err(of_another()),
            // There is none, or a killed process has left it.
            Err(_) => {}
        }
    }
    Ok(None)
}

/// The failure when a process has the data directory and does not listen on its local socket.
fn unanswered(failure: Failure) -> Failure {
    let reason = "the process that has the data directory does not answer on its local socket; name it with --server URL, \
                  and set ONHAND_TOKEN";
    Failure { exit: failure.exit, error: failure.error.context(reason) }
}
