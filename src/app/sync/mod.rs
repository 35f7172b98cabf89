//! The worker: reads every node's events in order and merges them into the central model.
//!
//! One source is one node's log. Each has its own checkpoint; a source that is down, slow or wrong holds up no other.
//! Model and checkpoints are saved in one file, so a crash takes both back to the same moment and the events in between
//! are read again. An event that cannot be applied becomes a dead letter before the checkpoint moves past it; later
//! events of the same store and SKU wait (they stay in their log), all others flow.

mod apply;
mod asking;
mod bury;
mod central;
mod copy;
mod crew;
mod file;
mod follower;
mod letters;
mod model;
mod numbered;
mod order;
mod pass;
mod redrive;
mod step;
mod waits;
mod worker;

pub use central::{Central, CentralLevel, Levels, total};
pub use copy::CentralCopy;
pub use file::{CentralFile, LevelRecord, ParkedRecord, SourceRecord};
pub use letters::{DeadLetter, LetterState, Parked};
pub use model::CentralModel;
pub use pass::{PassReport, SourceReport, SourceState, SyncStatus};
pub use redrive::{LetterError, Redriven};
pub use step::Poison;
pub use waits::Closing;
pub use worker::{SyncSettings, Worker, WorkerParts};
