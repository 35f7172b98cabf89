//! A dead letter in an answer of a node.

use serde::Deserialize;

/// The members of a dead letter that the list shows.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Letter {
    pub(super) id: String,
    pub(super) source: String,
    pub(super) store_id: Option<String>,
    pub(super) sku: Option<String>,
    pub(super) reason: String,
    pub(super) tries: u32,
    pub(super) first_at: String,
    pub(super) state: String,
}

/// The state of a dead letter after a redrive or a discard, and of the events behind it.
#[derive(Debug, Deserialize)]
pub(super) struct Settled {
    pub(super) letter: Letter,
    pub(super) applied: u64,
    pub(super) waiting: u64,
}
