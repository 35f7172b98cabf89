//! Time and randomness, from outside.

use crate::domain::Timestamp;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use uuid::Uuid;

/// The clocks of the machine. The wall clock may jump; the log makes time that does not.
pub trait Clock: Send + Sync {
    /// UTC now, to the millisecond.
    fn now(&self) -> Timestamp;

    /// What has passed since some moment of the past. Does not jump, never goes back, and counts while the machine sleeps.
    fn monotonic(&self) -> Duration;

    /// Ends when so much has passed.
    fn sleep(&self, time: Duration) -> Sleep<'_>;
}

/// Time that passes.
pub type Sleep<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Where ids of events come from.
pub trait EventIds: Send + Sync {
    /// A fresh UUID, version 7 in a real node.
    fn event_id(&self) -> Uuid;
}
