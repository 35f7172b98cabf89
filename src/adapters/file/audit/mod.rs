//! The audit: reads a whole data directory and reports every inconsistency. Changes nothing.
//!
//! It can be run beside a living node: then only entries up to the mark count, and those behind it are in flight.
//! Checked are
//! - of each log: the chain of every segment and between them, with every file that cannot be read; sequences,
//!   batches and times; that each event fits its state and leads to the numbers it recorded; that holds end when
//!   they may, and alerts are of their levels (`rules`); that each snapshot equals the fold of the log up to its
//!   sequence; that orders, their shipments and the levels agree (`orders`); that each index is whole; that the log reaches as far as the mark, and not beyond the end that
//!   another process set;
//! - of all logs of the directory together, which are read side by side, in the order of time (`course`): that
//!   event ids and idempotency keys happen once (`once`), and that log time has no implausible gap; that one log
//!   takes over the exact states of another (`shared`); and that each alert agrees with its level in the final
//!   states of the ledger (`low_stock`).
//!
//! `run` drives the auditors of all logs, `auditor` checks one (`reading`), `derived` checks the files derived from
//! it, and `report` is the result. [`repair`] cuts a damaged log.

mod auditor;
mod course;
mod derived;
mod low_stock;
mod once;
mod orders;
mod reading;
pub mod repair;
mod report;
mod rules;
mod run;
mod shared;

pub use report::{Audit, Break, Finding};
pub use run::audit;
pub use shared::{DirectoryAudit, audit_directory, audit_directory_for};
