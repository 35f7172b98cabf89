//! HTTP: the contract of `openapi.yaml` on a socket.
//!
//! A request comes in through [`server`], passes the one outer layer ([`Edge`]), is routed ([`routes()`]), and reaches
//! the file of its noun: `stock`, `batch`, `imports`, `health`, `metrics`, `problems`, `docs`. What those share is
//! reading (`target`, `query`, `page`, `body`, `precondition`, `idempotency_key`, `verbs`, `operation`) and answering
//! (`level_body`, `etag`, `refusal`, `problem`, `code`). Nothing here decides about stock, and nothing knows the disk.

mod batch;
mod body;
mod code;
mod docs;
mod etag;
mod health;
mod idempotency_key;
mod imports;
mod layers;
mod level_body;
mod limits;
mod meters;
mod metrics;
mod node;
mod object;
mod operation;
mod page;
mod precondition;
mod problem;
mod problems;
mod query;
mod refusal;
mod request_id;
mod routes;
mod rules;
pub mod server;
mod stock;
mod target;
mod verbs;

pub use code::Code;
pub use docs::OPENAPI_YAML;
pub use layers::Edge;
pub use metrics::{install as install_metrics, upkeep as metrics_upkeep};
pub use node::Node;
pub use routes::{Route, edge, routes};
