//! Why something is refused.

use serde::Serialize;
use smol_str::SmolStr;

/// A reason: a code, stable for scripts, and what it means here, for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Reason {
    pub(super) code: SmolStr,
    pub(super) detail: String,
}

impl Reason {
    pub(super) fn new(code: &str, detail: impl Into<String>) -> Self {
        Self { code: SmolStr::new(code), detail: detail.into() }
    }
}
