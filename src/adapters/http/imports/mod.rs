//! Bulk imports.

pub(crate) mod rows;
