//! The ledger: the types of commands, events, entries and states, independent of the capability.
//!
//! `registry` lists every kind of state, every command and every reason for a refusal; `closed` generates the
//! closed enums of those lists; a capability implements [`Kind`] and [`Decide`] in its own folder.

mod closed;
mod command;
mod decide;
mod draft;
mod entry;
mod event;
mod evidence;
mod expected;
mod fact;
mod fast_decode;
mod idempotency;
mod key;
mod kind;
mod registry;
mod rejection;
mod state;
mod takeover;
mod topics;

pub use command::{decide, follow_up};
pub use decide::Decide;
pub use draft::{Draft, DraftMark, Finished};
pub use entry::{Entry, LogPlace, Sequence, Unapplied, UnappliedWhy};
pub use event::Event;
pub use evidence::Evidence;
pub use expected::Expected;
pub use idempotency::Idempotency;
pub use kind::{Kind, Leasing, Misfit, Registered};
pub use registry::{
    After, Command, EventKind, Fact, Key, Numbers, Rejection, State, StateKey, StateRecord, Undo,
};
pub use rejection::Refusal;
pub use takeover::Taken;
pub use topics::Topics;
