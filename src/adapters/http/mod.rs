//! HTTP: the contract of `openapi.yaml` on a socket.
//!
//! | room | what it does |
//! | --- | --- |
//! | [`server`] | listener, connections, their limits and timeouts |
//! | `edge` | what every request passes before its handler: gate against web pages, CORS, gates, access log |
//! | [`routes()`] | all routes in one list |
//! | `request`, `response` | reading requests, answering them: what the capabilities share |
//! | `stock`, `imports`, `catalogue`, `low_stock`, `feed`, `central` | one room for each capability |
//! | `ops`, `docs` | liveness, readiness, metrics; the contract and the pages for people |
//! | `node` | what handlers need of the running node |
//!
//! Nothing here decides about stock, and nothing knows the disk.

mod catalogue;
mod central;
mod docs;
mod edge;
mod feed;
mod imports;
mod limits;
mod low_stock;
mod node;
mod ops;
mod request;
mod resource;
mod response;
mod routes;
pub mod server;
mod stock;

pub use docs::openapi::OPENAPI_YAML;
pub use edge::gates::{Entry, Gate, Gates};
pub use edge::layer::Edge;
pub use edge::route::Route;
pub use edge::web_gate::WebGate;
pub use limits::FOLLOWERS_MAX;
pub use node::Node;
pub use node::draining::Leaving;
pub use ops::metrics::{install as install_metrics, upkeep as metrics_upkeep};
pub use response::code::Code;
pub use routes::{edge, routes};
