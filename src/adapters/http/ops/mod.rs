//! Operations: liveness and readiness (`health`) and metrics (`metrics`), with the state of the sync worker (`sync_state`)
//! and of the webhook (`webhook_state`) in both.

pub(crate) mod health;
pub(crate) mod metrics;
pub(crate) mod sync_state;
pub(crate) mod webhook_state;

use crate::edge::endpoint::get;
use crate::edge::route::Permission::Open;
use crate::node::Routes;

/// The routes of operations.
pub(crate) fn routes() -> Routes {
    vec![
        get(Open, "/health", health::health).free(),
        get(Open, "/health/liveness", health::liveness).free(),
        get(Open, "/health/readiness", health::readiness).free(),
        get(Open, "/livez", health::liveness).free(),
        get(Open, "/readyz", health::readiness).free(),
        get(Open, "/healthz", health::liveness).free(),
        get(Open, "/metrics", metrics::metrics).free(),
    ]
}
