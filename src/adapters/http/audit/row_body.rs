//! A row of the audit table as JSON, and as a row of CSV.

use onhand_app::audit::AuditRow;
use onhand_domain::{Sequence, Timestamp};
use serde::Serialize;
use std::net::IpAddr;

/// The columns of CSV.
pub(crate) const COLUMNS: &[&str] = &[
    "time",
    "kind",
    "actor",
    "what",
    "where",
    "outcome",
    "requestId",
    "count",
    "firstTime",
    "address",
    "credential",
    "status",
    "sequence",
    "detail",
    "id",
];

/// One row. What is not known of it has no member, but those that every row has.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RowBody<'a> {
    id: String,
    time: Timestamp,
    kind: &'static str,
    actor: Option<&'a str>,
    what: &'static str,
    #[serde(rename = "where")]
    place: Option<&'a str>,
    outcome: &'a str,
    request_id: Option<&'a str>,
    count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<Sequence>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

impl<'a> RowBody<'a> {
    pub(crate) fn of(row: &'a AuditRow) -> Self {
        Self {
            id: row.place.to_string(),
            time: row.time,
            kind: row.category.as_str(),
            actor: row.actor.as_deref(),
            what: row.what,
            place: row.place_of.as_deref(),
            outcome: &row.outcome,
            request_id: row.request_id.as_deref(),
            count: row.count,
            first_time: row.first_time,
            address: row.address,
            credential: row.credential.as_deref(),
            status: row.status,
            sequence: row.sequence,
            detail: row.detail.as_deref(),
        }
    }
}

/// The cells of a row, in the order of [`COLUMNS`].
pub(crate) fn cells(row: &AuditRow) -> [String; COLUMNS.len()] {
    fn shown(value: Option<impl ToString>) -> String {
        value.map(|value| value.to_string()).unwrap_or_default()
    }
    [
        row.time.to_string(),
        row.category.as_str().to_owned(),
        shown(row.actor.as_ref()),
        row.what.to_owned(),
        shown(row.place_of.as_ref()),
        row.outcome.to_string(),
        shown(row.request_id.as_ref()),
        row.count.to_string(),
        shown(row.first_time),
        shown(row.address),
        shown(row.credential.as_ref()),
        shown(row.status),
        shown(row.sequence),
        shown(row.detail.as_ref()),
        row.place.to_string(),
    ]
}
