//! Reads of the log: one entry, the events of one key or of all, a state as of a moment.

use onhand_domain::{Entry, Event, EventKind, Key, Sequence, Timestamp, Topics};
use smol_str::SmolStr;
use std::io;

/// Reads durable entries. All calls block on the disk: call them on a blocking thread.
///
/// Contract of an adapter (`tests/suite/ports/history.rs`): an entry is visible as soon as the log reports it
/// durable, and not before; it is returned as it was appended, with time, actor and request; a restart, or a move
/// of the entry within the storage, changes no answer. Unreadable data is an error, never a shorter answer.
///
/// # Errors
/// Of every call: [`HistoryError`].
pub trait History: Send + Sync {
    /// The entry that holds the event of that sequence, whichever of its events that is; none before the first
    /// sequence and beyond the durable end.
    fn entry(&self, sequence: Sequence) -> Result<Option<Entry>, HistoryError>;

    /// The events of all keys, in order and without gaps, except events without the wanted topics, which may or may
    /// not be left out. A piece may be short, or empty, although there is more; as long as [`EventPiece::through`]
    /// is below `upto`, the next one leads further. A piece may end within an entry.
    fn events(&self, query: &EventQuery) -> Result<EventPiece, HistoryError>;

    /// The last durable sequence of the log; [`Sequence::START`] while it is empty.
    fn end(&self) -> Result<Sequence, HistoryError>;

    /// The last sequence whose time is not after `at`: [`Sequence::START`] when all are later, and beyond every sequence when
    /// none is.
    fn sequence_at(&self, at: Timestamp) -> Result<Sequence, HistoryError>;

    /// The events of one key, oldest first: the first `limit` that match the query.
    fn movements(&self, key: &Key, query: &MovementQuery) -> Result<Vec<Movement>, HistoryError>;

    /// The last event of one key at or before a moment.
    fn last_before(&self, key: &Key, moment: Moment) -> Result<Option<Movement>, HistoryError>;
}

/// A query over the events of all keys.
#[derive(Debug, Clone, Copy)]
pub struct EventQuery {
    /// Only those after this sequence.
    pub after: Sequence,
    /// Only those up to this sequence, which must be durable.
    pub upto: Sequence,
    /// Most events of the answer.
    pub limit: usize,
    /// The topics of the wanted events; [`Topics::NONE`] for all events.
    pub wanted: Topics,
}

/// A piece of the events of all keys.
#[derive(Debug, Clone, PartialEq)]
pub struct EventPiece {
    /// The events in order.
    pub movements: Vec<Movement>,
    /// Every event up to here was examined.
    pub through: Sequence,
    /// The time of that event.
    pub at: Timestamp,
}

/// A query over the events of one key.
#[derive(Debug, Clone, Copy)]
pub struct MovementQuery {
    /// Only those after this sequence.
    pub after: Sequence,
    /// Most events of the answer.
    pub limit: usize,
    /// Only those of this kind.
    pub kind: Option<EventKind>,
    /// Only those at or after this time.
    pub since: Option<Timestamp>,
    /// Only those before this time.
    pub until: Option<Timestamp>,
}

/// A moment in the past, inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// After the event of that sequence.
    Sequence(Sequence),
    /// At the end of that millisecond.
    Time(Timestamp),
}

/// One event with the data of its entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Movement {
    /// The event's sequence.
    pub sequence: Sequence,
    /// The entry's time.
    pub at: Timestamp,
    /// The principal, if it is known.
    pub actor: Option<SmolStr>,
    /// The request's id.
    pub request_id: Option<SmolStr>,
    /// The event as recorded.
    pub event: Event,
}

/// The log could not be read back.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The disk returned an error.
    #[error("cannot read the log")]
    Io(#[from] io::Error),
    /// Another process has taken over from this one, whose memory may be out of date.
    #[error("another process has taken over from this one")]
    TakenOver,
    /// The stored bytes are not the ones that were written.
    #[error("the log is damaged: {0}")]
    Damaged(String),
    /// Another process has written a change that contradicts the logs, so this process trusts none of them.
    #[error("the logs of the data directory contradict each other: {0}")]
    Contradiction(String),
}
