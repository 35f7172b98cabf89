//! How fresh the central model is, for readiness and metrics.

use super::node::Node;
use super::webhook_state;
use crate::app::sync::{Central, SourceReport, SourceState, SyncStatus};
use crate::domain::Sequence;
use crate::resilience::Position;
use serde::Serialize;
use std::collections::BTreeMap;

/// Dead letters there ever were.
pub(super) const DEAD_LETTERS: &str = "onhand_dead_letters_total";
/// How often a breaker has opened.
pub(super) const BREAKER_OPENED: &str = "onhand_breaker_opened_total";
const BREAKER_STATE: &str = "onhand_breaker_state";
const DEAD_LETTERS_OPEN: &str = "onhand_dead_letters_open";
const LAG: &str = "onhand_sync_lag_events";
const PARKED: &str = "onhand_sync_parked_events";
const SOURCE_LAG: &str = "onhand_sync_source_lag_events";
const SOURCE_WELL: &str = "onhand_sync_source_well";
const DUPLICATES: &str = "onhand_sync_duplicates_total";
const TAKEN: &str = "onhand_sync_taken_total";
const SUPERSEDED: &str = "onhand_sync_superseded_total";
const CENTRAL_LEVELS: &str = "onhand_central_levels";

/// The part of readiness that is about the central model; nothing of it keeps a node from being ready.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SyncState {
    /// Events that are durable somewhere and not in the central model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sync_lag: Option<u64>,
    /// Dead letters that wait for somebody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dead_letters: Option<usize>,
    /// The logs that are followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sources: Option<Vec<SourceReport>>,
}

impl SyncState {
    /// How it is now; empty for a node without a central model.
    pub(super) fn of(node: &Node) -> Self {
        if let Some(SyncStatus { lag, open_letters, sources, .. }) = status(node) {
            return Self { sync_lag: Some(lag), dead_letters: Some(open_letters), sources: Some(sources) };
        }
        let behind = node.central().ok().map(|central| {
            let reached = central.look(|central| central.as_of().get(&node.id).copied());
            end(node).0.saturating_sub(reached.unwrap_or_default().0)
        });
        Self { sync_lag: behind, ..Self::default() }
    }
}

/// What the worker says, and for this node's own log what its end is now: a source knows it from its last answer.
fn status(node: &Node) -> Option<SyncStatus> {
    let mut status = node.worker().ok()?.status();
    let own = status.sources.iter_mut().find(|source| source.node == Some(node.id));
    if let Some(source) = own {
        let end = end(node).max(source.end);
        status.lag += end.0 - source.end.0;
        source.end = end;
    }
    Some(status)
}

/// The breakers of this node by name, each with its state.
pub(super) fn breakers(node: &Node) -> BTreeMap<String, &'static str> {
    positions(node).map(|(name, position)| (name, position.as_str())).collect()
}

fn positions(node: &Node) -> impl Iterator<Item = (String, Position)> {
    let of_sources = node.worker().into_iter().flat_map(|worker| worker.breakers());
    let of_sources = of_sources.map(|(name, breaker)| (source_breaker(&name), breaker.position()));
    let of_webhook = webhook_state::breaker(node);
    let of_webhook = of_webhook.map(|breaker| (webhook_state::BREAKER.to_owned(), breaker.position()));
    // Logs that contradict each other do so until somebody has repaired them.
    let of_peers = if node.ledger.contradiction().is_some() { Position::Open } else { Position::Closed };
    let of_peers = node.ledger.is_shared().then(|| ("peers".to_owned(), of_peers));
    of_sources.chain(of_webhook).chain(of_peers).chain([("storage".to_owned(), node.ledger.log().breaker())])
}

/// What the breaker of a source is called.
fn source_breaker(source: &str) -> String {
    format!("source {source}")
}

fn end(node: &Node) -> Sequence {
    node.ledger.log().durable().sequence()
}

/// Says what the metrics are.
pub(super) fn describe() {
    metrics::describe_counter!(DEAD_LETTERS, "Events that could not be applied to the central model.");
    metrics::describe_counter!(BREAKER_OPENED, "How often a breaker has opened.");
    metrics::describe_gauge!(BREAKER_STATE, "0: closed, 1: half-open, 2: open.");
    metrics::describe_gauge!(DEAD_LETTERS_OPEN, "Dead letters that wait for somebody.");
    metrics::describe_gauge!(LAG, "Durable events that are not in the central model.");
    metrics::describe_gauge!(PARKED, "Events that wait behind a dead letter of their level.");
    metrics::describe_gauge!(SOURCE_LAG, "Durable events of a source that are not in the central model.");
    metrics::describe_gauge!(SOURCE_WELL, "1 when the last answer of a source was good, else 0.");
    metrics::describe_counter!(DUPLICATES, "Events met a second time.");
    metrics::describe_counter!(TAKEN, "Levels a log took over from another log of its ledger.");
    metrics::describe_counter!(
        SUPERSEDED,
        "Events of which another log of the ledger had told more already."
    );
    metrics::describe_gauge!(CENTRAL_LEVELS, "Levels in the central model.");
}

/// Sets the metrics to what is true now.
#[allow(clippy::cast_precision_loss, reason = "a gauge is a float; counts below 2^53 are exact in it")]
pub(super) fn gauge(node: &Node) {
    for (name, position) in positions(node) {
        let state = match position {
            Position::Closed => 0.0,
            Position::HalfOpen => 1.0,
            Position::Open => 2.0,
        };
        metrics::gauge!(BREAKER_STATE, "breaker" => name).set(state);
    }
    if let Some(breaker) = webhook_state::breaker(node) {
        metrics::counter!(BREAKER_OPENED, "breaker" => webhook_state::BREAKER).absolute(breaker.opened());
    }
    if let Ok(central) = node.central() {
        metrics::gauge!(CENTRAL_LEVELS).set(central.look(Central::len) as f64);
    }
    let Some(status) = status(node) else {
        if let Some(lag) = SyncState::of(node).sync_lag {
            metrics::gauge!(LAG).set(lag as f64);
        }
        return;
    };
    for (name, breaker) in node.worker().into_iter().flat_map(|worker| worker.breakers()) {
        metrics::counter!(BREAKER_OPENED, "breaker" => source_breaker(&name)).absolute(breaker.opened());
    }
    metrics::gauge!(LAG).set(status.lag as f64);
    metrics::gauge!(DEAD_LETTERS_OPEN).set(status.open_letters as f64);
    metrics::counter!(DEAD_LETTERS).absolute(status.letters as u64);
    let parked: u64 = status.sources.iter().map(|source| source.parked_events).sum();
    metrics::gauge!(PARKED).set(parked as f64);
    for source in status.sources {
        let behind = source.end.0.saturating_sub(source.sequence.0);
        let well = if source.state == SourceState::Well { 1.0 } else { 0.0 };
        metrics::gauge!(SOURCE_LAG, "source" => source.name.clone()).set(behind as f64);
        metrics::gauge!(SOURCE_WELL, "source" => source.name.clone()).set(well);
        metrics::counter!(TAKEN, "source" => source.name.clone()).absolute(source.taken);
        metrics::counter!(SUPERSEDED, "source" => source.name.clone()).absolute(source.superseded);
        metrics::counter!(DUPLICATES, "source" => source.name).absolute(source.duplicates);
    }
}
