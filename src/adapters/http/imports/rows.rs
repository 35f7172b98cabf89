//! Bulk imports: the next rows, the progress, the refused rows.

use crate::edge::body::UnreadBody;
use crate::edge::gates::Gate;
use crate::node::Node;
use crate::request::body;
use crate::request::body::{push_token, validated};
use crate::request::caller::Caller;
use crate::request::context::RequestContext;
use crate::request::field_rules::{at_least_one, not_negative, text};
use crate::request::json_object::Object;
use crate::request::optional::present;
use crate::request::path::ImportAt;
use crate::request::query::Query;
use crate::resource::change::{ChangeRequest, answer, by_bytes};
use crate::resource::list::ListPage;
use crate::response::code::Code;
use crate::response::problem::Problem;
use crate::response::refusal;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use onhand_app::Outcome;
use onhand_app::imports::RefusedPlace;
use onhand_domain::identity::Permission;
use onhand_domain::imports::{ImportFact, ImportRow, ImportRows, RefusedRow};
use onhand_domain::limits::{IMPORT_ROWS_MAX, INTEGER_MAX};
use onhand_domain::stock::AdjustKind;
use onhand_domain::{After, Command, Event, Fact, ImportId, Quantity, Sku, StoreId, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};
use std::sync::Arc;
use validator::Validate;

/// Request body: `{afterRow, throughRow, last, rows}`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ImportRowsBody {
    after_row: u64,
    through_row: u64,
    #[serde(default)]
    last: bool,
    rows: Vec<Object<ImportRowBody>>,
}

/// One row of a request: `{row, storeId, sku, kind, quantity, reference?, occurredAt?, openingStock?}`.
#[derive(Debug, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ImportRowBody {
    row: u64,
    store_id: StoreId,
    sku: Sku,
    kind: AdjustKind,
    #[validate(custom(function = "at_least_one"))]
    quantity: Quantity,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "text"))]
    reference: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    occurred_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "not_negative"))]
    opening_stock: Option<Quantity>,
}

/// Handler of `POST /imports/{importId}/rows`.
pub(crate) async fn rows(
    State(node): State<Arc<Node>>,
    ImportAt(import_id): ImportAt,
    context: RequestContext,
    mut body: UnreadBody,
) -> Result<Response, Problem> {
    context.unconditional("has no meaning for an import; afterRow says where it stands")?;
    body.media_type(&["application/json"])?;
    let id = import_id.clone();
    let read = move |bytes: &Bytes| into_domain(body::parse(bytes, String::new)?, id);
    let retry = |key, step: &ImportRows, bytes: &Bytes| {
        by_bytes(key, format_smolstr!("import {}", step.import_id), bytes)
    };
    let caller = context.caller.clone();
    let (change, mut step) = ChangeRequest::of_bulk(context, body.read().await?, read, retry).await?;
    step.is_own = is_own(&node, &caller, &import_id).await?;
    let numbers: Vec<u64> = step.rows.iter().map(|row| row.row).collect();
    let outcome = change.execute(&node, Command::Import(step)).await?;
    stepped(&import_id, &numbers, &outcome)
}

/// Handler of `GET /imports/{importId}`.
pub(crate) async fn import(
    State(node): State<Arc<Node>>,
    caller: Caller,
    at: ImportAt,
) -> Result<Response, Problem> {
    let import = node.ledger.import(&at.0).await?.ok_or_else(|| no_import(&at.0))?;
    check_reader(&node, &caller, &at.0).await?;
    let body = ImportBody {
        import_id: &at.0,
        rows_done: import.rows_done,
        applied: import.applied,
        refused: import.refused,
        finished: import.finished,
        version: import.version,
        updated_at: Some(import.updated_at),
        results: None,
    };
    Ok(Json(body).into_response())
}

/// Handler of `GET /imports/{importId}/refusals`.
pub(crate) async fn refusals(
    State(node): State<Arc<Node>>,
    caller: Caller,
    at: ImportAt,
    uri: http::Uri,
) -> Result<Response, Problem> {
    let page = ListPage::of("refusals", &Query::of(uri.query()), &uri)?;
    let after = page.after(RefusedPlace::parse)?.unwrap_or_default();
    if node.ledger.import(&at.0).await?.is_none() {
        return Err(no_import(&at.0));
    }
    check_reader(&node, &caller, &at.0).await?;
    let _turn = node.gates.work(Gate::Reads).await?;
    let refused = page.cut(node.ledger.import_refusals(&at.0, after, page.rows_max()).await?);
    let items: Vec<RefusalBody> = refused.rows.iter().map(|refused| RefusalBody::of(&refused.row)).collect();
    Ok(page.answer(&items, refused.next(|refused| &refused.place)))
}

/// True when the caller has begun the import, or nobody has. Nobody asks it of a caller that may run imports everywhere.
async fn is_own(node: &Node, caller: &Caller, import_id: &ImportId) -> Result<bool, Problem> {
    if caller.access().permit(Permission::ImportRun).is_ok() {
        return Ok(true);
    }
    Ok(node.ledger.import_is_of(import_id, caller.actor().as_deref()).await?)
}

/// An import is shown to who has begun it, and to those who may run imports everywhere.
async fn check_reader(node: &Node, caller: &Caller, import_id: &ImportId) -> Result<(), Problem> {
    if is_own(node, caller, import_id).await? {
        return Ok(());
    }
    caller.check(|access| access.permit(Permission::ImportRun))
}

fn no_import(import_id: &ImportId) -> Problem {
    Problem::new(Code::NotFound, format!("No import {import_id} was begun; send its first rows to begin it."))
}

