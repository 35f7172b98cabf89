//! The rules of stock: pure. No clock, no I/O, no randomness, no async.
//!
//! Behaviour stands behind two functions: [`decide()`] turns a command into events or a [`Rejection`],
//! [`State::apply`] moves a state by one event. Three closed enums name every capability, and nothing else does:
//! [`Command`], [`Fact`] (what an event says) and [`State`] (what events add up to), with [`Key`] to find a state by.

pub mod alerts;
pub mod catalog;
pub mod clock;
mod command;
mod draft;
mod entry;
mod event;
mod expected;
mod fact;
mod ids;
pub mod imports;
mod key;
pub mod limits;
mod quantity;
mod record;
mod rejection;
mod state;
pub mod stock;
mod take;
mod time;
mod topics;
mod written;

pub use command::{Command, decide};
pub use draft::{Draft, DraftMark, Finished};
pub use entry::{Entry, Idempotency, LogPlace, Sequence, Unapplied, UnappliedWhy};
pub use event::{After, Event, EventKind};
pub use expected::Expected;
pub use fact::Fact;
pub use ids::{IdError, ImportId, ReservationId, Sku, StoreId};
pub use key::Key;
pub use quantity::{Quantity, QuantityError};
pub use record::{StateKey, StateRecord};
pub use rejection::{Refusal, Rejection};
pub use state::{Misfit, State, Undo};
pub use take::Taken;
pub use time::{Timestamp, TimestampError};
pub use topics::Topics;
