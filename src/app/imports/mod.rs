//! Reads of bulk imports: the progress of one, and its refused rows.

pub(crate) mod progress;

pub use progress::{ImportView, Refused, RefusedPlace};
