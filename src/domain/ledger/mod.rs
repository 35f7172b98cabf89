//! The ledger: what a command, an event, an entry and a state are, whatever the capability.

pub(crate) mod command;
pub(crate) mod draft;
pub(crate) mod entry;
pub(crate) mod event;
pub(crate) mod expected;
pub(crate) mod fact;
pub(crate) mod fast_decode;
pub(crate) mod key;
pub(crate) mod record;
pub(crate) mod rejection;
pub(crate) mod state;
pub(crate) mod takeover;
pub(crate) mod topics;

pub use command::{Command, decide};
pub use draft::{Draft, DraftMark, Finished};
pub use entry::{Entry, Idempotency, LogPlace, Sequence, Unapplied, UnappliedWhy};
pub use event::{After, Event, EventKind};
pub use expected::Expected;
pub use fact::Fact;
pub use key::Key;
pub use record::{StateKey, StateRecord};
pub use rejection::{Refusal, Rejection};
pub use state::{Misfit, State, Undo};
pub use takeover::Taken;
pub use topics::Topics;
