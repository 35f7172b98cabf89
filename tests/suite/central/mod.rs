//! Central, by real processes: a worker inside a node, a separate worker, nodes over HTTP, kill -9.

mod chain;
mod history;
mod poison;
mod rebuild;
mod split;
mod tail;

use crate::cli::told;
use onhand_cli::ChildServer;
use onhand_remote::client_builder;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Levels by store and SKU: sellable pieces and version.
type Levels = BTreeMap<(String, String), (i64, u64)>;

/// All clients of a story have one address, and killed nodes return at once.
const QUICK: [&str; 10] = [
    "--sync-interval-ms",
    "5",
    "--snapshot-every-n-events",
    "20",
    "--log-level",
    "warn",
    "--rate-limit-rps",
    "0",
    "--breaker-cooldown-ms",
    "20",
];
const PATIENCE: Duration = Duration::from_secs(60);

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_onhand"))
}

/// Starts a node on a free port; `port` is that of a node that was killed before.
fn serve(data_dir: &Path, port: Option<u16>, more: &[&str]) -> ChildServer {
    let arguments: Vec<&str> = QUICK.iter().chain(more).copied().collect();
    ChildServer::start_at(program(), data_dir, port.unwrap_or(0), &arguments).unwrap()
}

fn port(node: &ChildServer) -> u16 {
    node.url().rsplit(':').next().unwrap().parse().unwrap()
}

/// Runs a command to its end: exit code, stdout and stderr in one text.
fn onhand(arguments: &[&str]) -> String {
    told(Path::new(env!("CARGO_MANIFEST_DIR")), arguments)
}

/// Starts a command in the background; dropping the child kills it.
fn spawn(arguments: &[&str]) -> Child {
    let mut command = Command::new(program());
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

async fn get(url: &str) -> Value {
    let answer = client().get(url).send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert!(status.is_success(), "{url}: {status} {text}");
    serde_json::from_str(&text).unwrap()
}

/// Sells and restocks a few levels of a store in one batch, `movements` changes; false when the node did not answer.
async fn trade(url: &str, store: &str, movements: u32, random: &mut fastrand::Rng) -> bool {
    let operations: Vec<Value> = (0..movements)
        .map(|_| {
            let sku = format!("SKU-{}", random.u32(0..7));
            json!({"op": "adjust", "storeId": store, "sku": sku, "delta": random.i64(1..9) - random.i64(0..5)})
        })
        .filter(|operation| operation["delta"] != 0)
        .collect();
    let body = json!({"atomic": false, "operations": operations});
    let answer = client().post(format!("{url}/inventory/batch")).json(&body).send().await;
    answer.is_ok_and(|answer| answer.status().is_success())
}

/// The levels of a data directory's log, by the command that reads it from its beginning.
fn fold(data_dir: &Path) -> Levels {
    let output = data_dir.join("levels.jsonl");
    let said = onhand(&["rebuild", "--data-dir", text(data_dir), "--output", text(&output)]);
    assert!(said.starts_with("exit code 0"), "{said}");
    let lines = std::fs::read_to_string(&output).unwrap();
    let records = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    records.filter_map(|record| record.get("level").map(level)).collect()
}

fn level(record: &Value) -> ((String, String), (i64, u64)) {
    let name = |name: &str| record[name].as_str().unwrap().to_owned();
    let reserved = record["reserved"].as_i64().unwrap_or(0);
    let qty = record["onHand"].as_i64().unwrap() - reserved;
    ((name("storeId"), name("sku")), (qty, record["version"].as_u64().unwrap()))
}

/// The whole model of a node.
async fn central(url: &str) -> Levels {
    let request = client()
        .get(format!("{url}/central/inventory"))
        .header("accept", "application/vnd.onhand.central+json");
    let model: Value = request.send().await.unwrap().json().await.unwrap();
    levels(&model)
}

fn client() -> reqwest::Client {
    client_builder(true).build().unwrap()
}

/// The model in the newest central file of a data directory.
fn central_file(data_dir: &Path) -> Levels {
    let file: Value = serde_json::from_slice(&std::fs::read(newest(data_dir)).unwrap()).unwrap();
    levels(&file["central"]["stores"])
}

fn newest(data_dir: &Path) -> PathBuf {
    let names = std::fs::read_dir(data_dir.join("central")).unwrap().map(|entry| entry.unwrap().path());
    let sequence = |path: &PathBuf| {
        let name = path.file_name()?.to_str()?;
        name.strip_prefix("central-")?.strip_suffix(".json")?.parse::<u64>().ok()
    };
    names.filter(|path| sequence(path).is_some()).max_by_key(sequence).unwrap()
}

fn levels(model: &Value) -> Levels {
    let mut levels = Levels::new();
    for (store, skus) in model.as_object().unwrap() {
        for (sku, level) in skus.as_object().unwrap() {
            let numbers = (level["qty"].as_i64().unwrap(), level["version"].as_u64().unwrap());
            levels.insert((store.clone(), sku.clone()), numbers);
        }
    }
    levels
}

/// Waits until central equals the logs.
async fn until_central_is(url: &str, expected: &Levels) {
    let begun = Instant::now();
    loop {
        let found = central(url).await;
        if found == *expected {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "central is {found:?}\nthe logs say {expected:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
