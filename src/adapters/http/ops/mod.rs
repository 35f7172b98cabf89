//! Operations: liveness and readiness (`health`) and metrics (`metrics`), with the state of the sync worker (`sync_state`)
//! and of the webhook (`webhook_state`) in both; and the node itself (`node`).

pub(crate) mod health;
pub(crate) mod metrics;
pub(crate) mod node;
pub(crate) mod sync_state;
pub(crate) mod webhook_state;

use crate::edge::endpoint::get;
use crate::edge::route::Need;
use crate::node::Routes;
use onhand_domain::identity::Permission;

/// The routes of operations.
pub(crate) fn routes() -> Routes {
    vec![
        get(Need::Public, "/health", health::health).free(),
        get(Need::Public, "/health/liveness", health::liveness).free(),
        get(Need::Probe, "/health/readiness", health::readiness).free(),
        get(Need::Public, "/livez", health::liveness).free(),
        get(Need::Probe, "/readyz", health::readiness).free(),
        get(Need::Public, "/healthz", health::liveness).free(),
        get(Need::Metrics, "/metrics", metrics::metrics).free(),
        get(Need::Everywhere(Permission::OpsRead), "/node", node::node),
    ]
}
