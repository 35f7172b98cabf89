//! The state of the central model, for readiness and metrics.

use crate::node::Node;
use crate::ops::webhook_state;
use onhand_app::central::{Central, SourceReport, SourceState, SyncStatus};
use onhand_domain::Sequence;
use onhand_resilience::BreakerState;
use onhand_telemetry::{
    BREAKER_OPENED, BREAKER_STATE, CENTRAL_LEVELS, DEAD_LETTERS, DEAD_LETTERS_OPEN, SYNC_DUPLICATES,
    SYNC_LAG, SYNC_PARKED, SYNC_SOURCE_LAG, SYNC_SOURCE_WELL, SYNC_SUPERSEDED, SYNC_TAKEN,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// The part of readiness about the central model; none in it makes a node not ready.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncState {
    /// Events that are durable somewhere and not in the central model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sync_lag: Option<u64>,
    /// Open dead letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dead_letters: Option<usize>,
    /// The logs that are followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sources: Option<Vec<SourceReport>>,
}

impl SyncState {
    /// The current state; empty for a node without a central model.
    pub(crate) fn of(node: &Node) -> Self {
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

/// The status of the worker, with the current end of this node's own log: a source only has that of its last answer.
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
pub(crate) fn breakers(node: &Node) -> BTreeMap<String, &'static str> {
    positions(node).map(|(name, position)| (name, position.as_str())).collect()
}

fn positions(node: &Node) -> impl Iterator<Item = (String, BreakerState)> {
    let of_sources = node.worker().into_iter().flat_map(|worker| worker.breakers());
    let of_sources = of_sources.map(|(name, breaker)| (source_breaker(&name), breaker.position()));
    let of_webhook = webhook_state::breaker(node);
    let of_webhook = of_webhook.map(|breaker| (webhook_state::BREAKER.to_owned(), breaker.position()));
    // Logs that contradict each other do so until an operator has repaired them.
    let of_peers =
        if node.ledger.contradiction().is_some() { BreakerState::Open } else { BreakerState::Closed };
    let of_peers = node.ledger.is_shared().then(|| ("peers".to_owned(), of_peers));
    of_sources.chain(of_webhook).chain(of_peers).chain([("storage".to_owned(), node.ledger.log().breaker())])
}

/// The name of a source's breaker.
fn source_breaker(source: &str) -> String {
    format!("source {source}")
}

fn end(node: &Node) -> Sequence {
    node.ledger.log().durable().sequence()
}

/// Sets the metrics to the current values.
#[allow(clippy::cast_precision_loss, reason = "a gauge is a float; counts below 2^53 are exact in it")]
pub(crate) fn gauge(node: &Node) {
    for (name, position) in positions(node) {
        let state = match position {
            BreakerState::Closed => 0.0,
            BreakerState::HalfOpen => 1.0,
            BreakerState::Open => 2.0,
        };
        metrics::counter!(BREAKER_OPENED, "breaker" => name.clone()).increment(0);
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
            metrics::gauge!(SYNC_LAG).set(lag as f64);
        }
        return;
    };
    for (name, breaker) in node.worker().into_iter().flat_map(|worker| worker.breakers()) {
        metrics::counter!(BREAKER_OPENED, "breaker" => source_breaker(&name)).absolute(breaker.opened());
        if !status.sources.iter().any(|source| source.name == name) {
            // It has not answered yet.
            of_source(name, None);
        }
    }
    metrics::gauge!(SYNC_LAG).set(status.lag as f64);
    metrics::gauge!(DEAD_LETTERS_OPEN).set(status.open_letters as f64);
    metrics::counter!(DEAD_LETTERS).absolute(status.letters as u64);
    let parked: u64 = status.sources.iter().map(|source| source.parked_events).sum();
    metrics::gauge!(SYNC_PARKED).set(parked as f64);
    for source in status.sources {
        of_source(source.name.clone(), Some(&source));
    }
}

#[allow(clippy::cast_precision_loss, reason = "a gauge is a float; counts below 2^53 are exact in it")]
fn of_source(name: String, report: Option<&SourceReport>) {
    let behind = report.map_or(0, |source| source.end.0.saturating_sub(source.sequence.0));
    let well = report.is_some_and(|source| source.state == SourceState::Well);
    let [taken, superseded, duplicates] =
        report.map_or([0; 3], |source| [source.taken, source.superseded, source.duplicates]);
    metrics::gauge!(SYNC_SOURCE_LAG, "source" => name.clone()).set(behind as f64);
    metrics::gauge!(SYNC_SOURCE_WELL, "source" => name.clone()).set(f64::from(u8::from(well)));
    metrics::counter!(SYNC_TAKEN, "source" => name.clone()).absolute(taken);
    metrics::counter!(SYNC_SUPERSEDED, "source" => name.clone()).absolute(superseded);
    metrics::counter!(SYNC_DUPLICATES, "source" => name).absolute(duplicates);
}
