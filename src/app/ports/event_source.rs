//! Where the worker reads events: a node's directory, a node over HTTP, or the log of its own process.

use crate::domain::{Sequence, Timestamp};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Events of one node, in order, durable ones only.
///
/// What an adapter owes (`tests/suite/ports/event_source.rs`): any checkpoint may be asked for at any time, also one that is
/// older than what was read last, because a worker that was killed reads again from its last save. A node's id and ledger
/// are the same at every start. A source that has been restored from an older copy says so by its end: it is before what
/// the reader has seen, and nothing is delivered in place of what is gone.
pub trait EventSource: Send + Sync {
    /// The name for people: a directory or an address.
    fn name(&self) -> &str;

    /// At most `limit` events after `after`, and where the node's log ends now.
    ///
    /// The events begin with the one behind `after` and have no gaps; none is beyond the end, and the end is durable. There
    /// is at least one as long as `limit` is above 0 and `after` is before the end. With a `limit` of 0 the answer says whose
    /// log it is.
    fn read(&self, after: Sequence, limit: usize) -> Reading<'_>;

    /// Waits until there may be something after `after`, at most `wait_max`. A source that cannot know waits that long.
    fn news(&self, _after: Sequence, wait_max: Duration) -> News<'_> {
        Box::pin(tokio::time::sleep(wait_max))
    }
}

/// Logs that come to be while the worker runs.
pub trait Joining: Send + Sync {
    /// Those that have not been handed out before. Blocks on the disk: call it on a blocking thread.
    ///
    /// # Errors
    /// What the disk says.
    fn joined(&self) -> io::Result<Vec<Arc<dyn EventSource>>>;
}

/// Ends when it is worth asking again.
pub type News<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// An answer of a source under way.
pub type Reading<'a> = Pin<Box<dyn Future<Output = Result<Delivery, SourceError>> + Send + 'a>>;

/// What a source delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Whose events they are.
    pub node: Uuid,
    /// The ledger the node's log is of: its own, or one that several nodes write, each in its own log.
    pub ledger: Uuid,
    /// The durable end of the node's log.
    pub end: Sequence,
    /// The events, in order.
    pub events: Vec<Delivered>,
}

/// One event, undecoded: the worker must be able to keep what it cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Its place in the node's log.
    pub sequence: Sequence,
    /// The time of its entry.
    pub at: Timestamp,
    /// A JSON object with at least `eventId`, `type`, `payload` and `after`.
    pub json: String,
}

/// A source gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It is down, slow or out of reach; it may come back.
    #[error("{0}")]
    Unavailable(String),
    /// It lives and has no time now.
    #[error("{reason}")]
    Busy {
        /// What it said.
        reason: String,
        /// When it wants to be asked again.
        retry_after: Duration,
    },
    /// It answered nonsense.
    #[error("{0}")]
    Nonsense(String),
}
