//! The sources of the worker: a node's directory, a node over HTTP, or the log of its own process.

use onhand_domain::{Sequence, Timestamp};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Events of one node, in order, durable ones only.
///
/// Contract of an adapter (`tests/suite/ports/event_source.rs`): any checkpoint may be requested at any time, also
/// one that is older than the last read, because a worker that was killed reads again from its last save. A node's
/// id and ledger are the same at every start. A source that has been restored from an older copy shows that by its
/// end, which is before the reader's checkpoint, and delivers nothing in place of the lost events.
pub trait EventSource: Send + Sync {
    /// The name for operators: a directory or an address.
    fn name(&self) -> &str;

    /// At most `limit` events after `after`, and the present end of the node's log.
    ///
    /// The events begin with the one behind `after` and have no gaps; none is beyond the end, and the end is
    /// durable. There is at least one as long as `limit` is above 0 and `after` is before the end. With a `limit`
    /// of 0 the answer has only the node, the ledger and the end.
    fn read(&self, after: Sequence, limit: usize) -> Reading<'_>;

    /// Waits until there may be events after `after`, at most `wait_max`. A source without notifications waits that long.
    fn news(&self, _after: Sequence, wait_max: Duration) -> News<'_> {
        Box::pin(tokio::time::sleep(wait_max))
    }
}

/// Logs that appear while the worker runs.
pub trait Joining: Send + Sync {
    /// The sources that were not returned before. Blocks on the disk: call it on a blocking thread.
    ///
    /// # Errors
    /// When the disk fails.
    fn joined(&self) -> io::Result<Vec<Arc<dyn EventSource>>>;
}

/// Ends when another read is worthwhile.
pub type News<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// A read under way.
pub type Reading<'a> = Pin<Box<dyn Future<Output = Result<Delivery, SourceError>> + Send + 'a>>;

/// The answer of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The node whose events they are.
    pub node: Uuid,
    /// The ledger of the node's log: its own, or one that several nodes write, each in its own log.
    pub ledger: Uuid,
    /// The durable end of the node's log.
    pub end: Sequence,
    /// The events, in order.
    pub events: Vec<Delivered>,
}

/// One event, not decoded: the worker must be able to keep an event that it cannot decode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Its sequence in the node's log.
    pub sequence: Sequence,
    /// The time of its entry.
    pub at: Timestamp,
    /// A JSON object with at least `eventId`, `type`, `payload` and `after`.
    pub json: String,
}

/// A source gave no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It is down, slow or unreachable; it may recover.
    #[error("{0}")]
    Unavailable(String),
    /// It is alive and overloaded.
    #[error("{reason}")]
    Busy {
        /// The answer's message, for a person.
        reason: String,
        /// The wait that it requests.
        retry_after: Duration,
    },
    /// It does not let this node read its log, or not all of it.
    #[error("{0}")]
    Denied(String),
    /// Its answer is malformed.
    #[error("{0}")]
    Nonsense(String),
}
