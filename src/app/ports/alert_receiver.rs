//! The receiver of low-stock alerts, and the store of the sequence up to which it has them.

use onhand_domain::low_stock::AlertFact;
use onhand_domain::{Sequence, Timestamp};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;
use uuid::Uuid;

/// An `ALERT` event for a receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertNews {
    /// The node in whose log it stands.
    pub node: Uuid,
    /// Its sequence there.
    pub sequence: Sequence,
    /// The same for every attempt, so that a receiver recognises a repeat.
    pub event_id: Uuid,
    /// The time of the event.
    pub at: Timestamp,
    /// The payload of the event.
    pub fact: AlertFact,
    /// The version of the level's alert: the number of times it was raised or cleared.
    pub version: u64,
}

/// An attempt under way.
pub type AlertDelivery<'a> = Pin<Box<dyn Future<Output = Result<(), DeliveryError>> + Send + 'a>>;

/// Receives alerts, one at a time.
///
/// An implementation answers within a bounded time, and with `Ok` only when the receiver has confirmed the alert.
pub trait AlertReceiver: Send + Sync {
    /// Sends an alert once.
    fn deliver<'a>(&'a self, alert: &'a AlertNews) -> AlertDelivery<'a>;
}

/// Why an alert is not confirmed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// The receiver gave no answer or an error; a later attempt may succeed.
    #[error("{0}")]
    Failed(String),
    /// The receiver is overloaded.
    #[error("it has had too many requests from here")]
    Busy {
        /// The wait that it requests.
        retry_after: Duration,
    },
    /// The receiver wants no more alerts.
    #[error("it does not want alerts any more (410 Gone)")]
    Gone,
}

/// Stores the sequence up to which every alert was delivered or given up.
pub trait AlertPlace: Send + Sync {
    /// The sequence; none when none was saved yet.
    ///
    /// # Errors
    /// When the disk fails; `InvalidData` when the stored bytes are damaged.
    fn load(&self) -> io::Result<Option<Sequence>>;

    /// Saves it durably, in place of the one before.
    ///
    /// # Errors
    /// When the disk fails; the one before is kept then.
    fn save(&self, sequence: Sequence) -> io::Result<()>;
}
