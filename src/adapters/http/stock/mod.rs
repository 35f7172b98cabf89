//! Levels, their changes, batches, the till and reports.

pub(crate) mod batch;
pub(crate) mod bodies;
pub(crate) mod csv_table;
pub(crate) mod level_body;
pub(crate) mod levels;
pub(crate) mod operation;
pub(crate) mod reports;
pub(crate) mod sums;
pub(crate) mod till;
