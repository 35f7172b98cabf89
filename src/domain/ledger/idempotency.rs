//! The idempotency of a request: the key by which its retry is recognised.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// The identity of a request for its retries. It is as durable as the effect, because it stands in the same line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Idempotency {
    /// The key the caller sent: 1-255 visible characters.
    pub key: SmolStr,
    /// The scope in which the key is unique for a principal: verb and place, such as `reserve LONDON/A-1`.
    pub scope: SmolStr,
    /// The payload's fingerprint, 16 hex digits.
    pub fingerprint: SmolStr,
}
