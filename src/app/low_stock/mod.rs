//! Low stock: which thresholds hold, which levels are low, and who is told.

pub(crate) mod alerts;
pub mod sender;
pub(crate) mod thresholds;
mod watch;

pub use alerts::{AlertFilter, AlertView, ThresholdView};
