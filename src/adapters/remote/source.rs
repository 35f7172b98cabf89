//! A node over HTTP as a source: `GET {base}/events?after=N&limit=M`, one JSON page at a time.
//!
//! Every answer is bounded in time and in bytes, and is checked as far as possible: an answer that is no page, or
//! has events of another node, out of order or beyond the end it names, is rejected and changes nothing.

use crate::{client_builder, error_chain, retry_after};
use onhand_app::ports::{Delivered, Delivery, EventSource, Reading, SourceError};
use onhand_domain::{Sequence, Timestamp};
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::Duration;
use uuid::Uuid;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum number of events per page.
const PAGE_EVENTS_MAX: usize = 1_000;
/// Maximum size of an answer in bytes: a page of events at their longest, with the levels before and after.
const BODY_BYTES_MAX: usize = 16 << 20;

/// [`EventSource`] over a node that runs elsewhere.
pub struct RemoteSource {
    http: reqwest::Client,
    base: String,
}

/// The members of a page that the worker needs.
#[derive(Deserialize)]
struct Page<'a> {
    node: Uuid,
    /// Missing from older nodes: their log is all of their ledger.
    ledger: Option<Uuid>,
    end: Sequence,
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
}

/// The members of an event that must be readable; the worker checks the rest.
#[derive(Deserialize)]
struct Item {
    sequence: Sequence,
    node: Option<Uuid>,
    ts: Timestamp,
}

impl RemoteSource {
    /// The events of the node at `base`, such as `http://127.0.0.1:3000`.
    ///
    /// # Errors
    /// An invalid address, or no HTTP client can be built.
    pub fn new(base: &str) -> Result<Self, SourceError> {
        let url = reqwest::Url::parse(base).map_err(|error| SourceError::Nonsense(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(SourceError::Nonsense("it is no address like http://HOST:PORT".to_owned()));
        }
        let builder = client_builder(is_loopback(&url));
        let builder = builder.connect_timeout(CONNECT_TIMEOUT).timeout(REQUEST_TIMEOUT);
        let http = builder.build().map_err(unavailable)?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned() })
    }

    async fn page(&self, after: Sequence, limit: usize) -> Result<Delivery, SourceError> {
        let limit = limit.min(PAGE_EVENTS_MAX);
        let url = format!("{}/events?after={after}&limit={limit}", self.base);
        let request = self.http.get(url).header("accept", "application/json");
        let mut answer = request.send().await.map_err(unavailable)?;
        let status = answer.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            let reason = "it has had too many requests from here".to_owned();
            return Err(SourceError::Busy { reason, retry_after: retry_after(answer.headers()) });
        }
        if status.is_server_error() {
            return Err(SourceError::Unavailable(format!("it answers {status}")));
        }
        if status != StatusCode::OK {
            return Err(SourceError::Nonsense(format!("it answers {status} when asked for its events")));
        }
        let mut body = Vec::new();
        while let Some(bytes) = answer.chunk().await.map_err(unavailable)? {
            if body.len() + bytes.len() > BODY_BYTES_MAX {
                return Err(SourceError::Nonsense(format!(
                    "its answer is longer than {BODY_BYTES_MAX} bytes"
                )));
            }
            body.extend_from_slice(&bytes);
        }
        read_page(&body, limit).map_err(SourceError::Nonsense)
    }
}

impl EventSource for RemoteSource {
    fn name(&self) -> &str {
        &self.base
    }

    fn read(&self, after: Sequence, limit: usize) -> Reading<'_> {
        Box::pin(self.page(after, limit))
    }
}

fn read_page(body: &[u8], limit: usize) -> Result<Delivery, String> {
    let page: Page<'_> =
        serde_json::from_slice(body).map_err(|error| format!("its answer is no page of events: {error}"))?;
    let Page { node, ledger, end, items } = page;
    if items.len() > limit {
        return Err(format!("it delivers {} events where {limit} were asked for", items.len()));
    }
    let mut events: Vec<Delivered> = Vec::with_capacity(items.len());
    for item in items {
        let Item { sequence, node: whose, ts: at } = serde_json::from_str(item.get())
            .map_err(|error| format!("an event without sequence or time: {error}"))?;
        if let Some(other) = whose.filter(|whose| *whose != node) {
            return Err(format!("event {sequence} is of node {other}, the page of node {node}"));
        }
        if events.last().is_some_and(|before| before.sequence >= sequence) || sequence > end {
            return Err(format!("event {sequence} is out of order, or beyond the end at {end}"));
        }
        events.push(Delivered { sequence, at, json: item.get().to_owned() });
    }
    Ok(Delivery { node, ledger: ledger.unwrap_or(node), end, events })
}

fn unavailable(error: reqwest::Error) -> SourceError {
    SourceError::Unavailable(error_chain(error))
}

fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: &str = "00000000-0000-0000-0000-000000000007";

    fn item(sequence: u64) -> String {
        format!(
            "{{\"sequence\":{sequence},\"node\":\"{NODE}\",\"ts\":\"2026-11-20T16:00:00.000Z\",\"type\":\"X\"}}"
        )
    }

    fn page(end: u64, items: &[String]) -> String {
        format!("{{\"node\":\"{NODE}\",\"end\":{end},\"items\":[{}],\"nextCursor\":null}}", items.join(","))
    }

    #[test]
    fn a_page_is_read_with_its_events_undecoded() {
        let body = page(9, &[item(4), item(5)]);
        let delivery = read_page(body.as_bytes(), 10).unwrap();
        assert_eq!((delivery.end, delivery.events.len()), (Sequence(9), 2));
        assert_eq!(delivery.events[1].json, item(5));
        assert_eq!(delivery.ledger, delivery.node);
        let shared = page(9, &[]).replacen('{', "{\"ledger\":\"00000000-0000-0000-0000-000000000009\",", 1);
        let delivery = read_page(shared.as_bytes(), 0).unwrap();
        assert!(delivery.events.is_empty());
        assert_eq!(delivery.ledger, Uuid::from_u128(9));
    }

    #[test]
    fn an_inconsistent_page_is_rejected() {
        let strange = item(4).replace("0007", "0008");
        let rows = [
            ("no JSON", "<html>".to_owned()),
            ("no page", "{}".to_owned()),
            ("cut off", page(9, &[item(4)])[..60].to_owned()),
            ("too many", page(9, &[item(4), item(5), item(6)])),
            ("out of order", page(9, &[item(5), item(4)])),
            ("twice", page(9, &[item(5), item(5)])),
            ("beyond the end", page(4, &[item(5)])),
            ("of another node", page(9, &[strange])),
            ("no sequence", page(9, &["{\"type\":\"X\"}".to_owned()])),
            ("a negative sequence", page(9, &[item(4).replace(":4,", ":-4,")])),
        ];
        for (story, body) in rows {
            assert!(read_page(body.as_bytes(), 2).is_err(), "{story}: {body}");
        }
    }

    #[test]
    fn an_address_must_be_valid() {
        for base in ["", "127.0.0.1:3000", "ftp://x", "http://"] {
            assert!(RemoteSource::new(base).is_err(), "{base:?}");
        }
        assert_eq!(RemoteSource::new("http://[::1]:3000/").unwrap().name(), "http://[::1]:3000");
    }
}
