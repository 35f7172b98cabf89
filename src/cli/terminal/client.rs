//! A thin HTTP client for the commands that talk to a node: base URL, problems as readable errors, and retries.
//!
//! Only calls that may be repeated go through here (reads, imports, and posts that carry an Idempotency-Key);
//! so a lost connection, 429 and 503 are tried again, with exponential backoff, full jitter and respect for
//! Retry-After.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, Method, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::terminal::token::authorization;
use onhand_remote::client_builder;
use onhand_resilience::Backoff;
use onhand_runtime::exit::{Exit, Failure};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// Attempts of a call to a node that has answered before; about six seconds, enough for a restart.
const TRIES_MAX: u32 = 7;
/// Attempts while the node has never answered: probably there is none, and a person waits.
const FIRST_TRIES_MAX: u32 = 3;
pub(crate) const BACKOFF: Backoff = Backoff { base: Duration::from_millis(200), max: Duration::from_secs(5) };
/// A hundred years, for requests without a time limit.
const FOR_EVER: Duration = Duration::from_secs(3_153_600_000);
const RETRY_AFTER_SECONDS_MAX: u64 = 30;

/// Reads `--server`: an http or https URL; a slash at the end is dropped.
///
/// # Errors
/// The fault of the URL, for clap to show.
pub(crate) fn server_url(text: &str) -> Result<String, String> {
    let url = reqwest::Url::parse(text).map_err(|error| format!("{error}; give it as http://HOST:PORT"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err("give it as http://HOST:PORT".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// The answer of a node, whatever the status.
#[derive(Debug)]
pub(crate) struct NodeResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// The part of a problem document (RFC 9457) that a person or a caller acts on.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ProblemDocument {
    pub(crate) code: String,
    pub(crate) title: String,
    pub(crate) detail: String,
    pub(crate) request_id: String,
}

/// The reason why a call has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error(
        "cannot reach a server at {base}: {reason}\n  is it running? start one with `onhand serve`, or name \
         another with --server URL"
    )]
    Unreachable { base: String, reason: String },
    #[error("{method} {path} was refused with {status}: {}", describe(.problem))]
    Refused { method: Method, path: String, status: StatusCode, problem: Box<ProblemDocument> },
    #[error("{method} {path}: the answer is not what an Onhand server of this version says ({reason})")]
    Unreadable { method: Method, path: String, reason: String },
}

impl ClientError {
    /// The code of the problem the server answered with, if it did.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { problem, .. } => Some(&problem.code),
            Self::Unreachable { .. } | Self::Unreadable { .. } => None,
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self { exit: Exit::Unavailable, error: anyhow::Error::new(error) }
    }
}

fn describe(problem: &ProblemDocument) -> String {
    let mut text = String::new();
    for part in [&problem.code, &problem.title, &problem.detail] {
        if !part.is_empty() {
            text.push_str(if text.is_empty() { "" } else { ": " });
            text.push_str(part);
        }
    }
    if !problem.request_id.is_empty() {
        text.push_str(" (request ");
        text.push_str(&problem.request_id);
        text.push(')');
    }
    if text.is_empty() { "no reason given; is this an Onhand server?".to_owned() } else { text }
}

/// A client of one node.
#[derive(Clone, Debug)]
pub(crate) struct NodeClient {
    http: reqwest::Client,
    base: String,
    answered: Arc<AtomicBool>,
}

impl NodeClient {
    /// A client for the node at `base`, which comes from [`server_url`].
    pub(crate) fn new(base: &str) -> Result<Self, Failure> {
        let headers = authorization()?.map(|value| (AUTHORIZATION, value));
        let builder = client_builder(is_loopback(base)).default_headers(headers.into_iter().collect());
        Self::build(builder, base)
    }

    /// A client for the node that listens on a local socket, which needs no token.
    pub(crate) fn over_socket(socket: &Path) -> Result<Self, Failure> {
        Self::build(client_builder(true).unix_socket(socket), "http://localhost")
    }

    fn build(builder: reqwest::ClientBuilder, base: &str) -> Result<Self, Failure> {
        let http =
            builder.connect_timeout(CONNECT_TIMEOUT).timeout(REQUEST_TIMEOUT).build().map_err(|error| {
                Failure::new(Exit::Internal, format!("cannot make an HTTP client: {error}"))
            })?;
        Ok(Self { http, base: base.to_owned(), answered: Arc::default() })
    }

