//! The log, as the ledger sees it: append in order, learn when it is durable.

use crate::domain::{Event, Idempotency, Sequence, Timestamp, Unapplied};
use smol_str::SmolStr;
use tokio::sync::{oneshot, watch};

/// Appends entries and makes them durable in the order of appending.
///
/// An implementation owes its callers: sequences are handed out without gaps in the order of the calls; nothing
/// resolves as durable before everything in front of it is; after a failure nothing resolves as durable any more.
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

    /// How many entries wait for the disk.
    fn queue_depth(&self) -> usize;
}

/// An entry on its way into the log.
#[derive(Debug, Clone, Copy)]
pub struct NewEntry<'a> {
    /// The time of the decision. The entry's time is this, or the last entry's when that is later.
    pub decided_at: Timestamp,
    /// The decision does not hold from this time on (a hold falls due).
    pub valid_before: Option<Timestamp>,
    /// Who acts, where that is known.
    pub actor: Option<&'a SmolStr>,
    /// The request it comes from.
    pub request_id: Option<&'a SmolStr>,
    /// By what a retry of the whole command is known.
    pub idempotency: Option<&'a Idempotency>,
    /// At least one.
    pub events: &'a [Event],
    /// Operations of a batch without an event.
    pub unapplied: &'a [Unapplied],
}

/// An entry that has its place in the log and waits for the disk.
#[derive(Debug)]
pub struct Appended {
    /// The sequence of its first event.
    pub sequence: Sequence,
    /// Its time.
    pub at: Timestamp,
    /// Resolves when it is durable.
    pub ticket: Ticket,
}

/// Resolves once its entry is durable, or the log has failed; a ticket that is dropped unresolved has failed too.
pub type Ticket = oneshot::Receiver<Result<(), LogFailed>>;

/// The log could not make it durable. Whether it is on the disk is not known before the next start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log could not be made durable")]
pub struct LogFailed;

/// Why an entry was not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Log time has passed [`NewEntry::valid_before`]; decide again.
    #[error("log time has passed the decision")]
    Stale,
    /// The queue is full: the disk does not keep up.
    #[error("too many changes wait for the disk")]
    Full,
    /// The log has failed or is closed.
    #[error("the log takes no more changes")]
    Closed,
}

/// The durable end of a log, for any number of followers.
#[derive(Debug)]
pub struct DurableWatch {
    sender: watch::Sender<Durable>,
}

#[derive(Debug, Clone, Copy)]
struct Durable {
    sequence: Sequence,
    failed: bool,
}

impl DurableWatch {
    /// A watch that starts at `sequence`.
    pub fn new(sequence: Sequence) -> Self {
        Self { sender: watch::Sender::new(Durable { sequence, failed: false }) }
    }

    /// The last durable sequence.
    pub fn sequence(&self) -> Sequence {
        self.sender.borrow().sequence
    }

    /// True when the log has failed: no more will become durable.
    pub fn failed(&self) -> bool {
        self.sender.borrow().failed
    }

    /// Everything up to `sequence` is durable.
    pub fn advance(&self, sequence: Sequence) {
        self.sender.send_if_modified(|durable| {
            durable.sequence = durable.sequence.max(sequence);
            true
        });
    }

    /// Nothing more will become durable.
    pub fn fail(&self) {
        self.sender.send_modify(|durable| durable.failed = true);
    }

    /// Waits until `sequence` is durable.
    pub async fn reached(&self, sequence: Sequence) -> Result<(), LogFailed> {
        if self.sequence() >= sequence {
            return Ok(());
        }
        let mut receiver = self.sender.subscribe();
        let seen = receiver.wait_for(|durable| durable.failed || durable.sequence >= sequence).await;
        match seen {
            Ok(durable) if durable.sequence >= sequence => Ok(()),
            Ok(_) | Err(_) => Err(LogFailed),
        }
    }

    /// Waits until the log has failed.
    pub async fn until_failed(&self) {
        let mut receiver = self.sender.subscribe();
        // The sender lives as long as this future borrows it.
        let _ = receiver.wait_for(|durable| durable.failed).await;
    }
}
