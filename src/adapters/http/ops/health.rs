//! `GET /health` and below: whether the process runs, and whether it accepts work.

use crate::node::Node;
use crate::ops::sync_state;
use crate::ops::sync_state::SyncState;
use crate::request::caller::Caller;
use crate::response::code::Code;
use crate::response::problem::Problem;
use axum::Json;
use axum::extract::State;
use onhand_domain::identity::Permission;
use onhand_resilience::BreakerState;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The answer to [`liveness`].
#[derive(Debug, Serialize)]
pub(crate) struct Liveness {
    status: &'static str,
}

/// The state of the node in a word, and links to the details.
#[derive(Debug, Serialize)]
pub(crate) struct Health {
    status: &'static str,
    mode: Mode,
    links: HealthLinks,
}

#[derive(Debug, Serialize)]
struct HealthLinks {
    liveness: &'static str,
    readiness: &'static str,
    metrics: &'static str,
}

/// Whether the node accepts work. When it does not, the members are part of the problem.
#[derive(Debug, Serialize)]
pub(crate) struct Readiness {
    ready: bool,
    mode: Mode,
    /// For those who may read operations: it names other nodes.
    #[serde(flatten)]
    details: Option<Details>,
}

/// How busy it is, and what it depends on.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    breakers: BTreeMap<String, &'static str>,
    queue_depth: usize,
    durable_sequence: u64,
    #[serde(flatten)]
    sync: SyncState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    Normal,
    /// The log cannot be written; durable data can be read.
    ReadOnly,
    Draining,
}

/// `GET /health`: 200, or the same 503 as that of [`readiness`].
pub(crate) async fn health(State(node): State<Arc<Node>>) -> Result<Json<Health>, Problem> {
    let Readiness { mode, .. } = look(&node, false)?;
    let links =
        HealthLinks { liveness: "/health/liveness", readiness: "/health/readiness", metrics: "/metrics" };
    Ok(Json(Health { status: "ok", mode, links }))
}

/// `GET /health/liveness`: 200 as long as the process can answer at all.
pub(crate) async fn liveness() -> Json<Liveness> {
    Json(Liveness { status: "ok" })
}

/// `GET /health/readiness`: 200, or a 503 problem with the same members.
pub(crate) async fn readiness(
    State(node): State<Arc<Node>>,
    caller: Caller,
) -> Result<Json<Readiness>, Problem> {
    look(&node, caller.access().permit(Permission::OpsRead).is_ok()).map(Json)
}

fn look(node: &Node, with_details: bool) -> Result<Readiness, Problem> {
    let readiness = state(node, with_details);
    if readiness.ready { Ok(readiness) } else { Err(Problem::plain(Code::NotReady).extended(&readiness)) }
}

/// Whether the node accepts work; with details, what it depends on.
pub(super) fn state(node: &Node, with_details: bool) -> Readiness {
    let log = node.ledger.log();
    let storage = log.breaker();
    // Noted first: a probe sees the 503 also when it has another reason.
    let draining = node.draining.asked() || node.shutdown.is_cancelled();
    let mode = if storage != BreakerState::Closed {
        Mode::ReadOnly
    } else if draining {
        Mode::Draining
    } else {
        Mode::Normal
    };
    Readiness {
        ready: mode == Mode::Normal && node.ledger.contradiction().is_none(),
        mode,
        details: with_details.then(|| Details {
            breakers: sync_state::breakers(node),
            queue_depth: log.queue_depth(),
            durable_sequence: log.durable().sequence().0,
            sync: SyncState::of(node),
        }),
    }
}
