//! Metrics in the exposition format: each is present from the first scrape, with its help text.

use super::api::Api;
use super::process::Node;
use onhand_telemetry::{ALL, Metric, MetricKind};
use std::collections::{BTreeMap, BTreeSet};
use tempfile::TempDir;

/// Metrics that are not 0 on an idle node.
const NOT_ZERO: [&str; 3] =
    ["onhand_http_connections", "onhand_clock_ahead_seconds", "onhand_sync_source_well"];

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_is_exported_from_the_start_with_help_and_type() {
    for options in [&[][..], &["--sync", "off"], &["--locks-enabled"]] {
        let directory = TempDir::new().unwrap();
        let node = Node::start(directory.path(), options);
        let text = Api::of(&node).get("/metrics").await.text;
        check(&text, !options.contains(&"--sync"));
        node.stop();
    }
}

fn check(text: &str, followed: bool) {
    let lines = |start: &str| -> BTreeMap<&str, &str> {
        text.lines().filter_map(|line| line.strip_prefix(start)?.split_once(' ')).collect()
    };
    let (helps, kinds) = (lines("# HELP "), lines("# TYPE "));
    for Metric { name, kind, help, labels } in ALL {
        if *labels == ["source"] && !followed {
            // Without a followed log there is no source.
            continue;
        }
        assert_eq!(helps.get(name), Some(help), "{name}: {text}");
        let word = match kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram => "histogram",
        };
        assert_eq!(kinds.get(name), Some(&word), "{name}");
        let series: Vec<(&str, f64)> = text.lines().filter_map(|line| series(line, name, *kind)).collect();
        assert!(!series.is_empty(), "{name}: {text}");
        for (line, value) in series {
            assert!(labels.iter().all(|label| line.contains(&format!("{label}=\""))), "{line}");
            assert!(value.abs() < f64::EPSILON || NOT_ZERO.contains(name), "{line}");
        }
    }
    let known: BTreeSet<&str> = ALL.iter().map(|metric| metric.name).collect();
    let unknown: Vec<&&str> = kinds.keys().filter(|name| !known.contains(**name)).collect();
    assert!(unknown.is_empty(), "not in the table: {unknown:?}");
}

/// A line that is a series of this metric, and its value; of a histogram, how many values it has.
fn series<'a>(line: &'a str, name: &str, kind: MetricKind) -> Option<(&'a str, f64)> {
    let rest = line.strip_prefix(name)?;
    let rest = if kind == MetricKind::Histogram { rest.strip_prefix("_count")? } else { rest };
    let (labels, value) = rest.rsplit_once(' ')?;
    (labels.is_empty() || labels.starts_with('{')).then(|| (line, value.parse().unwrap()))
}
