//! `GET /metrics`: Prometheus text, or a few sums of it as JSON.

use crate::node::Node;
use crate::ops::{sync_state, webhook_state};
use crate::request::accept;
use crate::response::vary::by_accept;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use onhand_telemetry::{
    ALERTS_RAISED, BREAKER_OPENED, DEAD_LETTERS, HTTP_RATE_LIMITED, HTTP_REQUESTS, HTTP_SHED,
    IDEMPOTENT_REPLAYS, LOCKS_ACQUIRED, LOCKS_CONTENDED, LOCKS_STOLEN, LOG_DURABLE_SEQUENCE, LOG_PROBES,
    LOG_QUEUE, SNAPSHOTS,
};
use serde::Serialize;
use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The end of the names of histograms that count entries.
const ENTRIES: &str = "_entries";
const BUCKETS_ENTRIES: [f64; 11] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 1024.0, 4096.0];
/// Upper bounds of all other histograms, in seconds.
const BUCKETS_SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Installs the recorder of this process once, before the first metric; later calls return the same one.
pub fn install() -> &'static PrometheusHandle {
    RECORDER.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .with_recommended_naming(true)
            .set_buckets(&BUCKETS_SECONDS)
            .expect("there are buckets")
            .set_buckets_for_metric(Matcher::Suffix(ENTRIES.to_owned()), &BUCKETS_ENTRIES)
            .expect("there are buckets")
            .install_recorder()
            .expect("nothing else installs a recorder");
        onhand_telemetry::register();
        recorder
    })
}

/// Drains the buffers of the histograms every few seconds, without end; otherwise they grow with every request.
pub async fn upkeep() -> Infallible {
    let recorder = install();
    loop {
        tokio::time::sleep(UPKEEP_EVERY).await;
        recorder.run_upkeep();
    }
}

/// Handler of `GET /metrics`.
pub(crate) async fn metrics(State(node): State<Arc<Node>>, headers: HeaderMap) -> Response {
    sync_state::gauge(&node);
    webhook_state::gauge(&node);
    node.gates.gauge();
    let log = node.ledger.log();
    gauge(LOG_DURABLE_SEQUENCE, log.durable().sequence().0);
    gauge(LOG_QUEUE, log.queue_depth() as u64);
    gauge(ALERTS_RAISED, node.ledger.alerts_raised() as u64);
    answer(&headers)
}

#[allow(clippy::cast_precision_loss, reason = "a gauge is a float; counts below 2^53 are exact in it")]
fn gauge(name: &'static str, value: u64) {
    metrics::gauge!(name).set(value as f64);
}

fn answer(headers: &HeaderMap) -> Response {
    let text = install().render();
    let response = if accept::first_of(headers, &["application/json"]).is_some() {
        Json(Counters::of(&text)).into_response()
    } else {
        ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
    };
    by_accept(response)
}

/// The counters as JSON: sums of the Prometheus series, so that the two always agree.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Counters {
    requests: u64,
    errors: u64,
    conflicts: u64,
    idempotent_hits: u64,
    rate_limited: u64,
    shed: u64,
    breaker_open: u64,
    fs_retries: u64,
    snapshots: u64,
    lock_acquired: u64,
    lock_contended: u64,
    lock_stolen: u64,
    dead_letters: u64,
}

impl Counters {
    fn of(text: &str) -> Self {
        Self {
            requests: sum(text, HTTP_REQUESTS, ""),
            errors: sum(text, HTTP_REQUESTS, "status=\"5"),
            conflicts: sum(text, HTTP_REQUESTS, "status=\"409\""),
            idempotent_hits: sum(text, IDEMPOTENT_REPLAYS, ""),
            rate_limited: sum(text, HTTP_RATE_LIMITED, ""),
            shed: sum(text, HTTP_SHED, ""),
            breaker_open: sum(text, BREAKER_OPENED, ""),
            fs_retries: sum(text, LOG_PROBES, ""),
            snapshots: sum(text, SNAPSHOTS, ""),
            lock_acquired: sum(text, LOCKS_ACQUIRED, ""),
            lock_contended: sum(text, LOCKS_CONTENDED, ""),
            lock_stolen: sum(text, LOCKS_STOLEN, ""),
            dead_letters: sum(text, DEAD_LETTERS, ""),
        }
    }
}

/// The sum of all series of one counter whose labels contain `label`.
fn sum(text: &str, name: &str, label: &str) -> u64 {
    let values = text.lines().filter_map(|line| {
        let series = line.strip_prefix(name)?;
        let (labels, value) = series.rsplit_once(' ')?;
        let whole = labels.is_empty() || labels.starts_with('{');
        (whole && labels.contains(label)).then(|| value.parse::<u64>().ok()).flatten()
    });
    values.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_counters_are_sums_of_the_text() {
        let text = "\
# HELP onhand_http_requests_total Requests answered.
# TYPE onhand_http_requests_total counter
onhand_http_requests_total{method=\"GET\",route=\"/a\",status=\"200\"} 5
onhand_http_requests_total{method=\"POST\",route=\"/b\",status=\"409\"} 3
onhand_http_requests_total{method=\"POST\",route=\"/b\",status=\"503\"} 2
onhand_http_requests_total_other{status=\"503\"} 100
onhand_idempotent_replays_total 4
onhand_http_shed_total{gate=\"reads\"} 5
onhand_http_shed_total{gate=\"writes\"} 2
onhand_log_probes_total 6
onhand_locks_acquired_total 9
onhand_locks_contended_total 8
onhand_locks_stolen_total 1
";
        let counters = Counters::of(text);
        let expected = Counters {
            requests: 10,
            errors: 2,
            conflicts: 3,
            idempotent_hits: 4,
            rate_limited: 0,
            shed: 7,
            breaker_open: 0,
            fs_retries: 6,
            snapshots: 0,
            lock_acquired: 9,
            lock_contended: 8,
            lock_stolen: 1,
            dead_letters: 0,
        };
        assert_eq!(counters, expected);
    }

    #[tokio::test]
    async fn what_is_counted_is_rendered() {
        install();
        metrics::counter!(IDEMPOTENT_REPLAYS).increment(1);
        metrics::histogram!("onhand_test_entries").record(23.0);
        let response = answer(&HeaderMap::new());
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(text.contains("\nonhand_idempotent_replays_total "));
        assert!(text.contains("\nonhand_test_entries_bucket{le=\"32\"} 1\n"), "{text}");
    }
}
