//! `POST /inventory/batch`: many movements in one command, as JSON or as one operation a line.

use crate::edge::body::UnreadBody;
use crate::node::Node;
use crate::request::body;
use crate::request::context::RequestContext;
use crate::request::json_object::Object;
use crate::request::optional::yes;
use crate::request::query::Query;
use crate::resource::change::{ChangeRequest, answer, by_bytes};
use crate::response::code::Code;
use crate::response::problem::Problem;
use crate::response::refusal;
use crate::stock::operation::OperationBody;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::Uri;
use onhand_app::Outcome;
use onhand_domain::limits::BATCH_OPERATIONS_MAX;
use onhand_domain::stock::{Batch, StockFact};
use onhand_domain::{
    After, Command, Event, Fact, Idempotency, Quantity, Rejection, ReservationId, UnappliedWhy,
};
use onhand_telemetry::IDEMPOTENT_REPLAYS;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::sync::Arc;

const JSON: &str = "application/json";
const NDJSON: &str = "application/x-ndjson";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchBody {
    #[serde(default = "yes")]
    atomic: bool,
    operations: Vec<Object<OperationBody>>,
}

/// Handler of `POST /inventory/batch`.
pub(crate) async fn batch(
    State(node): State<Arc<Node>>,
    uri: Uri,
    context: RequestContext,
    mut body: UnreadBody,
) -> Result<Response, Problem> {
    context.unconditional("has no meaning for a batch; give each operation its expectedVersion")?;
    let lines = body.media_type(&[JSON, NDJSON])? == NDJSON;
    let atomic = Query::of(uri.query()).read("atomic", |text| match (lines, text) {
        (false, _) => Err("goes with one operation a line; a JSON body has its own"),
        (true, "true") => Ok(true),
        (true, "false") => Ok(false),
        (true, _) => Err("must be true or false"),
    })?;
    let read = move |bytes: &Bytes| {
        let body =
            if lines { read_lines(bytes, atomic.unwrap_or(true)) } else { body::parse(bytes, String::new) };
        body.and_then(into_domain)
    };
    let retry = |key, batch: &Batch, bytes: &Bytes| known_by(key, bytes, batch.atomic);
    let (change, batch) = ChangeRequest::of_bulk(context, body.read().await?, read, retry).await?;
    let operations = batch.operations.len();
    let outcome = change.execute(&node, Command::Batch(batch)).await?;
    results_of(&outcome, operations)
}

/// The command in a body of JSON.
pub(crate) fn command(bytes: &[u8]) -> Result<Command, Problem> {
    body::parse(bytes, String::new).and_then(into_domain).map(Command::Batch)
}

/// Reads one operation a line; empty lines are skipped.
fn read_lines(bytes: &Bytes, atomic: bool) -> Result<BatchBody, Problem> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let mut operations = Vec::new();
    for (index, line) in lines.enumerate() {
        operations.push(Object(body::parse(line, || format!("/operations/{index}"))?));
        if operations.len() > BATCH_OPERATIONS_MAX {
            break;
        }
    }
    Ok(BatchBody { atomic, operations })
}

fn into_domain(body: BatchBody) -> Result<Batch, Problem> {
    if body.operations.is_empty() || body.operations.len() > BATCH_OPERATIONS_MAX {
        let detail = format!("must have 1 to {BATCH_OPERATIONS_MAX} operations");
        return Err(Problem::pointer("/operations", detail));
    }
    let operations = body.operations.into_iter().enumerate();
    let operations = operations
        .map(|(index, Object(operation))| operation.into_domain(index))
        .collect::<Result<_, _>>()?;
    Ok(Batch { atomic: body.atomic, operations })
}

/// The identity of a whole batch: a retry is the same byte for byte.
fn known_by(key: SmolStr, bytes: &Bytes, atomic: bool) -> Idempotency {
    let mut payload = bytes.to_vec();
    payload.push(u8::from(atomic));
    by_bytes(key, SmolStr::new_static("batch"), &payload)
}

#[derive(Debug, Serialize)]
struct BatchResults<'a> {
    results: Vec<OperationResult<'a>>,
    applied: usize,
    refused: usize,
}

