//! Reads of bulk imports: how far one has come, and which rows were refused.

pub(crate) mod progress;

pub use progress::{ImportView, Refused, RefusedPlace};
