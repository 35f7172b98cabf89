//! The figures: a table for people, JSON for scripts, and a verdict.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use super::options::{BenchArgs, KeyChoice, Workload};
use super::tally::LoadTally;

/// The result of a bench.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    version: &'static str,
    server: String,
    workload: Workload,
    keys: KeyChoice,
    skus: u32,
    connections: u16,
    threads: u16,
    operations_per_request: u32,
    if_match: bool,
    idempotency_key: bool,
    /// Requests due each second; none in the closed loop.
    rate: Option<f64>,
    seconds: f64,
    requests: u64,
    requests_per_second: f64,
    operations_per_second: f64,
    latency_ms: Latency,
    /// Latency of answers that rejected a request because of overload, with `--overload`.
    #[serde(skip_serializing_if = "Option::is_none")]
    turned_away_ms: Option<Latency>,
    /// Time from the acknowledgement of a write until it is visible in central.
    #[serde(skip_serializing_if = "Option::is_none")]
    central_ms: Option<Latency>,
    statuses: BTreeMap<u16, u64>,
    errors: u64,
    first_error: Option<String>,
    /// Reasons why the run did not pass; empty when it did.
    failures: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Latency {
    min: f64,
    mean: f64,
    p50: f64,
    p90: f64,
    p99: f64,
    p999: f64,
    max: f64,
}

impl Latency {
    fn of(tally: &LoadTally) -> Self {
        Self {
            min: tally.min_ms(),
            mean: tally.mean_ms(),
            p50: tally.percentile_ms(50.0),
            p90: tally.percentile_ms(90.0),
            p99: tally.percentile_ms(99.0),
            p999: tally.percentile_ms(99.9),
            max: tally.max_ms(),
        }
    }

    fn figures(&self) -> [f64; 7] {
        [self.min, self.mean, self.p50, self.p90, self.p99, self.p999, self.max]
    }
}

impl Report {
    pub(super) fn new(args: &BenchArgs, server: &str, tally: &LoadTally, probes: Option<&LoadTally>) -> Self {
        let requests_per_second = number(tally.requests) / args.duration;
        let operations = tally.done() * u64::from(args.operations_per_request());
        let mut report = Self {
            version: env!("CARGO_PKG_VERSION"),
            server: server.to_owned(),
            workload: args.workload,
            keys: args.keys,
            skus: args.skus,
            connections: args.connections,
            threads: args.threads,
            operations_per_request: args.operations_per_request(),
            if_match: args.if_match,
            idempotency_key: !args.no_idempotency_key,
            rate: args.rate,
            seconds: args.duration,
            requests: tally.requests,
            requests_per_second,
            operations_per_second: number(operations) / args.duration,
            latency_ms: Latency::of(tally),
            turned_away_ms: tally.away.as_deref().map(Latency::of),
            central_ms: probes.map(Latency::of),
            statuses: tally.statuses.clone(),
            errors: tally.errors(),
            first_error: tally.first_fault.clone(),
            failures: Vec::new(),
        };
        report.failures = report.judge(args);
        report
    }

    /// True when every threshold was met and no request failed.
    pub(super) fn passed(&self) -> bool {
        self.failures.is_empty()
    }

    fn judge(&self, args: &BenchArgs) -> Vec<String> {
        let mut failures = Vec::new();
        if self.requests == 0 {
            failures.push("nothing was answered".to_owned());
        }
        if self.errors > 0 {
            let first = self.first_error.as_deref().unwrap_or_default();
            failures.push(format!("{} errors, the first: {first}", self.errors));
        }
        if let Some(least) = args.fail_below.filter(|least| self.operations_per_second < *least) {
            failures.push(format!("{:.0} operations/s are below {least}", self.operations_per_second));
        }
        if let Some(most) = args.fail_above_p99.filter(|most| self.latency_ms.p99 > *most) {
            failures.push(format!("p99 of {:.3} ms is above {most} ms", self.latency_ms.p99));
        }
        failures
    }

    /// The figures as text for people.
    pub(super) fn text(&self) -> String {
        let pace = match self.rate {
            Some(rate) => format!("open loop, {rate} requests/s"),
            None => "closed loop".to_owned(),
        };
        let workload = serde_json::to_value(self.workload).unwrap_or_default();
        let keys = serde_json::to_value(self.keys).unwrap_or_default();
        let mut text = format!(
            "{} on {} keys of {} levels, {} connections, {pace}, {} s\n",
            workload.as_str().unwrap_or_default(),
            keys.as_str().unwrap_or_default(),
            self.skus,
            self.connections,
            self.seconds
        );
        let statuses: Vec<String> =
            self.statuses.iter().map(|(status, count)| format!("{status}: {count}")).collect();
        let _ = writeln!(
            text,
            "  {:.0} operations/s, {:.0} requests/s",
            self.operations_per_second, self.requests_per_second
        );
        let _ = writeln!(text, "  answers  {}   errors {}", statuses.join("  "), self.errors);
        let _ = writeln!(text, "{}", self.latency_table());
        if self.passed() {
            text.push_str("PASS\n");
        }
        for failure in &self.failures {
            let _ = writeln!(text, "FAIL: {failure}");
        }
        text
    }

    fn latency_table(&self) -> Table {
        let mut table = Table::new();
        table.load_preset(presets::UTF8_FULL_CONDENSED);
        table.set_header(["latency ms", "min", "mean", "p50", "p90", "p99", "p99.9", "max"]);
        let label = if self.rate.is_some() { "since due" } else { "since sent" };
        let rows = [
            (label, Some(&self.latency_ms)),
            ("turned away", self.turned_away_ms.as_ref()),
            ("until in central", self.central_ms.as_ref()),
        ];
        for (label, latency) in rows {
            let Some(latency) = latency else { continue };
            let figures = latency.figures().map(|figure| format!("{figure:.3}"));
            table.add_row(std::iter::once(label.to_owned()).chain(figures));
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }
}

fn number(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
