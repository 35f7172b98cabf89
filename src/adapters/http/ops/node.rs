//! `GET /node`: what runs here, whether it takes work, where its data is, and which settings it has.

use crate::node::Node;
use crate::node::about::{About, Setting, Space};
use crate::ops::health;
use crate::ops::health::Readiness;
use axum::Json;
use axum::extract::State;
use onhand_app::blocking;
use onhand_domain::{Sequence, Timestamp};
use serde::Serialize;
use std::sync::Arc;
use uuid::Uuid;

/// The node. What is not known of a node that runs inside another program is left out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NodeBody {
    name: &'static str,
    version: &'static str,
    node: Uuid,
    ledger: Uuid,
    durable_sequence: Sequence,
    time: Timestamp,
    /// True as long as nobody has to log in.
    open: bool,
    readiness: Readiness,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_dir: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disk: Option<Space>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    settings: Vec<Setting>,
}

/// Handler of `GET /node`.
pub(crate) async fn node(State(node): State<Arc<Node>>) -> Json<NodeBody> {
    let asked = Arc::clone(&node);
    // The file system may be one that answers over a network, or not at all.
    let disk = blocking(move || asked.about.as_ref().and_then(|about| (about.space)().ok())).await;
    let about = node.about.as_ref();
    Json(NodeBody {
        name: "onhand",
        version: env!("CARGO_PKG_VERSION"),
        node: node.id,
        ledger: node.ledger_id,
        durable_sequence: node.ledger.log().durable().sequence(),
        time: node.ledger.now(),
        open: node.ledger.has_no_principals(),
        readiness: health::state(&node, true),
        started_at: about.map(|about| about.started_at),
        data_dir: about.map(|about| about.data_dir.display().to_string()),
        disk,
        settings: about.map(|about: &About| about.settings.clone()).unwrap_or_default(),
    })
}
