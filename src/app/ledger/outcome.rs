//! The types a caller of the ledger meets: the request's metadata, the outcome, and the errors.

use crate::ports::{HistoryError, LogFailed, RolledBack};
use onhand_domain::{Event, Idempotency, Refusal, Sequence, Timestamp, Unapplied};
use smol_str::SmolStr;

/// Metadata of a request beside its command.
#[derive(Debug, Clone, Default)]
pub struct Meta {
    /// The principal, if it is known.
    pub actor: Option<SmolStr>,
    /// The request's id.
    pub request_id: Option<SmolStr>,
    /// The idempotency of the whole command.
    pub idempotency: Option<Idempotency>,
}

/// The durable outcome of a command.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The sequence of the first event; [`Sequence::START`] when nothing happened.
    pub sequence: Sequence,
    /// The time of the entry.
    pub at: Timestamp,
    /// The events of the entry, including expiries that came first.
    pub events: Vec<Event>,
    /// The operations of a batch that made no event.
    pub unapplied: Vec<Unapplied>,
    /// The events of the replayed operations, with the operation's index.
    pub replays: Vec<(u32, Event)>,
    /// True when this is the recorded answer to an earlier request.
    pub replayed: bool,
}

/// Why a command has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The command was refused. Nothing changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The queue of the log or the table of idempotency records is full. Nothing changed.
    #[error("more changes are waiting than the disk can take; try again shortly")]
    Overloaded,
    /// The log cannot be written. Nothing changed.
    #[error("the log cannot be written; what is durable can be read")]
    ReadOnly,
    /// Another process holds the lease of a state that the command needs. Nothing changed.
    #[error("another process is at this stock; try again shortly")]
    Contended,
    /// The log is closed permanently. Nothing changed.
    #[error("the log takes no changes")]
    Closed,
    /// The log failed while the entry was on its way: the command may or may not have happened.
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

/// The entries that a refusal rests on were rolled back, so the refusal is void, and nothing changed.
impl From<RolledBack> for CommandError {
    fn from(_: RolledBack) -> Self {
        Self::ReadOnly
    }
}
