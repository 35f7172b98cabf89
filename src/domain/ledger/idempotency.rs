//! The idempotency of a request: the key by which its retry is recognised.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// By what a retry is known. Lives and dies with the effect: it stands in the same line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Idempotency {
    /// The key the caller sent: 1-255 visible characters.
    pub key: SmolStr,
    /// What the key is unique within, besides the principal: verb and place, such as `reserve LONDON/A-1`.
    pub scope: SmolStr,
    /// The payload's fingerprint, 16 hex digits.
    pub fingerprint: SmolStr,
}
