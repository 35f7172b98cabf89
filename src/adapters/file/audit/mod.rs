//! The audit: reads a whole data directory and reports what does not hold. Changes nothing.
//!
//! It can be run beside a living node: then only entries up to the mark count, and those behind it are in flight. Checked
//! are
//! - of each log: the chain of every segment and between them, with every file that cannot be read; sequences, batches and times;
//!   that each event fits its state and leads to the numbers it recorded; that holds end when they may, and alerts are of their
//!   levels (`rules`); that each snapshot is the sum of the log up to its sequence; that each index is whole; that the log reaches as
//!   far as the mark, and not beyond the end that others gave it;
//! - of all logs of the directory together, which are read side by side, in the order of time (`course`): that event ids and
//!   idempotency keys happen once (`once`), and that no years pass without a sign; what one log takes over from another
//!   (`shared`); and of the states that all of them come to, that each alert agrees with its level (`low_stock`).
//!
//! `run` leads the auditors of all logs, `auditor` goes through one (`reading`), `derived` checks what comes from it, and
//! `report` is the result. The way out of what is found: [`repair`].

mod auditor;
mod course;
mod derived;
mod low_stock;
mod once;
mod reading;
pub mod repair;
mod report;
mod rules;
mod run;
mod shared;

pub use report::{Audit, Break, Finding};
pub use run::audit;
pub use shared::{DirectoryAudit, audit_directory, audit_directory_for};
