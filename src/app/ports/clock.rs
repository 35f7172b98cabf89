//! The clocks of the machine, and the source of event ids.

use onhand_domain::Timestamp;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use uuid::Uuid;

/// The clocks of the machine. The wall clock may jump; log time derives from both and does not.
pub trait Clock: Send + Sync {
    /// UTC now, to the millisecond.
    fn now(&self) -> Timestamp;

    /// The time since a fixed moment in the past. Does not jump, never goes back, and advances while the machine sleeps.
    fn monotonic(&self) -> Duration;

    /// Ends after this time.
    fn sleep(&self, time: Duration) -> Sleep<'_>;
}

/// A sleep under way.
pub type Sleep<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// The source of event ids.
pub trait EventIds: Send + Sync {
    /// A fresh UUID, version 7 in a real node.
    fn event_id(&self) -> Uuid;
}
