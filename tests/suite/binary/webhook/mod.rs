//! Low-stock alerts as webhooks: a real node and a real receiver, both of which are stopped and started.

mod places;
mod receiver;
mod tls;

use super::api::Api;
use super::process::{Node, verify};
use receiver::{Receiver, SECRET, SILENT, Taken};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::task::spawn_blocking;

const SKUS: [&str; 3] = ["A", "B", "C"];

async fn start(data_dir: &Path, url: &str, more: &[&str]) -> Node {
    let fixed = [
        "--alert-webhook-url",
        url,
        "--alert-webhook-secret",
        SECRET,
        "--alert-webhook-allow-private",
        "--retry-base-ms",
        "20",
        "--breaker-cooldown-ms",
        "100",
    ];
    let (data_dir, options) = (data_dir.to_owned(), [&fixed[..], more].concat().join("\n"));
    let start = move || Node::start(&data_dir, &options.split('\n').collect::<Vec<_>>());
    spawn_blocking(start).await.unwrap()
}

async fn stop(node: Node) {
    spawn_blocking(move || node.stop()).await.unwrap();
}

async fn kill(node: Node) {
    spawn_blocking(move || node.process.kill()).await.unwrap();
}

/// Every SKU has a threshold of five, and no stock.
async fn watch(api: &Api) {
    for sku in SKUS {
        let product = json!({"sku": sku, "name": sku, "lowStockThreshold": 5});
        api.post("/products", &[], &product).await.is(201, "");
    }
}

async fn adjust(api: &Api, sku: &str, delta: i64) {
    api.post(&format!("/stores/S/inventory/{sku}/adjust"), &[], &json!({"delta": delta})).await.is(200, "");
}

/// Raises and lowers the stock of each SKU: except for the first time, that clears an alert and raises it again.
async fn rise_and_fall(api: &Api) {
    for delta in [10, -10] {
        for sku in SKUS {
            adjust(api, sku, delta).await;
        }
    }
}

/// The alerts of a node's log, as (id, sequence).
async fn in_the_log(api: &Api) -> Vec<(String, Value)> {
    let page = api.get("/events?type=ALERT&limit=1000").await;
    let told = |item: &Value| (item["eventId"].as_str().unwrap().to_owned(), item["sequence"].clone());
    page.json["items"].as_array().unwrap().iter().map(told).collect()
}

fn ids(taken: &[Taken]) -> Vec<(String, Value)> {
    taken.iter().map(|taken| (taken.id.clone(), taken.json["data"]["sequence"].clone())).collect()
}

/// The webhooks without repeats, as a receiver that compares ids has them.
fn once(taken: &[Taken]) -> Vec<(String, Value)> {
    let mut once = Vec::new();
    for one in ids(taken) {
        if !once.contains(&one) {
            once.push(one);
        }
    }
    once
}

async fn metric(api: &Api, series: &str) -> u64 {
    let text = api.get("/metrics").await.text;
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')).map(str::to_owned);
    line.map_or(0, |number| number.parse().unwrap())
}

