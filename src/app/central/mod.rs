//! The worker: reads the events of every node in order and merges them into the central model.
//!
//! A source is one node's log with its own checkpoint; a source that is down, slow or wrong delays no other. Model and checkpoints are
//! saved in one file, so a crash returns both to the same moment, and the events in between are read again. An event that cannot be
//! applied becomes a dead letter before the checkpoint moves past it; later events of the same store and SKU wait in their log, all
//! others are applied.
//!
//! `worker` runs and saves, `following` reads the sources, `model` holds and merges, `dead_letters` writes and redrives, `pass`
//! reports.

mod dead_letters;
mod following;
mod model;
mod pass;
mod worker;

pub use dead_letters::redrive::Redriven;
pub use model::central::Central;
pub use model::copy::CentralCopy;
pub use model::file::{CentralFile, CentralLevelRecord, ParkedRecord, SourceRecord};
pub use model::letters::{DeadLetter, LetterError, LetterState, Parked};
pub use model::level::{CentralLevel, Levels, total};
pub use model::shared::CentralModel;
pub use model::step::Poison;
pub use model::waits::Closing;
pub use pass::{PassReport, SourceReport, SourceState, SyncStatus};
pub use worker::{SyncSettings, Worker, WorkerParts};
