//! Operations: liveness, readiness and metrics.

pub(crate) mod health;
pub(crate) mod metrics;
pub(crate) mod sync_state;
pub(crate) mod webhook_state;
