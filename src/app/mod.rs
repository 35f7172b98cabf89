//! The use cases: async, they know ports and no technology.
//!
//! [`Ledger`] is the one way in for commands; `query` answers reads. What they need from outside is in [`ports`].

pub mod alerting;
mod blocking;
mod due;
mod entities;
pub mod feed;
pub mod fold;
mod idempotency;
mod journal;
mod ledger;
mod lists;
mod log_time;
mod low_stock;
pub mod ports;
pub mod query;
pub mod sync;

pub(crate) use blocking::blocking;
pub use due::Due;
pub use entities::Restored;
pub use idempotency::{KnownEffect, RetryId, fingerprint, known_effects};
pub use ledger::{CommandError, Ledger, Meta, Outcome, Parts};
pub use log_time::{APART_MS, FAR_MS, SETTLE, SETTLE_FAR, STEER, TimeNews, TimeSeen};
