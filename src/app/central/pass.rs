//! What one pass of the worker did, for `POST /sync`, metrics and people.

use crate::domain::Sequence;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One pass over all sources.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PassReport {
    /// Events that are in the model now and were not before.
    pub applied: u64,
    /// Events that became dead letters.
    pub dead_lettered: u64,
    /// Events in the model, over all nodes.
    pub central_sequence: Sequence,
    /// Events that are durable somewhere and not in the model.
    pub lag: u64,
    /// How long the pass took.
    pub duration_ms: u64,
    /// One for each source.
    pub sources: Vec<SourceReport>,
}

/// How the worker stands at a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncStatus {
    /// Events that are durable somewhere, as far as their sources said, and not in the model.
    pub lag: u64,
    /// Dead letters that wait for somebody.
    pub open_letters: usize,
    /// Dead letters there ever were.
    pub letters: usize,
    /// One for each source that was asked.
    pub sources: Vec<SourceReport>,
}

/// One source after a pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceReport {
    /// What it is called.
    pub name: String,
    /// Whose log it is, once it has answered.
    pub node: Option<Uuid>,
    /// How far its log is in the model.
    pub sequence: Sequence,
    /// Where its log ends, as far as it said.
    pub end: Sequence,
    /// How it is.
    pub state: SourceState,
    /// Events met a second time.
    pub duplicates: u64,
    /// Levels its log took over from another log of the same ledger.
    #[serde(default)]
    pub taken: u64,
    /// Events that were in the model already, because another log of the same ledger had told of the level since.
    #[serde(default)]
    pub superseded: u64,
    /// Levels that wait behind a dead letter.
    pub parked_levels: usize,
    /// Events that wait there.
    pub parked_events: u64,
}

/// How a source is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "status", content = "reason")]
pub enum SourceState {
    /// Not asked yet.
    New,
    /// Its last answer was good.
    Well,
    /// Its last answer was none, or nonsense; it is asked again.
    Failing(String),
    /// Events are missing, or the log belongs to another node than before: it is not read any further until
    /// somebody has looked.
    Stopped(String),
}
