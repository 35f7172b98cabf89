//! What every request passes before its handler: gates, CORS, access log and metrics.

pub(crate) mod admission;
pub(crate) mod body;
pub(crate) mod cors;
pub(crate) mod endpoint;
pub(crate) mod gates;
pub(crate) mod layer;
pub(crate) mod meters;
pub(crate) mod route;
pub(crate) mod web_gate;
