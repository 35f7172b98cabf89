//! The request id, which joins an answer, its log lines and its log entry; and the caller's trace.

use http::{HeaderMap, HeaderName, HeaderValue};
use onhand_domain::limits::REQUEST_ID_BYTES_MAX;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};

/// The header of the request id, in requests and answers.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// A request's id: 1-128 of `[A-Za-z0-9._-]`. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// The id as text.
    pub(crate) fn as_str(&self) -> &str {
        // Every constructor accepts only ASCII.
        self.0.to_str().unwrap_or_default()
    }

    /// The id as the value of a header.
    pub(crate) fn header_value(&self) -> HeaderValue {
        self.0.clone()
    }

    fn accepted(value: &HeaderValue) -> Option<Self> {
        let bytes = value.as_bytes();
        let fits = (1..=REQUEST_ID_BYTES_MAX).contains(&bytes.len());
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        (fits && bytes.iter().all(plain)).then(|| Self(value.clone()))
    }
}

/// Makes request ids: eight hex digits of this process, a dash, a counter.
#[derive(Debug)]
pub(crate) struct RequestIds {
    process: u32,
    next: AtomicU64,
}

impl Default for RequestIds {
    fn default() -> Self {
        // The last bytes of a version 7 UUID are random.
        let [.., a, b, c, d] = uuid::Uuid::now_v7().into_bytes();
        Self { process: u32::from_be_bytes([a, b, c, d]), next: AtomicU64::new(1) }
    }
}

impl RequestIds {
    /// The caller's id when it is well formed, else a new one.
    pub(crate) fn take_or_make(&self, headers: &HeaderMap) -> RequestId {
        headers.get(X_REQUEST_ID).and_then(RequestId::accepted).unwrap_or_else(|| self.make())
    }

    fn make(&self) -> RequestId {
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        // 8 + 1 + at most 16 hex digits.
        let mut text = [0_u8; 25];
        let mut rest = text.as_mut_slice();
        let _ = write!(rest, "{:08x}-{count:x}", self.process);
        let unused = rest.len();
        let length = text.len() - unused;
        let value = HeaderValue::from_bytes(text.get(..length).unwrap_or_default());
        RequestId(value.expect("hex digits and a dash are legal in a header"))
    }
}

/// A W3C `traceparent` header, unchanged.
#[derive(Debug, Clone)]
pub(crate) struct TraceParent(HeaderValue);

impl TraceParent {
    /// The caller's trace, when the header is there and well formed.
    ///
    /// Source: W3C Trace Context, section 3.2: `version-traceid-parentid-flags` in lower-case hex, ids not all zero.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(TRACEPARENT)?;
        trace_id(value.to_str().ok()?).map(|_| Self(value.clone()))
    }

    /// The 32 hex digits that all spans of the trace share.
    pub(crate) fn id(&self) -> &str {
        self.0.to_str().ok().and_then(trace_id).unwrap_or_default()
    }
}

fn trace_id(text: &str) -> Option<&str> {
    let mut parts = text.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |part: &str, digits: usize| {
        part.len() == digits && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let named = |part: &str| part.bytes().any(|byte| byte != b'0');
    let shaped = hex(version, 2) && hex(trace, 32) && hex(parent, 16) && hex(flags, 2);
    // Version 00 ends here; later ones may have more parts, ff is forbidden.
    let known = version != "ff" && (version != "00" || parts.next().is_none());
    (shaped && known && named(trace) && named(parent)).then_some(trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_of(value: &[u8]) -> Option<RequestId> {
        RequestId::accepted(&HeaderValue::from_bytes(value).unwrap())
    }

    #[test]
    fn a_callers_id_is_taken_only_in_the_plain_alphabet() {
        let longest = "x".repeat(128);
        for good in ["a", "0", "A.b_c-9", &longest] {
            assert_eq!(id_of(good.as_bytes()).unwrap().as_str(), good);
        }
        let too_long = "x".repeat(129);
        for bad in ["", " ", "a b", "a/b", "\"a\"", "a,b", "\u{e9}", &too_long] {
            assert_eq!(id_of(bad.as_bytes()), None, "{bad:?}");
        }
    }

    #[test]
    fn made_ids_differ_and_would_be_accepted() {
        let ids = RequestIds::default();
        let (first, second) = (ids.take_or_make(&HeaderMap::new()), ids.take_or_make(&HeaderMap::new()));
        assert_ne!(first, second);
        assert_eq!(RequestId::accepted(&first.header_value()), Some(first));
        ids.next.store(u64::MAX, Ordering::Relaxed);
        assert!(ids.make().as_str().ends_with("-ffffffffffffffff"));
    }

    #[test]
    fn traceparent_is_read_as_the_recommendation_says() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        for (text, found) in [
            (format!("00-{id}-00f067aa0ba902b7-01"), true),
            (format!("01-{id}-00f067aa0ba902b7-01-more"), true),
            (format!("00-{id}-00f067aa0ba902b7-01-more"), false),
            (format!("ff-{id}-00f067aa0ba902b7-01"), false),
            (format!("00-{}-00f067aa0ba902b7-01", id.to_uppercase()), false),
            (format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)), false),
            (format!("00-{id}-0000000000000000-01"), false),
            (format!("00-{id}-00f067aa0ba902b7"), false),
            (String::new(), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(TRACEPARENT, HeaderValue::from_str(&text).unwrap());
            assert_eq!(TraceParent::of(&headers).is_some(), found, "{text}");
            assert!(!found || TraceParent::of(&headers).unwrap().id() == id, "{text}");
        }
    }
}
