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
use std::time::Duration;
use uuid::Uuid;

/// How long the file system has to answer.
const SPACE_WITHIN: Duration = Duration::from_secs(1);

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

/// Asks the file system, which may be one that answers over a network, or not at all: one question at a time, and an answer without it
/// after a second.
async fn space(about: &About) -> Option<Space> {
    let (asking, space) = (Arc::clone(&about.asking), Arc::clone(&about.space));
    let asked = async {
        let held = asking.lock_owned().await;
        blocking(move || {
            let _held = held;
            space().ok()
        })
        .await
    };
    tokio::time::timeout(SPACE_WITHIN, asked).await.ok().flatten()
}

/// Handler of `GET /node`.
pub(crate) async fn node(State(node): State<Arc<Node>>) -> Json<NodeBody> {
    let about = node.about.as_ref();
    let disk = match about {
        Some(about) => space(about).await,
        None => None,
    };
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
        settings: about.map(|about| about.settings.clone()).unwrap_or_default(),
    })
}
