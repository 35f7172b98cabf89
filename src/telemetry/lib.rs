//! Every metric in one table: its name, its kind, its help text, and the label that separates its series.
//!
//! All counting code takes the name from here, so that every metric has its help text. A metric exists from the
//! start of the process, with 0: a rate over a series that begins with its first failure does not show that
//! failure. [`register`] creates the series of metrics without a label; the modules that know the label values
//! create the others: gates, routes, sources.

/// The kind of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// A counter only grows.
    Counter,
    /// A gauge has the current value.
    Gauge,
    /// A histogram counts values by their size.
    Histogram,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// The name in Prometheus.
    pub name: &'static str,
    /// The kind of metric.
    pub kind: MetricKind,
    /// The help text in Prometheus.
    pub help: &'static str,
    /// The label that separates its series; empty for a single series.
    pub labels: &'static [&'static str],
}

macro_rules! metrics_table {
    ($($kind:ident $constant:ident $name:literal $(by $($label:literal)+)?, $help:literal;)*) => {
        $(#[doc = concat!("`", $name, "`.")] pub const $constant: &str = $name;)*

        /// All metrics of the process.
        pub const ALL: &[Metric] = &[
            $(Metric { name: $name, kind: MetricKind::$kind, help: $help, labels: &[$($($label),+)?] },)*
        ];
    };
}

metrics_table! {
    Counter HTTP_REQUESTS "onhand_http_requests_total" by "method" "route" "status",
        "Requests answered.";
    Histogram HTTP_REQUEST_SECONDS "onhand_http_request_duration_seconds" by "method" "route",
        "From the head of a request to the head of its answer, in seconds.";
    Gauge HTTP_CONNECTIONS "onhand_http_connections",
        "Connections open now.";
    Counter HTTP_CONNECTIONS_REFUSED "onhand_http_connections_refused_total",
        "Connections refused because too many were open.";
    Counter TLS_HANDSHAKES_FAILED "onhand_tls_handshakes_failed_total",
        "Connections closed because their TLS handshake failed, or took too long.";
    Gauge HTTP_GATE_INSIDE "onhand_http_gate_inside" by "gate",
        "Requests under way.";
    Counter HTTP_SHED "onhand_http_shed_total" by "gate",
        "Requests turned away because too many of their kind were under way.";
    Counter PASSWORDS_COMPARED "onhand_passwords_compared_total",
        "Passwords compared; a login that nobody has costs the same comparison.";
    Counter HTTP_RATE_LIMITED "onhand_http_rate_limited_total",
        "Requests turned away because their client had sent too many.";
    Counter HTTP_PANICS "onhand_http_panics_total",
        "Handlers that panicked.";
    Counter IDEMPOTENT_REPLAYS "onhand_idempotent_replays_total",
        "Answers that came from the record of an earlier request.";
    Gauge FEED_FOLLOWERS "onhand_feed_followers",
        "Those who follow the feed now.";
    Gauge ALERTS_RAISED "onhand_alerts_raised",
        "Levels that are low: alerts that are raised.";
    Counter WEBHOOK_DELIVERIES "onhand_webhook_deliveries_total" by "outcome",
        "Alerts that the receiver has (delivered), attempts that it did not take (failed), alerts given up (given_up).";
    Gauge WEBHOOK_PENDING "onhand_webhook_pending_alerts",
        "Alerts that are known to wait for the webhook.";
    Histogram LOG_SYNC_SECONDS "onhand_log_sync_duration_seconds",
        "How long the disk took to sync a group of changes, in seconds.";
    Histogram LOG_GROUP_ENTRIES "onhand_log_group_entries",
        "Changes that one sync made durable.";
    Counter LOG_WRITTEN_BYTES "onhand_log_written_bytes_total",
        "Bytes written to the log.";
    Gauge LOG_DURABLE_SEQUENCE "onhand_log_durable_sequence",
        "The last sequence that is durable.";
    Gauge LOG_QUEUE "onhand_log_queue_entries",
        "Changes that wait for the disk.";
    Counter LOG_PROBES "onhand_log_probes_total",
        "Tries whether a disk that had refused is well again.";
    Counter LOG_TORN_TAIL_BYTES "onhand_log_torn_tail_bytes_total",
        "Bytes behind the last whole change of a crash, cut off by the start.";
    Counter SNAPSHOTS "onhand_snapshots_total",
        "Node snapshots written.";
    Gauge CLOCK_AHEAD_SECONDS "onhand_clock_ahead_seconds",
        "How far the wall clock is ahead of the time of the log, in seconds; behind it, when negative.";
    Counter CLOCK_JUMPS "onhand_clock_jumps_total",
        "How often the wall clock was found to have jumped.";
    Counter CLOCK_LEAPS "onhand_clock_leaps_total",
        "How often the time of the log has followed the wall clock; each is a CLOCK event.";
    Counter LOCKS_ACQUIRED "onhand_locks_acquired_total",
        "Leases that this process has come to hold.";
    Counter LOCKS_CONTENDED "onhand_locks_contended_total",
        "Leases that had to be asked of another process.";
    Counter LOCKS_STOLEN "onhand_locks_stolen_total",
        "Processes that this one has taken over from.";
    Gauge BREAKER_STATE "onhand_breaker_state" by "breaker",
        "0: closed, 1: half-open, 2: open.";
    Counter BREAKER_OPENED "onhand_breaker_opened_total" by "breaker",
        "How often a breaker has opened.";
    Counter AUDIT_WRITTEN "onhand_audit_lines_written_total",
        "Lines written to the audit trail.";
    Counter AUDIT_FOLDED "onhand_audit_entries_folded_total",
        "Entries of the audit trail that were counted into one with equal ones.";
    Counter AUDIT_LOST "onhand_audit_entries_lost_total",
        "Entries of the audit trail that were lost: its queue was full, or its disk refused for too long.";
    Counter AUDIT_DISK_ERRORS "onhand_audit_disk_errors_total",
        "Writes and syncs of the audit trail that the disk refused.";
    Gauge CENTRAL_KEYS_FETCHED "onhand_central_keys_fetched_timestamp_seconds",
        "When the keys of central were last fetched, for its logins; 0 where they never were.";
    Gauge CENTRAL_LEVELS "onhand_central_levels",
        "Levels in the central model.";
    Gauge DEAD_LETTERS_OPEN "onhand_dead_letters_open",
        "Dead letters that wait for somebody.";
    Counter DEAD_LETTERS "onhand_dead_letters_total",
        "Events that could not be applied to the central model.";
    Gauge SYNC_LAG "onhand_sync_lag_events",
        "Durable events that are not in the central model.";
    Gauge SYNC_PARKED "onhand_sync_parked_events",
        "Events that wait behind a dead letter of their level.";
    Gauge SYNC_SOURCE_LAG "onhand_sync_source_lag_events" by "source",
        "Durable events of a source that are not in the central model.";
    Gauge SYNC_SOURCE_WELL "onhand_sync_source_well" by "source",
        "1 when the last answer of a source was good, else 0.";
    Counter SYNC_DUPLICATES "onhand_sync_duplicates_total" by "source",
        "Events met a second time.";
    Counter SYNC_TAKEN "onhand_sync_taken_total" by "source",
        "Levels a log took over from another log of its ledger.";
    Counter SYNC_SUPERSEDED "onhand_sync_superseded_total" by "source",
        "Events of which another log of the ledger had told more already.";
}

/// Describes every metric, and creates the series of those without a label. To be called once, when a recorder is
/// installed and before anything is counted.
pub fn register() {
    for Metric { name, kind, help, labels } in ALL.iter().copied() {
        let alone = labels.is_empty();
        match kind {
            MetricKind::Counter => {
                metrics::describe_counter!(name, help);
                if alone {
                    metrics::counter!(name).increment(0);
                }
            }
            MetricKind::Gauge => {
                metrics::describe_gauge!(name, help);
                if alone {
                    metrics::gauge!(name).set(0.0);
                }
            }
            MetricKind::Histogram => {
                metrics::describe_histogram!(name, help);
                if alone {
                    drop(metrics::histogram!(name));
                }
            }
        }
    }
}
