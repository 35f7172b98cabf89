//! The rules of stock: pure. No clock, no I/O, no randomness, no async.
//!
//! Behaviour is in two functions: [`decide()`] turns a command into events or a [`Rejection`], [`State::apply`]
//! moves a state by one event. `ledger` defines commands, events and states; each other room is a capability, which
//! implements [`Kind`] and [`Decide`] and has its rows in `ledger/registry.rs`.

pub mod allocation;
pub mod catalogue;
pub mod clock;
pub mod identity;
mod ids;
pub mod imports;
mod ledger;
pub mod limits;
pub mod low_stock;
pub mod master;
pub mod orders;
mod present;
mod quantity;
pub mod stock;
mod time;

pub use ids::{CustomerId, IdError, ImportId, OrderId, PaymentId, ReservationId, ReturnId, Sku, StoreId};
pub use ledger::{
    After, Command, Decide, Draft, DraftMark, Entry, Event, EventKind, Evidence, Expected, Fact, Finished,
};
pub use ledger::{
    Idempotency, Key, Kind, Leasing, LogPlace, Misfit, Numbers, Refusal, Registered, Rejection,
};
pub use ledger::{
    Sequence, State, StateKey, StateRecord, Taken, Topics, Unapplied, UnappliedWhy, Undo, decide, follow_up,
};
pub use quantity::{Quantity, QuantityError};
pub use time::{Timestamp, TimestampError};
