//! How the webhook is, for readiness and metrics.

use super::node::Node;
use crate::app::alerting::{AlertCounts, AlertSender};
use crate::resilience::Breaker;

/// What became of alerts that are sent, by `outcome`.
const DELIVERIES: &str = "onhand_webhook_deliveries_total";
/// Alerts that wait to be sent.
const PENDING: &str = "onhand_webhook_pending_alerts";
/// What its breaker is called.
pub(super) const BREAKER: &str = "webhook";

/// The breaker in front of the receiver, where there is one.
pub(super) fn breaker(node: &Node) -> Option<&Breaker> {
    node.alerts.as_deref().map(AlertSender::breaker)
}

/// Says what the metrics are.
pub(super) fn describe() {
    metrics::describe_counter!(
        DELIVERIES,
        "Alerts that the receiver has (delivered), attempts that it did not take (failed), alerts given up (given_up)."
    );
    metrics::describe_gauge!(PENDING, "Alerts that are known to wait for the webhook.");
}

/// Sets the metrics to what is true now.
pub(super) fn gauge(node: &Node) {
    let Some(alerts) = &node.alerts else { return };
    let AlertCounts { delivered, failed, given_up } = alerts.counts();
    for (outcome, count) in [("delivered", delivered), ("failed", failed), ("given_up", given_up)] {
        metrics::counter!(DELIVERIES, "outcome" => outcome).absolute(count);
    }
    metrics::gauge!(PENDING).set(f64::from(u32::try_from(alerts.pending()).unwrap_or(u32::MAX)));
}
