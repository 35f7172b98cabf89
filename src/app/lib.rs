//! The use cases: async, they know ports and no technology.
//!
//! [`Ledger`] executes every command; `stock`, `catalogue`, `low_stock`, `imports`, `orders`, `feed` and `audit` add the reads of a
//! capability to it, and `projections` lists the data that the ledger keeps for them. `central` is the worker that
//! merges the logs of several nodes. [`ports`] are the traits that adapters implement.

pub mod allocation;
pub mod audit;
mod blocking;
pub mod catalogue;
pub mod central;
pub mod feed;
pub mod identity;
pub mod imports;
pub mod latest;
pub mod ledger;
pub mod low_stock;
pub mod orders;
pub mod ports;
mod projections;
pub mod stock;

pub use blocking::blocking;
pub use ledger::due_list::Due;
pub use ledger::idempotency::fingerprint;
pub use ledger::log_time::{APART_MS, FAR_MS, SETTLE, SETTLE_FAR, STEER, TimeNews, TimeSeen};
pub use ledger::{CommandError, Ledger, Meta, Outcome, Parts, fold};
pub use ports::{KnownEffect, Restored, RetryId, known_effects};
