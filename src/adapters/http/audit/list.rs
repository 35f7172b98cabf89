//! `GET /audit`: the audit table as pages of JSON, all of it as CSV, or as a stream.

use crate::audit::row_body::{COLUMNS, RowBody, cells};
use crate::edge::gates::Gate;
use crate::feed::follow;
use crate::feed::follow::{Followed, Form, Frames};
use crate::limits::FOLLOW_EVENTS_MAX;
use crate::node::Node;
use crate::request::accept;
use crate::request::caller::Caller;
use crate::request::query::Query;
use crate::resource::list::{AFTER, CURSOR, LIMIT, ListPage, refuse_page};
use crate::response::problem::Problem;
use crate::response::vary::by_accept;
use crate::stock::csv_table::{self, CSV, CsvTable, ROWS, row};
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderName, Uri};
use onhand_app::audit::{AuditCategory, AuditFilter, AuditPlace, AuditReader};
use onhand_app::stock::ReadError;
use onhand_domain::Timestamp;
use serde::Serialize;
use std::sync::Arc;

/// The parameters of the audit table.
pub(crate) const PARAMETERS: &[&str] = &[AFTER, LIMIT, CURSOR, "kind", "actor", "since", "until"];

/// The header of a browser's `EventSource` that reconnects.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const JSON: &str = "application/json";
/// What is wrong with a place that cannot be read.
const NO_PLACE: &str = "must be the id of a row of this table, or its end, in `through`";

/// The members of a page beside its items.
#[derive(Debug, Serialize)]
struct PagePosition {
    /// Where a reader goes on that has read the page.
    through: String,
}

/// Handler of `GET /audit`.
pub(crate) async fn audit(
    State(node): State<Arc<Node>>,
    caller: Caller,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let query = Query::of(uri.query());
    let response = match accept::first_of(&headers, &[JSON, CSV, Form::SSE_TYPE, Form::NDJSON_TYPE]) {
        Some(CSV) => {
            csv_table::check(&query)?;
            let reader = reader(&node, filter(&query)?, after(&query)?.unwrap_or_default());
            csv_table::response(node, caller, "audit", AuditTable(reader)).await?
        }
        Some(Form::SSE_TYPE) => stream(node, &caller, &query, &headers, Form::Sse)?,
        Some(Form::NDJSON_TYPE) => stream(node, &caller, &query, &headers, Form::Ndjson)?,
        _ => page(&node, &query, &uri).await?,
    };
    Ok(by_accept(response))
}

async fn page(node: &Node, query: &Query<'_>, uri: &Uri) -> Result<Response, Problem> {
    let page = ListPage::of("audit", query, uri)?;
    let mark = page.after(AuditPlace::parse)?;
    let after = after(query)?;
    if mark.is_some() && after.is_some() {
        return Err(Problem::parameter(AFTER, "says the same as cursor; send one of the two"));
    }
    let mut reader = reader(node, filter(query)?, mark.or(after).unwrap_or_default());
    let _turn = node.gates.work(Gate::Reads).await?;
    let piece = reader.next(page.limit, true).await?;
    let items: Vec<RowBody> = piece.rows.iter().map(RowBody::of).collect();
    let about = PagePosition { through: piece.place.to_string() };
    Ok(page.answer_with(&items, piece.more.then_some(&piece.place), &about))
}

fn stream(
    node: Arc<Node>,
    caller: &Caller,
    query: &Query<'_>,
    headers: &HeaderMap,
    form: Form,
) -> Result<Response, Problem> {
    refuse_page(query, "belongs to a page; a stream goes on for ever")?;
    let resumed = headers.get(LAST_EVENT_ID).map(|value| {
        let place = value.to_str().ok().and_then(AuditPlace::parse);
        place.ok_or_else(|| Problem::parameter("Last-Event-ID", NO_PLACE))
    });
    let from = resumed.transpose()?.or(after(query)?).unwrap_or_default();
    let followed = FollowedTable { reader: reader(&node, filter(query)?, from), begun: false };
    follow::response(node, caller.clone(), followed, form)
}

fn reader(node: &Node, filter: AuditFilter, after: AuditPlace) -> AuditReader {
    AuditReader::new(Arc::clone(&node.ledger), node.trail.clone(), filter, after)
}

fn after(query: &Query<'_>) -> Result<Option<AuditPlace>, Problem> {
    query.read(AFTER, |text| AuditPlace::parse(text).ok_or(NO_PLACE))
}

fn filter(query: &Query<'_>) -> Result<AuditFilter, Problem> {
    let filter = AuditFilter {
        category: query.read("kind", category)?,
        actor: query.get("actor").map(str::to_owned),
        since: query.read("since", Timestamp::parse)?,
        until: query.read("until", Timestamp::parse)?,
    };
    if filter.since.zip(filter.until).is_some_and(|(since, until)| since > until) {
        return Err(Problem::parameter("until", "must not be before since"));
    }
    Ok(filter)
}

fn category(text: &str) -> Result<AuditCategory, String> {
    let known = || AuditCategory::ALL.map(AuditCategory::as_str).join(", ");
    AuditCategory::parse(text).ok_or_else(|| format!("must be one of {}", known()))
}

/// The table on its way into CSV.
struct AuditTable(AuditReader);

impl CsvTable for AuditTable {
    const COLUMNS: &'static [&'static str] = COLUMNS;

    async fn write(&mut self, _node: &Node, out: &mut csv::Writer<Vec<u8>>) -> Result<bool, Problem> {
        let piece = self.0.next(ROWS, true).await?;
        for audit_row in &piece.rows {
            row(out, cells(audit_row));
        }
        Ok(piece.more)
    }
}

/// The table while it is followed.
struct FollowedTable {
    reader: AuditReader,
    begun: bool,
}

impl Followed for FollowedTable {
    async fn next(&mut self, out: &mut Frames) -> Result<bool, ReadError> {
        // Once: to write out what is still being counted at every look would make a line of each of them.
        let fresh = !std::mem::replace(&mut self.begun, true);
        let piece = self.reader.next(FOLLOW_EVENTS_MAX, fresh).await?;
        for row in &piece.rows {
            out.event(&row.place, &RowBody::of(row));
        }
        Ok(!piece.more)
    }

    async fn more(&mut self) {
        self.reader.more().await;
    }
}
