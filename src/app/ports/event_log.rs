//! The log of the ledger: entries are appended in order, and reported once they are durable.

use super::durable::{DurableWatch, Generation};
use onhand_domain::{Event, Idempotency, Sequence, Timestamp, Unapplied};
use onhand_resilience::BreakerState;
use smol_str::SmolStr;
use tokio::sync::oneshot;

/// Appends entries and makes them durable in the order of appending.
///
/// Contract of an adapter (`tests/suite/ports/event_log.rs` tests any adapter against it):
/// 1. **Order.** Sequences are assigned in the order of the calls and without gaps. A log that is opened continues
///    behind its durable end, under the same node id.
/// 2. **Time.** An entry's time is that of its decision, or that of the entry in front of it when that is later;
///    also over a restart.
/// 3. **Groups.** Entries may be made durable together: all of a group, or none of it.
///    [`Entry::batch`](onhand_domain::Entry) names the first sequence of the group.
/// 4. **Durable means durable.** A ticket resolves with `Ok` only when its entry and everything in front of it
///    would survive a crash, when [`EventLog::durable`] has reached it and [`History`](super::History) shows it.
///    None of the three comes earlier.
/// 5. **A refusal changes nothing.** A refused entry is not queued and gets no sequence. The queue has a bound.
/// 6. **Failure.** A log that fails rejects new entries, calls [`DurableWatch::fail`], and fails every ticket, in
///    this order: a caller that learns of the failure finds a log that accepts nothing. It accepts entries again
///    once memory is rolled back ([`DurableWatch::rolled_back`]) *and* it can write again, whichever comes first;
///    entries of an earlier generation never. The sequences after the durable one are assigned anew, and the failed
///    entries are never shown beside them.
/// 7. **The end.** A log that is closed makes the waiting entries durable, and rejects new ones.
///
/// Followers that read while a log fails are not affected: durable entries stay durable.
pub trait EventLog: Send + Sync {
    /// Gives the entry its sequence and time and queues it. Does not wait for the disk.
    ///
    /// # Errors
    /// [`AppendError`]; then nothing was queued.
    fn append(&self, entry: &NewEntry<'_>) -> Result<Appended, AppendError>;

    /// The time of the last entry: log time is never before it.
    fn last_time(&self) -> Timestamp;

    /// Follows the durable end of the log.
    fn durable(&self) -> &DurableWatch;

    /// The number of entries that wait for the disk.
    fn queue_depth(&self) -> usize;

    /// The circuit breaker of the disk.
    fn breaker(&self) -> BreakerState;
}

/// An entry on its way into the log.
#[derive(Debug, Clone, Copy)]
pub struct NewEntry<'a> {
    /// The generation before any state of the decision was read.
    pub generation: Generation,
    /// The time of the decision. The entry's time is this, or the last entry's when that is later.
    pub decided_at: Timestamp,
    /// The decision is void from this time on, because a hold falls due.
    pub valid_before: Option<Timestamp>,
    /// The principal, if it is known.
    pub actor: Option<&'a SmolStr>,
    /// The request's id.
    pub request_id: Option<&'a SmolStr>,
    /// The idempotency of the whole command.
    pub idempotency: Option<&'a Idempotency>,
    /// The events, at least one.
    pub events: &'a [Event],
    /// The operations of a batch that made no event.
    pub unapplied: &'a [Unapplied],
}

/// An entry that has its sequence and waits for the disk.
#[derive(Debug)]
pub struct Appended {
    /// The sequence of its first event.
    pub sequence: Sequence,
    /// The time of the entry.
    pub at: Timestamp,
    /// Resolves when the entry is durable.
    pub ticket: Ticket,
}

/// Resolves once its entry is durable, or the log has failed; a ticket that is dropped unresolved has failed too.
pub type Ticket = oneshot::Receiver<Result<(), LogFailed>>;

/// Why an entry that was queued did not become durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogFailed {
    /// It is not on the disk and never will be.
    #[error("the log could not take it")]
    NotWritten,
    /// Whether it is on the disk is not known before the next start.
    #[error("the log could not be made durable")]
    Unknown,
}

/// Why an entry was not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Log time has passed [`NewEntry::valid_before`]; decide again.
    #[error("log time has passed the decision")]
    Stale,
    /// The queue is full: the disk does not keep up.
    #[error("too many changes wait for the disk")]
    Full,
    /// The log has failed, now or since the decision's generation.
    #[error("the log cannot be written")]
    ReadOnly,
    /// The log is closed permanently.
    #[error("the log takes no more changes")]
    Closed,
}
