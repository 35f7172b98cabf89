//! The rules of stock: pure. No clock, no I/O, no randomness, no async.
//!
//! Behaviour stands behind two functions: [`decide()`] turns a command into events or a [`Rejection`],
//! [`State::apply`] moves a state by one event. Three closed enums name every capability, and nothing else does:
//! [`Command`], [`Fact`] (what an event says) and [`State`] (what events add up to), with [`Key`] to find a state by.

pub mod catalogue;
pub mod clock;
mod ids;
pub mod imports;
mod ledger;
pub mod limits;
pub mod low_stock;
mod quantity;
pub mod stock;
mod time;

pub use ids::{IdError, ImportId, ReservationId, Sku, StoreId};
pub use ledger::{
    After, Command, Draft, DraftMark, Entry, Event, EventKind, Expected, Fact, Finished, Idempotency, Key,
};
pub use ledger::{
    LogPlace, Misfit, Refusal, Rejection, Sequence, State, StateKey, StateRecord, Taken, Topics,
};
pub use ledger::{Unapplied, UnappliedWhy, Undo, decide};
pub use quantity::{Quantity, QuantityError};
pub use time::{Timestamp, TimestampError};
