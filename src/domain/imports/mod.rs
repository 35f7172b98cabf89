//! Bulk imports: named things in the log, so that running the same file twice changes nothing, however long after.
//!
//! An import is a file's rows in order. Each request carries the rows that follow those already done; the movements
//! it makes and the step of the import stand in one entry, so a row is applied exactly once whatever is retried. That is why
//! an import is a capability of the domain and not a loop in a client.

mod import;
mod rows;

pub use import::{Import, ImportAfter, ImportFact, ImportRecord, RefusedRow};
pub use rows::{ImportRow, ImportRows};
