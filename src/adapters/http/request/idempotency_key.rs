//! `Idempotency-Key`: the caller's name for one change, sent again with every retry of it.

use crate::response::problem::Problem;
use http::{HeaderMap, HeaderName};
use onhand_domain::limits::IDEMPOTENCY_KEY_BYTES_MAX;
use smol_str::SmolStr;

/// The header's name.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Reads the header: 1-255 visible characters, quoted (as the IETF draft writes it) or bare. Both forms of one text
/// are one key.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<SmolStr>, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Problem::parameter("Idempotency-Key", "was sent more than once"));
    }
    let text = value.to_str().unwrap_or_default();
    let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    check(bare).map_err(|detail| Problem::parameter("Idempotency-Key", detail))?;
    Ok(Some(SmolStr::new(bare)))
}

/// Checks a bare key; also that of a single operation in a batch.
pub(crate) fn check(key: &str) -> Result<(), &'static str> {
    let fits = (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&key.len());
    if fits && key.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err("must be 1-255 visible ASCII characters without spaces")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn keys_are_visible_characters_quoted_or_bare() {
        let (longest, too_long) = ("k".repeat(255), "k".repeat(256));
        let quoted = format!("\"{longest}\"");
        for (value, key) in [
            ("abc", Some("abc")),
            ("\"abc\"", Some("abc")),
            ("8e03978e-40d5-43e8-bc93-6894a57f9324", Some("8e03978e-40d5-43e8-bc93-6894a57f9324")),
            ("a\"b", Some("a\"b")),
            ("\"", Some("\"")),
            (&longest, Some(longest.as_str())),
            (&quoted, Some(longest.as_str())),
            (&too_long, None),
            ("", None),
            ("\"\"", None),
            ("a b", None),
            ("a\tb", None),
            ("\u{e9}", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            let read = idempotency_key(&headers).ok().flatten();
            assert_eq!(read.as_deref(), key, "{value:?}");
        }
        assert_eq!(idempotency_key(&HeaderMap::new()).unwrap(), None);
    }
}
