//! What is asked of the ledger besides the command, and what comes of it.

use crate::app::ports::{HistoryError, LogFailed, RolledBack};
use crate::domain::{Event, Idempotency, Refusal, Sequence, Timestamp, Unapplied};
use smol_str::SmolStr;

/// Who wants it, and how a retry is known.
#[derive(Debug, Clone, Default)]
pub struct Meta {
    /// The principal, where there is one.
    pub actor: Option<SmolStr>,
    /// The request.
    pub request_id: Option<SmolStr>,
    /// By what a retry of the whole command is known.
    pub idempotency: Option<Idempotency>,
}

/// What a command came to, durable by the time it is seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The sequence of the first event; [`Sequence::START`] when nothing happened.
    pub sequence: Sequence,
    /// The time of the entry.
    pub at: Timestamp,
    /// What happened, expiries that came first included.
    pub events: Vec<Event>,
    /// Operations of a batch without an event.
    pub unapplied: Vec<Unapplied>,
    /// The events of those that were replayed, with the operation's index.
    pub replays: Vec<(u32, Event)>,
    /// True when this is the first answer again.
    pub replayed: bool,
}

/// Why a command has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It was refused and changed nothing.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Too much is waiting, or too many keys are remembered. Nothing changed.
    #[error("more changes are waiting than the disk can take; try again shortly")]
    Overloaded,
    /// The log cannot be written. Nothing changed.
    #[error("the log cannot be written; what is durable can be read")]
    ReadOnly,
    /// Another process has the lease of a state it needs. Nothing changed.
    #[error("another process is at this stock; try again shortly")]
    Contended,
    /// The log is closed for good. Nothing changed.
    #[error("the log takes no changes")]
    Closed,
    /// The log failed while this was on its way: it may or may not have happened.
    #[error("the log failed while the change was on its way to the disk")]
    OutcomeUnknown,
    /// The answer to a retry could not be read back; the effect stands.
    #[error("the recorded answer cannot be read back")]
    History(#[from] HistoryError),
}

impl From<LogFailed> for CommandError {
    fn from(failed: LogFailed) -> Self {
        match failed {
            LogFailed::NotWritten => Self::ReadOnly,
            LogFailed::Unknown => Self::OutcomeUnknown,
        }
    }
}

/// What a refusal rests on was taken back: it is none any more, and nothing changed.
impl From<RolledBack> for CommandError {
    fn from(_: RolledBack) -> Self {
        Self::ReadOnly
    }
}
