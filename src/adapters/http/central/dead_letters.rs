//! Dead letters: list them, redrive one after a fix, discard one with a reason.

use crate::central::sync::to_its_end;
use crate::edge::body::UnreadBody;
use crate::node::Node;
use crate::request::body;
use crate::request::field_rules::text;
use crate::request::path::LetterAt;
use crate::request::query::Query;
use crate::resource::list::{CURSOR, LIMIT, ListPage};
use crate::response::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::Uri;
use onhand_app::central::{DeadLetter, LetterError, LetterState, Redriven};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::sync::Arc;
use validator::Validate;

/// The query parameter, and the member of the body, with the reason.
pub(crate) const REASON: &str = "reason";
/// The parameters of the list.
pub(crate) const PARAMETERS: &[&str] = &[LIMIT, CURSOR, STATE];
const STATE: &str = "state";

/// Request body: `{reason}`.
#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct Discard {
    #[validate(custom(function = "text"))]
    reason: SmolStr,
}

/// A letter, and the number of events applied and waiting behind it.
#[derive(Debug, Serialize)]
struct DrivenBody {
    letter: DeadLetter,
    applied: u64,
    waiting: u64,
}

/// Handler of `GET /dead-letters`.
pub(crate) async fn list(State(node): State<Arc<Node>>, uri: Uri) -> Result<Response, Problem> {
    let query = Query::of(uri.query());
    let page = ListPage::of("dead-letters", &query, &uri)?;
    let state = query.read(STATE, letter_state)?;
    let mut letters = node.worker()?.letters();
    // Letters are never deleted, so the one that a cursor names exists.
    let behind = page.after(|id| Some(letters.iter().position(|letter| letter.id == id)? + 1))?;
    letters.drain(..behind.unwrap_or(0));
    letters.retain(|letter| state.is_none_or(|state| state == letter.state));
    let letters = page.cut(letters);
    Ok(page.answer(&letters.rows, letters.next(|letter| &letter.id)))
}

/// Handler of `GET /dead-letters/{id}`.
pub(crate) async fn one(State(node): State<Arc<Node>>, at: LetterAt) -> Result<Response, Problem> {
    let letter = node.worker()?.letter(&at.0).ok_or(LetterError::Unknown)?;
    Ok(Json(letter).into_response())
}

/// Handler of `POST /dead-letters/{id}/redrive`.
pub(crate) async fn redrive(State(node): State<Arc<Node>>, at: LetterAt) -> Result<Response, Problem> {
    let worker = Arc::clone(node.worker()?);
    let driven = to_its_end(async move { worker.redrive(&at.0).await }).await??;
    Ok(DrivenBody::answer(driven))
}

/// Handler of `DELETE /dead-letters/{id}`.
pub(crate) async fn discard(
    State(node): State<Arc<Node>>,
    at: LetterAt,
    uri: Uri,
    mut body: UnreadBody,
) -> Result<Response, Problem> {
    let worker = Arc::clone(node.worker()?);
    let Discard { reason } = reason(&uri, &mut body).await?;
    let driven = to_its_end(async move { worker.discard(&at.0, &reason).await }).await??;
    Ok(DrivenBody::answer(driven))
}

/// The reason, from the query or from the body.
async fn reason(uri: &Uri, body: &mut UnreadBody) -> Result<Discard, Problem> {
    let bytes = body.read().await?;
    let query = Query::of(uri.query());
    match (query.get(REASON), bytes.is_empty()) {
        (Some(reason), true) => {
            let discard = Discard { reason: SmolStr::new(reason) };
            body::validated(discard, String::new).map_err(|_| {
                Problem::parameter(REASON, "must be 1-256 characters without control characters")
            })
        }
        (None, false) => {
            body.media_type(&["application/json"])?;
            body::validated(body::parse(&bytes, String::new)?, String::new)
        }
        (Some(_), false) => Err(Problem::parameter(REASON, "stands in the body already; send it once")),
        (None, true) => Err(Problem::parameter(
            REASON,
            "is missing: say why the event is given up, here or as {\"reason\": \"...\"} in the body",
        )),
    }
}

fn letter_state(text: &str) -> Result<LetterState, &'static str> {
    match text {
        "open" => Ok(LetterState::Open),
        "redriven" => Ok(LetterState::Redriven),
        "discarded" => Ok(LetterState::Discarded),
        _ => Err("must be open, redriven or discarded"),
    }
}

impl DrivenBody {
    fn answer(driven: Redriven) -> Response {
        let Redriven { letter, applied, waiting } = driven;
        Json(Self { letter, applied, waiting }).into_response()
    }
}
