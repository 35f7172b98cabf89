//! What the use cases need from outside, and the errors they are owed.

mod clock;
mod event_log;
mod history;

pub use clock::{Clock, EventIds};
pub use event_log::{AppendError, Appended, DurableWatch, EventLog, LogFailed, NewEntry, Ticket};
pub use history::{History, HistoryError, Moment, Movement, MovementQuery};
