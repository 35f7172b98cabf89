//! The version a command is conditional on: `If-Match`, or `expectedVersion` in the body.

use crate::response::problem::Problem;
use http::HeaderMap;
use http::header::IF_MATCH;
use onhand_domain::Expected;
use onhand_domain::limits::INTEGER_MAX;

/// The condition of `If-Match`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Precondition {
    /// No header: the command is not conditional.
    None,
    /// `*`: the level must exist, in whatever version.
    Exists,
    /// Exactly this version.
    Version(u64),
}

impl Precondition {
    /// Reads `If-Match`: `"7"`, a bare `7`, or `*`. RFC 9110, section 13.1.1 compares strongly, so a weak tag is
    /// refused, and so is a list, because a level has one version at a time.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut values = headers.get_all(IF_MATCH).iter();
        let Some(value) = values.next() else {
            return Ok(Self::None);
        };
        if values.next().is_some() {
            return Err(refused("was sent more than once; send one version"));
        }
        Self::parse(value.to_str().unwrap_or_default().trim())
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        if text == "*" {
            return Ok(Self::Exists);
        }
        if text.starts_with("W/") {
            return Err(refused("is a weak tag; send the ETag as it came, like \"7\""));
        }
        if text.contains(',') {
            return Err(refused("is a list; send one version, like \"7\""));
        }
        let quoted = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let digits = quoted.unwrap_or(text);
        let numeric = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        match digits.parse::<u64>() {
            Ok(version) if numeric && version <= INTEGER_MAX.unsigned_abs() => Ok(Self::Version(version)),
            _ => Err(refused("must be a version like \"7\", a bare 7, or *")),
        }
    }

    /// Combines the header with `expectedVersion` of the body: one of them, or both and equal.
    pub(crate) fn and_body(self, expected: Option<u64>) -> Result<Self, Problem> {
        match (self, expected) {
            (_, None) => Ok(self),
            (Self::None, Some(version)) => Ok(Self::Version(version)),
            (Self::Version(header), Some(version)) if header == version => Ok(self),
            (Self::Version(_) | Self::Exists, Some(_)) => Err(Problem::pointer(
                "/expectedVersion",
                "differs from If-Match; send one of them, or both alike",
            )),
        }
    }
}

impl From<Precondition> for Expected {
    fn from(precondition: Precondition) -> Self {
        match precondition {
            Precondition::None => Self::Any,
            Precondition::Exists => Self::Exists,
            Precondition::Version(version) => Self::Version(version),
        }
    }
}

fn refused(detail: &'static str) -> Problem {
    Problem::parameter("If-Match", detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn if_match_is_one_version_or_any() {
        for (value, read) in [
            ("\"7\"", Some(Precondition::Version(7))),
            ("7", Some(Precondition::Version(7))),
            (" \"0\" ", Some(Precondition::Version(0))),
            ("*", Some(Precondition::Exists)),
            ("9007199254740991", Some(Precondition::Version(9_007_199_254_740_991))),
            ("9007199254740992", None),
            ("99999999999999999999999", None),
            ("W/\"7\"", None),
            ("\"7\", \"8\"", None),
            ("\"7", None),
            ("7\"", None),
            ("\"\"", None),
            ("\"*\"", None),
            ("+7", None),
            ("-1", None),
            ("1.0", None),
            ("", None),
            ("abc", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(IF_MATCH, HeaderValue::from_static(value));
            assert_eq!(Precondition::of(&headers).ok(), read, "{value}");
        }
        assert_eq!(Precondition::of(&HeaderMap::new()).ok(), Some(Precondition::None));
    }

    #[test]
    fn twice_the_header_is_refused() {
        let mut headers = HeaderMap::new();
        headers.append(IF_MATCH, HeaderValue::from_static("7"));
        headers.append(IF_MATCH, HeaderValue::from_static("7"));
        assert!(Precondition::of(&headers).is_err());
    }

    #[test]
    fn header_and_body_must_agree() {
        use Precondition::{Exists, None, Version};
        for (header, body, joined) in [
            (None, Option::None, Some(None)),
            (None, Some(7), Some(Version(7))),
            (Version(7), Option::None, Some(Version(7))),
            (Version(7), Some(7), Some(Version(7))),
            (Version(7), Some(8), Option::None),
            (Exists, Option::None, Some(Exists)),
            (Exists, Some(7), Option::None),
        ] {
            assert_eq!(header.and_body(body).ok(), joined, "{header:?} {body:?}");
        }
    }
}
