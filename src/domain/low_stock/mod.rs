//! Low stock: the threshold a store has of its own, and the alert that a level at or below its threshold raises.

pub mod alert;
pub(crate) mod threshold;

pub use alert::{Alert, AlertAfter, AlertFact, AlertRecord, KeyThresholds, Raised, update_alerts};
pub use threshold::{Threshold, ThresholdCommand, ThresholdFact, ThresholdRecord};
