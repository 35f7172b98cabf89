//! Time and randomness, from outside.

use crate::domain::Timestamp;
use uuid::Uuid;

/// The wall clock. It may jump; the log makes time that does not.
pub trait Clock: Send + Sync {
    /// UTC now, to the millisecond.
    fn now(&self) -> Timestamp;
}

/// Where ids of events come from.
pub trait EventIds: Send + Sync {
    /// A fresh UUID, version 7 in a real node.
    fn event_id(&self) -> Uuid;
}
