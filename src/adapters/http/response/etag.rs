//! Versions as entity tags (RFC 9110, section 8.8.3): `"7"`, always strong.

use http::header::IF_NONE_MATCH;
use http::{HeaderMap, HeaderValue};

/// The entity tag of a version.
pub(crate) fn etag(version: u64) -> HeaderValue {
    HeaderValue::try_from(format!("\"{version}\"")).expect("quotes and digits are legal in a header")
}

/// True when the caller has this version already, by its `If-None-Match`: the answer is then 304.
///
/// Weak comparison, lists and `*` follow RFC 9110, section 13.1.2.
pub(crate) fn is_known(headers: &HeaderMap, version: u64) -> bool {
    is_same(headers, &version.to_string())
}

/// The same for a tag that is no version, without its quotes.
pub(crate) fn is_same(headers: &HeaderMap, tag: &str) -> bool {
    let own = format!("\"{tag}\"");
    headers.get_all(IF_NONE_MATCH).iter().any(|value| {
        value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii).any(|tag| {
            let strong = tag.strip_prefix(b"W/").unwrap_or(tag);
            tag == b"*" || strong == own.as_bytes()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_quoted() {
        for (version, text) in [(0, "\"0\""), (7, "\"7\""), (9_007_199_254_740_991, "\"9007199254740991\"")] {
            assert_eq!(etag(version), text);
        }
    }

    #[test]
    fn if_none_match_compares_weakly_and_takes_lists() {
        for (value, known) in [
            ("\"7\"", true),
            ("W/\"7\"", true),
            ("\"6\", \"7\"", true),
            ("*", true),
            ("7", false),
            ("\"6\"", false),
            ("\"77\"", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, HeaderValue::from_static(value));
            assert_eq!(is_known(&headers, 7), known, "{value}");
        }
        assert!(!is_known(&HeaderMap::new(), 7));
    }
}
