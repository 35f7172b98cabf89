//! Low stock: `thresholds` and `watch` are the projection that decisions use, `alerts` the reads, `sender` the delivery to a webhook.

pub(crate) mod alerts;
pub mod sender;
pub(crate) mod thresholds;
mod watch;

pub use alerts::{AlertFilter, AlertView, ThresholdView};
