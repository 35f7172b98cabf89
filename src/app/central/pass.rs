//! The reports of the worker, for `POST /sync`, metrics and operators.

use onhand_domain::Sequence;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One pass over all sources.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PassReport {
    /// Events that were applied.
    pub applied: u64,
    /// Events that became dead letters.
    pub dead_lettered: u64,
    /// Events in the model, summed over all nodes.
    pub central_sequence: Sequence,
    /// Events that are durable at a source and not in the model.
    pub lag: u64,
    /// Duration of the pass.
    pub duration_ms: u64,
    /// One report for each source.
    pub sources: Vec<SourceReport>,
}

/// The status of the worker at a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncStatus {
    /// Events that are durable at a source, as far as it has reported, and not in the model.
    pub lag: u64,
    /// Number of open dead letters.
    pub open_letters: usize,
    /// All dead letters, including closed ones.
    pub letters: usize,
    /// One report for each source that was read.
    pub sources: Vec<SourceReport>,
}

/// One source after a pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceReport {
    /// The name of the source.
    pub name: String,
    /// The node of the log, once the source has answered.
    pub node: Option<Uuid>,
    /// The checkpoint of its log.
    pub sequence: Sequence,
    /// The end of its log, as last reported.
    pub end: Sequence,
    /// The state of the source.
    pub state: SourceState,
    /// Events that were read a second time.
    pub duplicates: u64,
    /// Levels its log took over from another log of the same ledger.
    #[serde(default)]
    pub taken: u64,
    /// Events that the model contained already, because another log of the same ledger had moved the level since.
    #[serde(default)]
    pub superseded: u64,
    /// Levels that wait behind a dead letter.
    pub parked_levels: usize,
    /// Events of those levels.
    pub parked_events: u64,
}

/// The state of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "status", content = "reason")]
pub enum SourceState {
    /// It has not been read yet.
    New,
    /// Its last answer was good.
    Well,
    /// Its last answer was missing or malformed; it is read again.
    Failing(String),
    /// Events are missing, or the log belongs to another node than before: it is not read any further until an operator has
    /// checked it.
    Stopped(String),
}
