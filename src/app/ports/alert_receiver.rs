//! Somebody outside who wants to hear of low stock, and the place in the log up to which he has.

use crate::domain::low_stock::AlertFact;
use crate::domain::{Sequence, Timestamp};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;
use uuid::Uuid;

/// An `ALERT` event, as it is told to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertNews {
    /// Whose log it stands in.
    pub node: Uuid,
    /// Where in it.
    pub sequence: Sequence,
    /// The same whenever it is told: who has heard it knows it again.
    pub event_id: Uuid,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub fact: AlertFact,
    /// How often the alert of that level was raised and cleared by then.
    pub version: u64,
}

/// One attempt to tell, on its way.
pub type Telling<'a> = Pin<Box<dyn Future<Output = Result<(), NotTold>> + Send + 'a>>;

/// Takes alerts, one at a time.
///
/// An implementation owes its caller an answer within a bounded time, and `Ok` only when the other side has said that it has
/// the alert.
pub trait AlertReceiver: Send + Sync {
    /// Tells it once.
    fn tell<'a>(&'a self, alert: &'a AlertNews) -> Telling<'a>;
}

/// Why somebody has not heard of an alert, or has not said so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTold {
    /// It did not answer, or not well; it may yet.
    #[error("{0}")]
    Failed(String),
    /// It has too much to do, and says when to come back.
    #[error("it has had too many requests from here")]
    Busy {
        /// When.
        retry_after: Duration,
    },
    /// It does not want to hear of alerts any more.
    #[error("it does not want alerts any more (410 Gone)")]
    Gone,
}

/// Keeps the sequence up to which every alert was told or given up.
pub trait AlertPlace: Send + Sync {
    /// The sequence; nothing when none was kept yet.
    ///
    /// # Errors
    /// What the disk says; `InvalidData` when what is there is not what was written.
    fn load(&self) -> io::Result<Option<Sequence>>;

    /// Keeps it durably, in place of the one before.
    ///
    /// # Errors
    /// What the disk says; the one before is still kept then.
    fn save(&self, sequence: Sequence) -> io::Result<()>;
}
