//! How long an acknowledged write takes to be visible in central, measured beside the load.

use super::request::STORE;
use super::tally::LoadTally;
use crate::terminal::client::NodeClient;
use http::{HeaderMap, HeaderName, HeaderValue};
use onhand_runtime::exit::Failure;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The level the probes write.
const PROBE: &str = "PROBE";
/// Longest pause between two probes; each is as long as chance has it, so that no rhythm of the worker is met or missed.
const PAUSE_MS_MAX: u64 = 50;

#[derive(Deserialize)]
struct End {
    node: String,
    end: u64,
}

/// Writes to the node and waits until each write is in central, from `from` until `until`.
///
/// The wait begins with the acknowledgement. It covers everything up to the end of the node's log at that moment, which
/// is at least the probe.
pub(super) async fn probe(
    node: &NodeClient,
    central: &NodeClient,
    run: &str,
    from: Instant,
    until: Instant,
) -> Result<LoadTally, Failure> {
    let mut tally = LoadTally::new();
    let mut number = 0_u64;
    while Instant::now() < until {
        number += 1;
        let key = HeaderValue::from_str(&format!("{run}-probe-{number}"))
            .expect("hex digits and dashes are visible");
        let headers = HeaderMap::from_iter([(HeaderName::from_static("idempotency-key"), key)]);
        let path = format!("/stores/{STORE}/inventory/{PROBE}/adjust");
        let _: Value = node.post(&path, headers, &json!({"delta": 1})).await?;
        let acknowledged = Instant::now();
        let End { node: id, end } = node.get("/events?limit=0").await?;
        let _: Value = central.get(&format!("/central/inventory/{PROBE}?atLeast={id}:{end}")).await?;
        if acknowledged >= from {
            tally.answered(200, acknowledged.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(fastrand::u64(0..=PAUSE_MS_MAX))).await;
    }
    Ok(tally)
}