/// Waits until a metric reaches a value.
async fn until(api: &Api, series: &str, at_least: u64) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while metric(api, series).await < at_least {
        assert!(Instant::now() < deadline, "{series} is not {at_least}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_arrives_within_a_second_signed_and_once() {
    let directory = TempDir::new().unwrap();
    let receiver = Receiver::new();
    let (address, _task) = receiver.listen("127.0.0.1:0").await;
    let url = format!("http://{address}/hook");
    let node = start(directory.path(), &url, &[]).await;
    let api = Api::of(&node);
    watch(&api).await;
    adjust(&api, "A", 10).await;
    adjust(&api, "A", -6).await;
    let sold = Instant::now();
    let taken = receiver.taken(1).await;
    assert!(sold.elapsed() < Duration::from_secs(1), "{:?}", sold.elapsed());
    let event = api.get("/events?type=ALERT").await.json["items"][0].clone();
    assert_eq!(taken[0].id, event["eventId"]);
    let data = json!({"storeId": "S", "sku": "A", "qty": 4, "threshold": 5, "version": 1,
                      "node": event["node"], "sequence": event["sequence"]});
    assert_eq!(taken[0].json, json!({"type": "stock.low", "timestamp": event["ts"], "data": data}));
    assert!(taken[0].timestamp > 1_700_000_000, "{}", taken[0].timestamp);
    adjust(&api, "A", 2).await;
    assert_eq!(receiver.taken(2).await[1].json["type"], "stock.recovered");
    assert_eq!(api.get("/readyz").await.json["breakers"]["webhook"], "closed");
    until(&api, "onhand_webhook_deliveries_total{outcome=\"delivered\"}", 2).await;
    while metric(&api, "onhand_webhook_pending_alerts").await > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop(node).await;
    let node = start(directory.path(), &url, &[]).await;
    let api = Api::of(&node);
    adjust(&api, "A", -6).await;
    receiver.taken(3).await;
    stop(node).await;
    let node = start(directory.path(), &url, &[]).await;
    assert_eq!(
        ids(&receiver.taken(3).await),
        in_the_log(&Api::of(&node)).await,
        "a stop remembers what was sent"
    );
    stop(node).await;
    verify(directory.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_fails_or_is_away_gets_all_in_order_once_it_is_back() {
    let directory = TempDir::new().unwrap();
    let receiver = Receiver::new();
    let (address, task) = receiver.listen("127.0.0.1:0").await;
    let node = start(directory.path(), &format!("http://{address}/hook"), &[]).await;
    let api = Api::of(&node);
    watch(&api).await;
    for (round, status) in [500, 307, 429].into_iter().enumerate() {
        receiver.answer(status);
        let before = receiver.refused();
        rise_and_fall(&api).await;
        until(&api, "onhand_webhook_pending_alerts", 3).await;
        while receiver.refused() < before + 6 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        receiver.answer(204);
        let taken = receiver.taken(3 + 6 * round).await;
        assert_eq!(ids(&taken), in_the_log(&api).await, "{status}");
    }
    assert_eq!(receiver.redirected(), 0, "redirects are not followed");
    until(&api, "onhand_breaker_opened_total{breaker=\"webhook\"}", 1).await;
    task.abort();
    let _ = task.await;
    let failed = metric(&api, "onhand_webhook_deliveries_total{outcome=\"failed\"}").await;
    rise_and_fall(&api).await;
    until(&api, "onhand_webhook_deliveries_total{outcome=\"failed\"}", failed + 6).await;
    assert_eq!(api.get("/readyz").await.json["ready"], true, "selling goes on");
    let (_, _task) = receiver.listen(&address.to_string()).await;
    assert_eq!(ids(&receiver.taken(21).await), in_the_log(&api).await);
    assert_eq!(metric(&api, "onhand_webhook_deliveries_total{outcome=\"given_up\"}").await, 0);
    stop(node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_loses_no_alert() {
    let directory = TempDir::new().unwrap();
    let receiver = Receiver::new();
    let (address, task) = receiver.listen("127.0.0.1:0").await;
    task.abort();
    let _ = task.await;
    let url = format!("http://{address}/hook");
    let node = start(directory.path(), &url, &[]).await;
    watch(&Api::of(&node)).await;
    rise_and_fall(&Api::of(&node)).await;
    kill(node).await;
    let (_, _task) = receiver.listen(&address.to_string()).await;
    for life in 0..8 {
        let node = start(directory.path(), &url, &[]).await;
        rise_and_fall(&Api::of(&node)).await;
        if life % 2 == 0 {
            tokio::time::sleep(Duration::from_millis(life)).await;
        }
        kill(node).await;
    }
    let node = start(directory.path(), &url, &[]).await;
    let api = Api::of(&node);
    let log = in_the_log(&api).await;
    assert_eq!(log.len(), 3 + 8 * 6);
    let mut at_least = log.len();
    while once(&receiver.taken(at_least).await).len() < log.len() {
        at_least = receiver.taken(at_least).await.len() + 1;
    }
    assert_eq!(once(&receiver.taken(at_least).await), log);
    stop(node).await;
    verify(directory.path());
}

/// A receiver that accepts a request and never answers delays no stop, and gets the alert after the next start.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_receiver_does_not_delay_a_stop() {
    let directory = TempDir::new().unwrap();
    let receiver = Receiver::new();
    receiver.answer(SILENT);
    let (address, _task) = receiver.listen("127.0.0.1:0").await;
    let url = format!("http://{address}/hook");
    let node = start(directory.path(), &url, &["--shutdown-timeout-ms", "5000"]).await;
    let api = Api::of(&node);
    watch(&api).await;
    rise_and_fall(&api).await;
    until(&api, "onhand_webhook_pending_alerts", 3).await;
    let told = Instant::now();
    stop(node).await;
    assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
    receiver.answer(200);
    let node = start(directory.path(), &url, &[]).await;
    assert_eq!(ids(&receiver.taken(3).await), in_the_log(&Api::of(&node)).await);
    stop(node).await;
}

/// Each of several processes sends the alerts of its own log.
#[tokio::test(flavor = "multi_thread")]
async fn several_processes_send_each_alert_once() {
    let directory = TempDir::new().unwrap();
    let receiver = Receiver::new();
    let (address, _task) = receiver.listen("127.0.0.1:0").await;
    let url = format!("http://{address}/hook");
    let first = start(directory.path(), &url, &["--locks-enabled"]).await;
    let second = start(directory.path(), &url, &["--locks-enabled"]).await;
    let apis = [Api::of(&first), Api::of(&second)];
    watch(&apis[0]).await;
    for turn in 0..4 {
        rise_and_fall(&apis[turn % 2]).await;
    }
    let taken = receiver.taken(3 + 3 * 6).await;
    let mut versions: Vec<u64> = Vec::new();
    let mut nodes: Vec<&str> = Vec::new();
    for alert in taken.iter().filter(|taken| taken.json["data"]["sku"] == "A") {
        versions.push(alert.json["data"]["version"].as_u64().unwrap());
        nodes.push(alert.json["data"]["node"].as_str().unwrap());
    }
    versions.sort_unstable();
    nodes.sort_unstable();
    nodes.dedup();
    assert_eq!((versions, nodes.len()), ((1..=7).collect(), 2));
    stop(first).await;
    stop(second).await;
    verify(directory.path());
}
