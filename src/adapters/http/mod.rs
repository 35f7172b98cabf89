//! HTTP: the contract of `openapi.yaml` on a socket.
//!
//! A request comes in through [`server`], passes the one outer layer ([`Edge`]), its gate against web pages (`web_gate`, `cors`) and
//! its `gates`, is routed ([`routes()`]), and reaches
//! the file of its noun: `stock`, `batch`, `imports`, `products`, `catalogue` (many products), `stores` and `alerts` (all with `describing`), `events` (and `follow`), `central` (and `central_model`), `sync`,
//! `dead_letters`, `home`, `health`, `metrics` (both with `sync_state` and `webhook_state`), `problems` (with `home` in `html`), `docs`; for a till `till`, for reports `stock_reports` and
//! `stock_sums` (both with `table`). What those share is reading (`accept`, `path_params`, `target`, `query`,
//! `page`, `body`, `precondition`, `patience`, `idempotency_key`, `verbs`, `operation`) and answering (`level_body`, `event_body`,
//! `etag`, `refusal`, `problem`, `code`). Nothing here decides about stock, and nothing knows the disk.

mod accept;
mod alerts;
mod batch;
mod bodies;
mod body;
mod catalogue;
mod central;
mod central_model;
mod code;
mod cors;
mod crowd;
mod dead_letters;
mod describing;
mod docs;
mod etag;
mod event_body;
mod events;
mod follow;
mod gates;
mod health;
mod home;
mod html;
mod idempotency_key;
mod imports;
mod layers;
mod leaving;
mod level_body;
mod limits;
mod meters;
mod metrics;
mod node;
mod object;
mod operation;
mod page;
mod path_params;
mod patience;
mod precondition;
mod problem;
mod problems;
mod product_body;
mod products;
mod query;
mod refusal;
mod request_id;
mod routes;
mod rules;
pub mod server;
mod stall;
mod stock;
mod stock_reports;
mod stock_sums;
mod stores;
mod sync;
mod sync_state;
mod table;
mod target;
mod till;
mod verbs;
mod web_gate;
mod webhook_state;

pub use code::Code;
pub use docs::OPENAPI_YAML;
pub use gates::{Entry, Gate, Gates};
pub use layers::Edge;
pub use leaving::Leaving;
pub use limits::FOLLOWERS_MAX;
pub use metrics::{install as install_metrics, upkeep as metrics_upkeep};
pub use node::Node;
pub use routes::{Route, edge, routes};
pub use web_gate::WebGate;
