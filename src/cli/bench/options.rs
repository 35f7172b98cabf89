//! The options of `onhand bench`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum, value_parser};
use serde::Serialize;

use crate::terminal::client::server_url;
use onhand_domain::limits::BATCH_OPERATIONS_MAX;

/// Measure a node under load, over real HTTP
///
/// Without --server it starts a node of its own in a scratch directory and stops it afterwards. It brings the
/// stock it needs, warms up, measures, and prints rates and a latency histogram.
///
/// Closed loop (the default): each connection sends its next request when the last one was answered; this finds
/// the highest rate. Open loop (--rate): requests are due on a fixed schedule, and latency counts from the
/// moment a request was due, so a stall is charged for everything that had to wait behind it (no coordinated
/// omission).
#[derive(Args, Clone, Debug)]
#[command(after_long_help = AFTER_HELP)]
pub struct BenchArgs {
    /// Node to measure, http only; without it, one of its own
    #[arg(long, value_name = "URL", env = "ONHAND_SERVER", value_parser = server_url)]
    pub(crate) server: Option<String>,

    /// What each request does
    #[arg(long, value_enum, default_value = "reserve")]
    pub(crate) workload: Workload,

    /// Which SKU a request meets
    #[arg(long, value_enum, default_value = "hot")]
    pub(crate) keys: KeyChoice,

    /// Levels that are there
    #[arg(long, value_name = "LEVELS", default_value_t = 10_000, value_parser = value_parser!(u32).range(1..=9_999_999))]
    pub(crate) skus: u32,

    /// Connections, each with one request at a time
    #[arg(long, value_name = "CONNECTIONS", default_value_t = 64, value_parser = value_parser!(u16).range(1..=10_000))]
    pub(crate) connections: u16,

    /// Threads that send; one is enough to fill a small server, and leaves it the rest of the machine
    #[arg(long, value_name = "THREADS", default_value_t = 1, value_parser = value_parser!(u16).range(1..=64))]
    pub(crate) threads: u16,

    /// Open loop: requests that are due each second, whatever the server does
    #[arg(long, value_name = "REQUESTS/S", value_parser = positive)]
    pub(crate) rate: Option<f64>,

    /// Time to measure, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = positive)]
    pub(crate) duration: f64,

    /// Time to run before measuring, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = not_negative)]
    pub(crate) warm_up: f64,

    /// Operations of a request of --workload batch
    #[arg(long, value_name = "OPERATIONS", default_value_t = 1000)]
    #[arg(value_parser = value_parser!(u32).range(1..=BATCH_OPERATIONS_MAX as i64))]
    pub(crate) batch_size: u32,

    /// Send If-Match with the last version seen; a conflict is then no error
    #[arg(long)]
    pub(crate) if_match: bool,

    /// Send no Idempotency-Key
    #[arg(long)]
    pub(crate) no_idempotency_key: bool,

    /// Measure more than the node takes: 429 and 503 are no errors then but figures of their own, and the connection
    /// waits as long as it was asked to, or asks again at once
    #[arg(long, value_enum, value_name = "wait|insist")]
    pub(crate) overload: Option<Overload>,

    /// Also measure how long an acknowledged write takes to be visible in central: that of the node, or of the node
    /// at this URL, which follows it
    #[arg(long, value_name = "URL", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    #[arg(value_parser = central_url)]
    pub(crate) central: Option<String>,

    /// File that gets the figures as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Fail below this many operations a second
    #[arg(long, value_name = "OPERATIONS/S", value_parser = positive)]
    pub(crate) fail_below: Option<f64>,

    /// Fail above this 99th percentile, in milliseconds
    #[arg(long, value_name = "MILLISECONDS", value_parser = positive)]
    pub(crate) fail_above_p99: Option<f64>,
}

const AFTER_HELP: &str = "\
Examples:
  onhand bench                                     one hot SKU, 64 connections, at full speed
  onhand bench --keys zipf --skus 100000 --duration 30
  onhand bench --rate 1000 --fail-above-p99 5      latency at a fixed rate
  onhand bench --rate 2000 --central               and how soon each write is in central
  onhand bench --workload batch --batch-size 8000 --connections 4
  onhand bench --server http://127.0.0.1:3000 --connections 640 --overload wait
  onhand bench --server http://127.0.0.1:3000 --workload get --json get.json

The stock that it brings to --server (store BENCH) stays there, and that node must run with
--rate-limit-rps 0, or most of the load is answered 429. The scratch directory of its own
node lies under TMPDIR: point that at the disk to be measured.

Exit codes:
   0  PASS
   1  FAIL: a threshold was missed, or there were answers that should not be
  69  the server cannot be reached, or refused the stock";

/// What each request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Workload {
    /// Reserve one piece
    Reserve,
    /// Take one piece out
    Adjust,
    /// Read a level
    Get,
    /// Reserve one piece --batch-size times, not atomic
    Batch,
}

/// The reaction of a connection to a request that was rejected because of overload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Overload {
    /// Comes back after Retry-After, up to twice as late, so that not all come at once
    Wait,
    /// Comes back at once
    Insist,
}

/// Which SKU a request meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KeyChoice {
    /// Always the same one
    Hot,
    /// Any, equally often
    Uniform,
    /// Any, few of them very often (exponent 0.99)
    Zipf,
}

impl BenchArgs {
    /// Operations in one request.
    pub(super) fn operations_per_request(&self) -> u32 {
        if self.workload == Workload::Batch { self.batch_size } else { 1 }
    }

    pub(super) fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.duration)
    }

    pub(super) fn warm_up(&self) -> Duration {
        Duration::from_secs_f64(self.warm_up)
    }
}

/// A URL, or nothing for the node that is measured.
fn central_url(text: &str) -> Result<String, String> {
    if text.is_empty() { Ok(String::new()) } else { server_url(text) }
}

/// More than this is a mistake: it is over a week, and more requests a second than any network carries.
const NUMBER_MAX: f64 = 1e7;

fn positive(text: &str) -> Result<f64, String> {
    not_negative(text)
        .and_then(|number| if number > 0.0 { Ok(number) } else { Err("must be above 0".to_owned()) })
}

fn not_negative(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if (0.0..=NUMBER_MAX).contains(&number) => Ok(number),
        _ => Err(format!("a number, 0 to {NUMBER_MAX}")),
    }
}
