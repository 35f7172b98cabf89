//! Bulk imports: states in the log, so that a second run of the same file changes nothing, however much later.
//!
//! An import consists of a file's rows in order. Each request carries the rows that follow the last decided one; its movements and the step
//! of the import stand in one entry, so each row is applied exactly once, whatever is retried. A loop in a client could not
//! guarantee that.

mod import;
mod rows;

pub use import::{Import, ImportAfter, ImportFact, ImportRecord, RefusedRow};
pub use rows::{ImportRow, ImportRows};
