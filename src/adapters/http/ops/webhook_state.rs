//! The state of the webhook, for readiness and metrics.

use crate::node::Node;
use onhand_app::low_stock::sender::{AlertCounts, AlertSender};
use onhand_resilience::Breaker;
use onhand_telemetry::{WEBHOOK_DELIVERIES, WEBHOOK_PENDING};

/// The name of its breaker.
pub(crate) const BREAKER: &str = "webhook";

/// The breaker of the webhook, where one is configured.
pub(crate) fn breaker(node: &Node) -> Option<&Breaker> {
    node.alerts.as_deref().map(AlertSender::breaker)
}

/// Sets the metrics to the current values.
pub(crate) fn gauge(node: &Node) {
    let counts = node.alerts.as_deref().map(AlertSender::counts);
    let AlertCounts { delivered, failed, given_up } = counts.unwrap_or_default();
    for (outcome, count) in [("delivered", delivered), ("failed", failed), ("given_up", given_up)] {
        metrics::counter!(WEBHOOK_DELIVERIES, "outcome" => outcome).absolute(count);
    }
    let pending = node.alerts.as_deref().map_or(0, AlertSender::pending);
    metrics::gauge!(WEBHOOK_PENDING).set(f64::from(u32::try_from(pending).unwrap_or(u32::MAX)));
}
