//! The result of the audit of one log.

use crate::format::identity::NodeFile;
use onhand_app::ledger::fold::Fold;
use onhand_domain::{Key, Sequence, State, Timestamp};
use std::path::PathBuf;

/// An inconsistency, and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Path of the file concerned.
    pub path: PathBuf,
    /// The byte offset in it, where known.
    pub offset: Option<u64>,
    /// The sequence concerned, where known.
    pub sequence: Option<Sequence>,
    /// Description for a person.
    pub what: String,
}

/// The result of the audit of one log.
#[derive(Debug)]
pub struct Audit {
    /// The identity of the node that owns the log.
    pub node: NodeFile,
    /// The process that is writing in the directory at the same time, if any.
    pub live: Option<String>,
    /// Number of segments read.
    pub segments: usize,
    /// The last sequence that was folded.
    pub end: Sequence,
    /// The time of the last entry.
    pub last_time: Timestamp,
    /// The states of this log alone.
    pub fold: Fold,
    /// The sequences of all snapshots, newest first.
    pub snapshots: Vec<Sequence>,
    /// Number of bytes behind the last good line that were never acknowledged; the next start copies them aside and
    /// cuts them.
    pub torn_bytes: u64,
    /// The place from which on the log could not be folded, if any.
    pub broken_at: Option<Break>,
    /// The log is intact but ends before its mark or a snapshot: either a copy that was made while the node ran, or
    /// a log that has lost its end.
    pub cut_short: bool,
    /// States it takes over from other logs of its ledger, in order.
    pub(super) takes: Vec<Take>,
    /// All inconsistencies found in this log.
    pub findings: Vec<Finding>,
}

/// A state that a log takes over.
#[derive(Debug)]
pub(super) struct Take {
    pub(super) path: PathBuf,
    pub(super) offset: u64,
    pub(super) sequence: Sequence,
    pub(super) key: Key,
    pub(super) epoch: u64,
    /// The state in the `TAKE` event.
    pub(super) state: State,
    /// The state of the key in the same log before; none when the log did not have the key.
    pub(super) before: Option<State>,
}

/// The place in the log behind which nothing is reliable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Break {
    /// The first sequence of the segment.
    pub segment: Sequence,
    /// The end of its good part in bytes; 0 when even its header is bad.
    pub offset: u64,
    /// The first sequence that is lost.
    pub sequence: Sequence,
}

/// The first key, in order, at which two folds differ.
pub(super) fn first_difference(log: &Fold, snapshot: &Fold) -> Option<String> {
    let differs = |key: &&Key| log.states.get(*key) != snapshot.states.get(*key);
    let key = log.states.keys().chain(snapshot.states.keys()).filter(differs).min()?;
    let describe = |state: Option<&State>| {
        state.map_or_else(|| "nothing".to_owned(), |state| format!("{:?}", state.after()))
    };
    Some(format!(
        "{key}: the log adds up to {}, the snapshot says {}",
        describe(log.states.get(key)),
        describe(snapshot.states.get(key))
    ))
}
