//! HTTP: the contract of `openapi.yaml` on a socket.
//!
//! | folder | content |
//! | --- | --- |
//! | [`server`] | listeners, TLS, connections and their timeouts |
//! | `edge` | the layer around every handler: gate against web pages, CORS, gates, access log |
//! | `request`, `response` | reading requests, answering them |
//! | `resource` | what the capabilities share: paged lists, changes, entity tags |
//! | `node` | what handlers need of the running node |
//! | `stock`, `imports`, `catalogue`, `low_stock`, `identity`, `feed`, `audit`, `central` | one room for each capability, with its routes |
//! | `ops`, `docs` | liveness, readiness, metrics and the node itself; the contract and the pages for people |
//! | `console` | the web application for people |
//! | `routes` | the routes of all folders |
//! | `limits` | every bound of the HTTP side |
//!
//! Nothing here decides about stock, and nothing knows the disk.

mod allocation;
mod audit;
mod catalogue;
mod central;
mod console;
mod docs;
mod edge;
mod feed;
mod identity;
mod imports;
mod limits;
mod low_stock;
mod node;
mod ops;
mod orders;
mod request;
mod resource;
mod response;
mod routes;
pub mod server;
mod stock;

pub use docs::openapi::OPENAPI_YAML;
pub use edge::forwarding::{Client, TrustedProxies};
pub use edge::front_door::OpenRules;
pub use edge::gates::{Gate, GateEntry, Gates};
pub use edge::layer::Edge;
pub use edge::local_peer::LocalPeer;
pub use edge::route::{Cache, Need, Route};
pub use edge::web_gate::WebGate;
pub use limits::FOLLOWERS_MAX;
pub use node::Node;
pub use node::about::{About, Setting, Space};
pub use node::draining::Draining;
pub use ops::metrics::{install as install_metrics, upkeep as metrics_upkeep};
pub use response::code::Code;
pub use routes::{edge, routes};
