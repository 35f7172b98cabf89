//! The parts of a node that a running process and the simulator open alike: the log with its ledger, and the worker, over
//! any disk and any clock.

mod open;
mod worker;

pub use open::{NodeOptions, OpenedLog, UnbuiltLedger};
pub use worker::{WorkerError, WorkerOptions};
