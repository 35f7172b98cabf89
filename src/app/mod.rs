//! The use cases: async, they know ports and no technology.
//!
//! [`Ledger`] is the one way in for commands; the room of each capability answers its reads. What they need from outside is in
//! [`ports`].

mod blocking;
pub mod catalogue;
pub mod central;
pub mod feed;
pub mod imports;
pub mod ledger;
pub mod low_stock;
pub mod ports;
mod projections;
pub mod stock;

pub(crate) use blocking::blocking;
pub use ledger::due_list::Due;
pub use ledger::idempotency::fingerprint;
pub use ledger::log_time::{APART_MS, FAR_MS, SETTLE, SETTLE_FAR, STEER, TimeNews, TimeSeen};
pub use ledger::{CommandError, Ledger, Meta, Outcome, Parts, fold};
pub use ports::{KnownEffect, Restored, RetryId, known_effects};
