//! Alerts and thresholds.

pub(crate) mod alerts;
