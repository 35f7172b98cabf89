//! The result of the audit of one log.

use crate::format::identity::NodeFile;
use onhand_app::ledger::fold::Fold;
use onhand_domain::{Key, Sequence, State, Timestamp};
use std::path::PathBuf;

/// Something that does not hold, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file.
    pub path: PathBuf,
    /// The byte in it, where that is known.
    pub offset: Option<u64>,
    /// The sequence concerned, where that is known.
    pub sequence: Option<Sequence>,
    /// What is wrong.
    pub what: String,
}

/// What an audit saw.
#[derive(Debug)]
pub struct Audit {
    /// Whose directory it is.
    pub node: NodeFile,
    /// Who is writing in it at the same time.
    pub live: Option<String>,
    /// Segments read.
    pub segments: usize,
    /// The last sequence that was added up.
    pub end: Sequence,
    /// The time of the last entry.
    pub last_time: Timestamp,
    /// The states the log alone adds up to.
    pub fold: Fold,
    /// The snapshots there are, newest first.
    pub snapshots: Vec<Sequence>,
    /// Bytes behind the last good line that were never acknowledged; the next start copies them aside and cuts them.
    pub torn_bytes: u64,
    /// Where the log stops adding up, if it does.
    pub broken_at: Option<Break>,
    /// The log is whole as far as it goes, and the mark or a snapshot knows of more: a copy looks so that was made while the
    /// node ran, and a log that has lost its end.
    pub cut_short: bool,
    /// States it takes over from other logs of its ledger, in order.
    pub(super) takes: Vec<Take>,
    /// What is wrong.
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
    /// What it takes over.
    pub(super) state: State,
    /// What the same log had come to before; nothing when it knew nothing of the key.
    pub(super) before: Option<State>,
}

/// The place in the log behind which nothing can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Break {
    /// The first sequence of the segment.
    pub segment: Sequence,
    /// Where its good part ends; 0 when even its header is bad.
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
