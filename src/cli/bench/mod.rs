//! `onhand bench`: load over real HTTP, with latencies that do not flatter.

mod central;
mod client_loop;
mod keys;
mod load;
mod options;
mod report;
mod request;
mod tally;
mod target;
mod wire;

use std::fs;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::json;
use tempfile::TempDir;

use crate::terminal::child::ChildServer;
use crate::terminal::client::NodeClient;
use crate::terminal::token::authorization;
use crate::terminal::{print, run_client};
use onhand_runtime::exit::{Exit, Failure, OrExit};
use report::Report;
use tally::LoadTally;
use target::Target;

pub use options::BenchArgs;

/// Pieces brought to each level before the load.
const STOCK: i64 = 1_000_000_000;
/// Levels brought up by one request.
const STOCK_OPERATIONS: usize = 5_000;
/// Connections that the bench's own node accepts besides those of the load: one that brings the stock, and a reserve.
const PLACES_BESIDE: u16 = 64;
const PLACES_DEFAULT: u16 = 1024;
const STOP_MAX: Duration = Duration::from_secs(30);

/// Runs the bench against a node.
///
/// # Errors
/// [`Exit::Unavailable`] when there is no node to measure, [`Exit::CannotCreate`] when the JSON cannot be written.
/// A missed threshold is no error but [`Exit::Failed`].
pub fn run(args: &BenchArgs) -> Result<Exit, Failure> {
    let report = run_client::run(async {
        let Some(server) = &args.server else {
            let scratch = TempDir::new().or_exit(Exit::CannotCreate, || "cannot make a scratch directory")?;
            let places = (args.connections + PLACES_BESIDE).max(PLACES_DEFAULT).to_string();
            // Behaviour above the connection limit is measured with --server.
            let gates = ["--rate-limit-rps", "0", "--load-shed-queue-max", &places];
            let settings =
                [&["--log-level", "warn", "--connections-max", &places], gates.as_slice()].concat();
            let data_dir = scratch.path().join("data");
            let child = ChildServer::start(&ChildServer::this_program()?, &data_dir, &settings)?;
            let report = measure(args, child.url()).await?;
            child.stop(STOP_MAX)?;
            return Ok(report);
        };
        measure(args, server).await
    })?;
    if let Some(path) = &args.json {
        let json =
            serde_json::to_string_pretty(&report).or_exit(Exit::Internal, || "cannot write the figures")?;
        fs::write(path, json + "\n")
            .or_exit(Exit::CannotCreate, || format!("cannot write {}", path.display()))?;
    }
    print::print(report.text())?;
    Ok(if report.passed() { Exit::Ok } else { Exit::Failed })
}

async fn measure(args: &BenchArgs, server: &str) -> Result<Report, Failure> {
    let run = format!("{:016x}", fastrand::u64(..));
    let target = Target { address: address(server)?, run, authorization: authorization()? };
    bring_stock(&NodeClient::new(server)?, args.skus, &target.run).await?;
    let (load_args, load_target) = (args.clone(), target.clone());
    let load = tokio::task::spawn_blocking(move || load::run(&load_args, &load_target));
    let probes = match &args.central {
        Some(url) => Some(probe(args, server, url, &target.run).await?),
        None => None,
    };
    let tally = load.await.or_exit(Exit::Internal, || "the load ended by itself")?;
    Ok(Report::new(args, server, &tally, probes.as_ref()))
}

/// Probes central while the load runs.
async fn probe(args: &BenchArgs, server: &str, central: &str, run: &str) -> Result<LoadTally, Failure> {
    let from = Instant::now() + args.warm_up();
    let central = if central.is_empty() { server } else { central };
    central::probe(&NodeClient::new(server)?, &NodeClient::new(central)?, run, from, from + args.duration())
        .await
}

/// `host:port` of a base URL.
fn address(server: &str) -> Result<String, Failure> {
    let url = reqwest::Url::parse(server).or_exit(Exit::Usage, || format!("{server} is no URL"))?;
    match (url.scheme(), url.host_str(), url.port_or_known_default(), url.path()) {
        ("http", Some(host), Some(port), "/") => Ok(format!("{host}:{port}")),
        _ => Err(Failure::new(Exit::Usage, format!("bench takes http://HOST:PORT, not {server}"))),
    }
}

#[derive(Deserialize)]
struct BatchAnswer {
    refused: u64,
}

/// Gives every level more stock than the load can use up.
async fn bring_stock(client: &NodeClient, skus: u32, run: &str) -> Result<(), Failure> {
    let numbers: Vec<u32> = (0..skus).collect();
    for (part, numbers) in numbers.chunks(STOCK_OPERATIONS).enumerate() {
        let operations: Vec<_> = numbers
            .iter()
            .map(|number| {
                let sku = request::sku(*number);
                json!({"op": "adjust", "storeId": request::STORE, "sku": sku, "delta": STOCK, "reason": "bench"})
            })
            .collect();
        let key =
            HeaderValue::from_str(&format!("{run}-stock-{part}")).expect("hex digits and dashes are visible");
        let headers = HeaderMap::from_iter([(http::HeaderName::from_static("idempotency-key"), key)]);
        let body = json!({"atomic": false, "operations": operations});
        let answer: BatchAnswer = client.post("/inventory/batch", headers, &body).await?;
        if answer.refused > 0 {
            let message = format!("the server refused {} of the levels that the load needs", answer.refused);
            return Err(Failure::new(Exit::Unavailable, message));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn the_address_of_a_server_is_host_and_port() {
        let table = [
            ("http://127.0.0.1:3000", Some("127.0.0.1:3000")),
            ("http://[::1]:3000", Some("[::1]:3000")),
            ("http://stock.example", Some("stock.example:80")),
            ("https://stock.example", None),
            ("http://stock.example/api", None),
        ];
        for (server, expected) in table {
            assert_eq!(address(server).ok().as_deref(), expected, "{server}");
        }
    }
}
