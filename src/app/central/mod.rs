//! The worker: reads every node's events in order and merges them into the central model.
//!
//! One source is one node's log. Each has its own checkpoint; a source that is down, slow or wrong holds up no other.
//! Model and checkpoints are saved in one file, so a crash takes both back to the same moment and the events in between
//! are read again. An event that cannot be applied becomes a dead letter before the checkpoint moves past it; later
//! events of the same store and SKU wait (they stay in their log), all others flow.

mod dead_letters;
mod following;
mod model;
mod pass;
mod worker;

pub use dead_letters::letters::{DeadLetter, LetterState, Parked};
pub use dead_letters::redrive::{LetterError, Redriven};
pub use model::central::{Central, CentralLevel, Levels, total};
pub use model::copy::CentralCopy;
pub use model::file::{CentralFile, CentralLevelRecord, ParkedRecord, SourceRecord};
pub use model::shared::CentralModel;
pub use model::step::Poison;
pub use model::waits::Closing;
pub use pass::{PassReport, SourceReport, SourceState, SyncStatus};
pub use worker::{SyncSettings, Worker, WorkerParts};