fn into_domain(body: ImportRowsBody, import_id: ImportId) -> Result<ImportRows, Problem> {
    let ImportRowsBody { after_row, through_row, last, rows } = body;
    if through_row < after_row
        || (through_row == after_row && !last)
        || through_row > INTEGER_MAX.unsigned_abs()
    {
        return Err(Problem::pointer(
            "/throughRow",
            "must be beyond afterRow (equal only when last is true)",
        ));
    }
    if rows.len() > IMPORT_ROWS_MAX {
        return Err(Problem::pointer(
            "/rows",
            format!("must have at most {IMPORT_ROWS_MAX} rows; send more in the next step"),
        ));
    }
    let mut before = after_row;
    let mut checked = Vec::with_capacity(rows.len());
    for (index, Object(row)) in rows.into_iter().enumerate() {
        let at = |member: &str| {
            let mut pointer = format!("/rows/{index}");
            push_token(&mut pointer, member);
            pointer
        };
        if row.row <= before || row.row > through_row {
            return Err(Problem::pointer(
                at("row"),
                "must rise from row to row, beyond afterRow and up to throughRow",
            ));
        }
        before = row.row;
        checked.push(validated(row, || format!("/rows/{index}"))?.into());
    }
    Ok(ImportRows { import_id, after_row, through_row, last, rows: checked, is_own: false })
}

impl From<ImportRowBody> for ImportRow {
    fn from(body: ImportRowBody) -> Self {
        let ImportRowBody { row, store_id, sku, kind, quantity, reference, occurred_at, opening_stock } =
            body;
        Self { row, store_id, sku, kind, quantity, reference, occurred_at, opening_stock }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ImportBody<'a> {
    import_id: &'a ImportId,
    rows_done: u64,
    applied: u64,
    refused: u64,
    finished: bool,
    version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    results: Option<Vec<RowResult>>,
}

#[derive(Debug, Serialize)]
struct RowResult {
    row: u64,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<i64>,
}

#[derive(Debug, Serialize)]
struct RefusalBody {
    row: u64,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<i64>,
}

impl RefusalBody {
    fn of(refused: &RefusedRow) -> Self {
        let facts = refusal::facts(&refused.rejection);
        Self { row: refused.row, code: refusal::code(&refused.rejection).slug(), available: facts.available }
    }
}

/// The answer to a step: the progress of the import, and the result of each row.
fn stepped(import_id: &ImportId, rows: &[u64], outcome: &Outcome) -> Result<Response, Problem> {
    let step = outcome.events.iter().find_map(|event| match event {
        Event { fact: Fact::Import(progress), after: After::Import(after), .. } => Some((progress, after)),
        _ => None,
    });
    let Some((progress, after)) = step else {
        return Err(Problem::plain(Code::Internal).because(&"a step of an import without its event"));
    };
    let body = ImportBody {
        import_id,
        rows_done: after.rows_done,
        applied: after.applied,
        refused: after.refused,
        finished: progress.last,
        version: after.version,
        updated_at: None,
        results: Some(results(rows, progress)),
    };
    Ok(answer(outcome, Json(body)))
}

/// Both lists rise by row number, so one pass joins them.
fn results(rows: &[u64], progress: &ImportFact) -> Vec<RowResult> {
    let mut refused = progress.refused.iter().peekable();
    let mut result = |row: u64| match refused.next_if(|refused| refused.row == row) {
        None => RowResult { row, status: 200, code: None, detail: None, available: None },
        Some(RefusedRow { rejection, .. }) => {
            let code = refusal::code(rejection);
            RowResult {
                row,
                status: code.status().as_u16(),
                code: Some(code.slug()),
                detail: Some(refusal::sentence(rejection)),
                available: refusal::facts(rejection).available,
            }
        }
    };
    rows.iter().map(|row| result(*row)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(text: &str) -> Result<ImportRows, Problem> {
        into_domain(body::parse(text.as_bytes(), String::new)?, ImportId::new("i").unwrap())
    }

    fn row(number: u64, more: &str) -> String {
        format!(r#"{{"row":{number},"storeId":"S","sku":"A","kind":"sale","quantity":1{more}}}"#)
    }

    #[test]
    fn rows_rise_within_their_step() {
        for (after, through, last, rows, good) in [
            (0, 10, false, vec![1, 2, 10], true),
            (0, 10, false, vec![], true),
            (10, 10, true, vec![], true),
            (10, 10, false, vec![], false),
            (10, 9, true, vec![], false),
            (0, 10, false, vec![0], false),
            (0, 10, false, vec![11], false),
            (0, 10, false, vec![2, 2], false),
            (0, 10, false, vec![3, 2], false),
            (5, 10, false, vec![5], false),
        ] {
            let listed: Vec<String> = rows.iter().map(|number| row(*number, "")).collect();
            let text = format!(
                r#"{{"afterRow":{after},"throughRow":{through},"last":{last},"rows":[{}]}}"#,
                listed.join(",")
            );
            assert_eq!(step(&text).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn a_bad_row_is_named() {
        for (more, pointer) in [
            (r#","openingStock":-1"#, "/rows/1/openingStock"),
            (r#","reference":"""#, "/rows/1/reference"),
            (r#","occurredAt":"yesterday""#, "/rows/1/occurredAt"),
            (r#","price":1"#, "/rows/1"),
        ] {
            let text = format!(r#"{{"afterRow":0,"throughRow":2,"rows":[{},{}]}}"#, row(1, ""), row(2, more));
            let detail = step(&text).unwrap_err().detail().to_owned();
            assert!(detail.starts_with(pointer), "{detail}");
        }
    }
}
