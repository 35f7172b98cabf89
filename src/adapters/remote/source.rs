//! A node over HTTP as a source: `GET {base}/events?after=N&limit=M`, one JSON page at a time.
//!
//! Every answer is bounded in time and in bytes, and is checked as far as possible: an answer that is no page, or
//! has events of another node, out of order or beyond the end it names, is rejected and changes nothing.

use crate::access::NodeAccess;
use crate::{client_builder, error_chain, is_loopback, retry_after};
use onhand_app::ports::{Delivered, Delivery, EventSource, Reading, SourceError};
use onhand_domain::{Sequence, Timestamp};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{StatusCode, Url};
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

/// A part of the log would be taken for all of it.
const PARTIAL: &str = "it leaves out events: it shows all of its log only to a token of kind node that has the role node in \
                       every store; have one issued there and write it to SYNC_TOKEN_FILE";

/// [`EventSource`] over a node that runs elsewhere.
pub struct RemoteSource {
    http: reqwest::Client,
    base: String,
    access: NodeAccess,
    /// No TLS, and not on this machine.
    readable_on_the_way: bool,
}

/// The members of a page that the worker needs.
#[derive(Deserialize)]
struct Page<'a> {
    node: Uuid,
    /// Missing from older nodes: their log is all of their ledger.
    ledger: Option<Uuid>,
    end: Sequence,
    /// Up to where the log was searched for events that the reader may see; missing from older nodes.
    through: Option<Sequence>,
    /// True when only some stores are shown.
    #[serde(default)]
    partial: bool,
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
    pub fn new(base: &str, access: &NodeAccess) -> Result<Self, SourceError> {
        let url = Url::parse(base).map_err(|error| SourceError::Nonsense(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(SourceError::Nonsense("it is no address like http://HOST:PORT".to_owned()));
        }
        let builder = client_builder(is_loopback(&url));
        let builder = builder.connect_timeout(CONNECT_TIMEOUT).timeout(REQUEST_TIMEOUT);
        let builder = match access.authorities() {
            Some(authorities) => builder.tls_certs_only(authorities),
            None => builder,
        };
        let http = builder.build().map_err(unavailable)?;
        let base = base.trim_end_matches('/').to_owned();
        let readable_on_the_way = url.scheme() == "http" && !is_loopback(&url);
        Ok(Self { http, base, access: access.clone(), readable_on_the_way })
    }

    /// True when others can read on the way what is sent to the node.
    pub fn is_readable_on_the_way(&self) -> bool {
        self.readable_on_the_way
    }

    async fn page(&self, after: Sequence, limit: usize) -> Result<Delivery, SourceError> {
        let limit = limit.min(PAGE_EVENTS_MAX);
        let url = format!("{}/events?after={after}&limit={limit}", self.base);
        let token = self.access.authorization(&self.base).await.map_err(SourceError::Denied)?;
        let mut request = self.http.get(url).header("accept", "application/json");
        if let Some(token) = token.clone() {
            request = request.header(AUTHORIZATION, token);
        }
        let mut answer = request.send().await.map_err(unavailable)?;
        let status = answer.status();
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(SourceError::Denied(self.denied(status, token.as_ref())));
        }
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
        read_page(&body, after, limit)
    }

    /// What to do about an answer that lets this node read nothing.
    fn denied(&self, status: StatusCode, token: Option<&HeaderValue>) -> String {
        let todo = match (status, token) {
            (StatusCode::FORBIDDEN, _) => {
                "the token in SYNC_TOKEN_FILE lacks the permission events:read; have one issued there with the role node"
            }
            (_, Some(_)) => {
                "the token in SYNC_TOKEN_FILE is wrong, expired or revoked; have another one issued there (kind node, role \
                 node) and write it to that file"
            }
            (_, None) if self.access.has_tokens() => {
                "SYNC_TOKEN_FILE has no token for it; have one issued there (kind node, role node) and add a line"
            }
            (_, None) => {
                "it wants a token; have one issued there (kind node, role node) and name its file in SYNC_TOKEN_FILE"
            }
        };
        format!("it answers {status}: {todo}")
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

fn read_page(body: &[u8], after: Sequence, limit: usize) -> Result<Delivery, SourceError> {
    let page: Page<'_> = serde_json::from_slice(body)
        .map_err(|error| SourceError::Nonsense(format!("its answer is no page of events: {error}")))?;
    let Page { node, ledger, end, through, partial, items } = page;
    let count = items.len();
    let events = delivered(items, node, end, limit).map_err(SourceError::Nonsense)?;
    // Beside stores, identity may be hidden from the reader, which `partial` does not show.
    let hidden = through.is_some_and(|through| through.0 != after.0 + count as u64);
    if partial || hidden {
        return Err(SourceError::Denied(PARTIAL.to_owned()));
    }
    Ok(Delivery { node, ledger: ledger.unwrap_or(node), end, events })
}

/// The events of a page, checked.
fn delivered(
    items: Vec<&RawValue>,
    node: Uuid,
    end: Sequence,
    limit: usize,
) -> Result<Vec<Delivered>, String> {
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
    Ok(events)
}

fn unavailable(error: reqwest::Error) -> SourceError {
    SourceError::Unavailable(error_chain(error))
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

    fn read(body: &str, after: u64, limit: usize) -> Result<Delivery, SourceError> {
        read_page(body.as_bytes(), Sequence(after), limit)
    }

    #[test]
    fn a_page_is_read_with_its_events_undecoded() {
        let delivery = read(&page(9, &[item(4), item(5)]), 3, 10).unwrap();
        assert_eq!((delivery.end, delivery.events.len()), (Sequence(9), 2));
        assert_eq!(delivery.events[1].json, item(5));
        assert_eq!(delivery.ledger, delivery.node);
        let shared = page(9, &[]).replacen('{', "{\"ledger\":\"00000000-0000-0000-0000-000000000009\",", 1);
        let delivery = read(&shared, 3, 0).unwrap();
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
            let refused = read(&body, 3, 2);
            assert!(matches!(refused, Err(SourceError::Nonsense(_))), "{story}: {body}");
        }
    }

    #[test]
    fn a_page_that_leaves_out_events_is_not_taken_for_all_of_them() {
        let through = |through: u64, items: &[String]| {
            page(9, items).replacen('{', &format!("{{\"through\":{through},"), 1)
        };
        for (story, body, whole) in [
            ("all of them", through(5, &[item(4), item(5)]), true),
            ("none behind the end", through(3, &[]), true),
            ("one in front", through(5, &[item(5)]), false),
            ("one in between", through(6, &[item(4), item(6)]), false),
            ("the last one", through(5, &[item(4)]), false),
            ("everything", through(9, &[]), false),
            ("other stores", through(3, &[]).replacen('{', "{\"partial\":true,", 1), false),
            ("none, as it is said", through(3, &[]).replacen('{', "{\"partial\":false,", 1), true),
        ] {
            match read(&body, 3, 5) {
                Ok(_) => assert!(whole, "{story}: {body}"),
                Err(error) => assert!(!whole && matches!(error, SourceError::Denied(_)), "{story}: {error}"),
            }
        }
    }

    #[test]
    fn an_address_must_be_valid() {
        let new = |base: &str| RemoteSource::new(base, &NodeAccess::default());
        for base in ["", "127.0.0.1:3000", "ftp://x", "http://"] {
            assert!(new(base).is_err(), "{base:?}");
        }
        assert_eq!(new("http://[::1]:3000/").unwrap().name(), "http://[::1]:3000");
        for (base, readable) in [
            ("http://127.0.0.1:3000", false),
            ("http://localhost", false),
            ("http://[::1]:3000", false),
            ("https://paris", false),
            ("http://paris", true),
            ("http://10.0.0.7:3000", true),
        ] {
            assert_eq!(new(base).unwrap().is_readable_on_the_way(), readable, "{base}");
        }
    }
}
