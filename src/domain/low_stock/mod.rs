//! Low stock: `threshold` is a store's own threshold of a SKU, `alert` the alert of a level at or below its threshold.

pub mod alert;
pub(crate) mod threshold;

pub use alert::{Alert, AlertAfter, AlertFact, AlertRecord, KeyThresholds, Raised, update_alerts};
pub use threshold::{Threshold, ThresholdCommand, ThresholdFact, ThresholdRecord};