    /// Sends a GET request to `path`.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let answer = self.call(Method::GET, path, HeaderMap::new(), None).await?;
        read(&Method::GET, path, &answer)
    }

    /// Posts `body` as JSON to `path`; the request must be idempotent.
    pub(crate) async fn post<B: Serialize, T: DeserializeOwned>(
        &self,
        path: &str,
        headers: HeaderMap,
        body: &B,
    ) -> Result<T, ClientError> {
        let answer = self.call(Method::POST, path, headers, Some(encode(body))).await?;
        read(&Method::POST, path, &answer)
    }

    /// Opens the feed at `path` behind `after` once, as server-sent events without an end.
    ///
    /// The body has no time limit: the reader limits the wait for each piece.
    pub(crate) async fn open_feed(&self, path: &str, after: u64) -> Result<reqwest::Response, ClientError> {
        self.open_stream(path, "text/event-stream", Some(&after.to_string())).await
    }

    /// Opens `path` in the form `accept`, behind the event `after` of an earlier connection; as [`NodeClient::open_feed`].
    pub(crate) async fn open_stream(
        &self,
        path: &str,
        accept: &str,
        after: Option<&str>,
    ) -> Result<reqwest::Response, ClientError> {
        let request = self.http.get(format!("{}{path}", self.base)).header(ACCEPT, accept).timeout(FOR_EVER);
        let request = match after {
            Some(after) => request.header("last-event-id", after),
            None => request,
        };
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let body = response.bytes().await.unwrap_or_default();
        Err(refused(&Method::GET, path, status, &body))
    }

    fn unreachable(&self, error: &reqwest::Error) -> ClientError {
        ClientError::Unreachable { base: self.base.clone(), reason: root(error) }
    }

    /// Sends `method` without a body to `path`; the request must be idempotent.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
    ) -> Result<T, ClientError> {
        let answer = self.call(method.clone(), path, HeaderMap::new(), None).await?;
        read(&method, path, &answer)
    }

    /// Sends a request, with retries while they may help, and returns the last answer.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Option<Bytes>,
    ) -> Result<NodeResponse, ClientError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let outcome = self.send(&method, path, &headers, body.as_ref()).await;
            let retry_after = match &outcome {
                Ok(answer) if !is_temporary(answer.status) => None,
                Ok(answer) => Some(retry_after(&answer.headers)),
                Err(_) => Some(Duration::ZERO),
            };
            self.answered.fetch_or(outcome.is_ok(), Relaxed);
            let tries_max = if self.answered.load(Relaxed) { TRIES_MAX } else { FIRST_TRIES_MAX };
            match retry_after {
                Some(asked) if tries < tries_max => tokio::time::sleep(wait(asked, tries)).await,
                _ => return outcome.map_err(|error| self.unreachable(&error)),
            }
        }
    }

    async fn send(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        body: Option<&Bytes>,
    ) -> Result<NodeResponse, reqwest::Error> {
        let mut request =
            self.http.request(method.clone(), format!("{}{path}", self.base)).headers(headers.clone());
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        let response = request.send().await?;
        Ok(NodeResponse {
            status: response.status(),
            headers: response.headers().clone(),
            body: response.bytes().await?,
        })
    }
}

/// The JSON of a body that this program made.
pub(crate) fn encode<B: Serialize>(body: &B) -> Bytes {
    Bytes::from(serde_json::to_vec(body).expect("bodies are plain structs with string keys"))
}

/// `text` as a value in a query: everything but letters, digits and `-._~` is escaped.
pub(crate) fn query_value(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            value.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(value, "%{byte:02X}");
        }
    }
    value
}

fn read<T: DeserializeOwned>(method: &Method, path: &str, answer: &NodeResponse) -> Result<T, ClientError> {
    if !answer.status.is_success() {
        return Err(refused(method, path, answer.status, &answer.body));
    }
    serde_json::from_slice(&answer.body).map_err(|error| ClientError::Unreadable {
        method: method.clone(),
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

fn refused(method: &Method, path: &str, status: StatusCode, body: &[u8]) -> ClientError {
    ClientError::Refused {
        method: method.clone(),
        path: path.to_owned(),
        status,
        problem: Box::new(serde_json::from_slice(body).unwrap_or_default()),
    }
}

fn is_temporary(status: StatusCode) -> bool {
    matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
}

/// The `Retry-After` of an answer, bounded.
fn retry_after(headers: &HeaderMap) -> Duration {
    let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
    Duration::from_secs(seconds.unwrap_or(0).min(RETRY_AFTER_SECONDS_MAX))
}

/// The requested wait and a random addition: clients that were rejected together do not return together.
fn wait(asked: Duration, tries: u32) -> Duration {
    asked + BACKOFF.wait(tries)
}

fn is_loopback(base: &str) -> bool {
    let url = reqwest::Url::parse(base).ok();
    let host = url.as_ref().and_then(reqwest::Url::host_str).unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The message of the innermost cause, without the wrapping of the HTTP client.
fn root(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_urls_are_checked() {
        let table = [
            ("http://127.0.0.1:3000", Ok("http://127.0.0.1:3000")),
            ("https://stock.example/", Ok("https://stock.example")),
            ("127.0.0.1:3000", Err(())),
            ("localhost:3000", Err(())),
            ("ftp://here", Err(())),
            ("", Err(())),
        ];
        for (text, expected) in table {
            assert_eq!(server_url(text).as_deref().map_err(|_| ()), expected, "{text:?}");
        }
    }

    #[test]
    fn retry_after_is_obeyed_within_bounds() {
        let mut headers = HeaderMap::new();
        assert_eq!(retry_after(&headers), Duration::ZERO);
        headers.insert(RETRY_AFTER, "2".parse().unwrap());
        assert_eq!(retry_after(&headers), Duration::from_secs(2));
        headers.insert(RETRY_AFTER, "86400".parse().unwrap());
        assert_eq!(retry_after(&headers), Duration::from_secs(RETRY_AFTER_SECONDS_MAX));
    }

    #[test]
    fn clients_rejected_together_return_one_by_one() {
        let asked = Duration::from_secs(1);
        let waits: std::collections::BTreeSet<Duration> = (0..50).map(|_| wait(asked, 1)).collect();
        assert!(waits.len() > 40, "{waits:?}");
        assert!(waits.iter().all(|wait| *wait >= asked && *wait <= asked + BACKOFF.base));
    }

    #[test]
    fn a_problem_is_printed_on_one_line() {
        let body = br#"{"type":"/problems/read-only","title":"Read only","status":503,"code":"read-only",
            "detail":"Try again later.","requestId":"r-1","retryAfterMs":1000}"#;
        let problem: ProblemDocument = serde_json::from_slice(body).unwrap();
        assert_eq!(describe(&problem), "read-only: Read only: Try again later. (request r-1)");
        assert!(describe(&ProblemDocument::default()).contains("is this an Onhand server?"));
    }
}
