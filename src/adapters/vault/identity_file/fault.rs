//! What is wrong with a file of identity, and where.

use std::ops::Range;

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct IdentityFileFault {
    /// The line, from 1.
    pub line: usize,
    /// The character in it, from 1.
    pub column: usize,
    /// What to write instead.
    pub reason: String,
}

impl IdentityFileFault {
    /// A fault at a range of bytes of `text`.
    pub(super) fn at(text: &str, place: &Range<usize>, reason: impl Into<String>) -> Self {
        let before = text.get(..place.start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        Self {
            line: 1 + before.matches('\n').count(),
            column: 1 + before.get(line_start..).unwrap_or_default().chars().count(),
            reason: reason.into(),
        }
    }

    /// A fault that the reader of TOML has found.
    pub(super) fn of_toml(text: &str, error: &toml::de::Error) -> Self {
        let place = error.span().unwrap_or_default();
        Self::at(text, &place, without_values(error.message()))
    }
}

/// The message without what stands at the place: `invalid type: string "...", expected ...`.
fn without_values(message: &str) -> String {
    match (message.strip_prefix("invalid type: "), message.rsplit_once(", expected ")) {
        (Some(_), Some((_, expected))) => format!("must be {expected}"),
        _ => message.to_owned(),
    }
}