/// The result of one operation: the level after it, or the reason of its refusal.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct OperationResult<'a> {
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    qty: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reservation_id: Option<&'a ReservationId>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    replayed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_version: Option<u64>,
}

impl<'a> OperationResult<'a> {
    /// Adds one event of the operation; the last one has the level after it.
    fn note(&mut self, event: &'a Event) {
        self.status = 200;
        self.version = Some(event.after.version());
        if let After::Level(numbers) = event.after {
            self.qty = Some(numbers.qty());
        }
        if let Fact::Level(StockFact::Reserve(reserved)) = &event.fact {
            self.reservation_id = Some(&reserved.reservation_id);
        }
    }

    fn refused(rejection: &Rejection) -> Self {
        let (code, facts) = (refusal::code(rejection), refusal::facts(rejection));
        Self {
            status: code.status().as_u16(),
            code: Some(code.slug()),
            detail: Some(refusal::sentence(rejection)),
            available: facts.available,
            current_version: facts.current_version,
            ..Self::default()
        }
    }
}

fn results_of(outcome: &Outcome, operations: usize) -> Result<Response, Problem> {
    let results = results(outcome, operations);
    if results.iter().any(|result| result.status == 0) {
        return Err(Problem::plain(Code::Internal).because(&"an operation of a batch without an outcome"));
    }
    let applied = results.iter().filter(|result| result.status == 200).count();
    let refused = results.len() - applied;
    metrics::counter!(IDEMPOTENT_REPLAYS).increment(outcome.replays.len() as u64);
    Ok(answer(outcome, Json(BatchResults { results, applied, refused })))
}

fn results(outcome: &Outcome, operations: usize) -> Vec<OperationResult<'_>> {
    let mut results = vec![OperationResult::default(); operations];
    let place = |op: u32| usize::try_from(op).unwrap_or(usize::MAX);
    for event in &outcome.events {
        if let Some(result) = event.op.and_then(|op| results.get_mut(place(op))) {
            result.note(event);
        }
    }
    for (op, event) in &outcome.replays {
        if let Some(result) = results.get_mut(place(*op)) {
            result.note(event);
            result.replayed = true;
        }
    }
    for unapplied in &outcome.unapplied {
        if let (UnappliedWhy::Refused(rejection), Some(result)) =
            (&unapplied.why, results.get_mut(place(unapplied.op)))
        {
            *result = OperationResult::refused(rejection);
        }
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_operations() {
        let line = r#"{"op":"adjust","storeId":"S","sku":"A","delta":1}"#;
        for (text, count) in [
            (format!("{line}\n{line}\n"), 2),
            (format!("{line}\r\n\n{line}"), 2),
            (String::new(), 0),
            ("\n\n".into(), 0),
        ] {
            let body = read_lines(&Bytes::from(text.clone()), false).unwrap();
            assert_eq!((body.operations.len(), body.atomic), (count, false), "{text:?}");
        }
        let bad = Bytes::from(format!("{line}\n{{\"op\":\"steal\"}}\n"));
        let problem = read_lines(&bad, true).unwrap_err();
        assert!(problem.detail().starts_with("/operations/1/op"), "{}", problem.detail());
    }

    #[test]
    fn a_batch_has_1_to_10000_operations() {
        let of = |count: usize| {
            let operation = r#"{"op":"adjust","storeId":"S","sku":"A","delta":1}"#;
            let text = format!(r#"{{"operations":[{}]}}"#, vec![operation; count].join(","));
            body::parse::<BatchBody>(text.as_bytes(), String::new).and_then(into_domain)
        };
        assert!(of(0).is_err());
        assert!(of(1).unwrap().atomic);
        assert_eq!(of(10_000).unwrap().operations.len(), 10_000);
        assert!(of(10_001).is_err());
    }

    #[test]
    fn the_same_bytes_with_another_atomic_are_another_payload() {
        let bytes = Bytes::from_static(b"{}");
        assert_ne!(known_by("k".into(), &bytes, true), known_by("k".into(), &bytes, false));
    }
}
