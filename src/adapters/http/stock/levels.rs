//! Stock: levels, the five verbs, history.

use crate::adapters::http::edge::body::JsonBody;
use crate::adapters::http::edge::gates::Gate;
use crate::adapters::http::node::Node;
use crate::adapters::http::request::path::{Intent, LevelAt, StoreAt};
use crate::adapters::http::request::query::Query;
use crate::adapters::http::resource::list;
use crate::adapters::http::resource::list::Page;
use crate::adapters::http::response::code::Code;
use crate::adapters::http::response::etag::{etag, is_known};
use crate::adapters::http::response::problem::Problem;
use crate::adapters::http::stock::bodies::{Adjust, Commit, Count, Movement, Release, Reserve, idempotency};
use crate::adapters::http::stock::level_body::{LevelBody, MovementBody, NamedLevelBody, moved};
use crate::app::Meta;
use crate::app::ports::{Moment, MovementQuery};
use crate::app::stock::{MovementPlace, ReadError};
use crate::domain::stock::{CountAsOf, StockCommand, Verb};
use crate::domain::{Command, EventKind, Expected, Idempotency, Quantity, Sequence, Sku, Timestamp};
use crate::resilience::Deadline;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::ETAG;
use http::{HeaderMap, StatusCode, Uri};
use smol_str::SmolStr;
use std::sync::Arc;

/// The parameters of the history.
pub(crate) const HISTORY: &[&str] = &[list::LIMIT, list::CURSOR, "type", "since", "until"];

/// `GET /stores/{storeId}/inventory/{sku}`
pub(crate) async fn level(
    State(node): State<Arc<Node>>,
    at: LevelAt,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = match Query::of(uri.query()).read("asOf", moment)? {
        None => node.ledger.level(&at.store_id, &at.sku).await?,
        Some(moment) => {
            let _turn = node.gates.work(Gate::Reads).await?;
            node.ledger.level_as_of(&at.store_id, &at.sku, moment).await?
        }
    };
    let level = found.ok_or_else(|| no_level(&at))?;
    let version = level.numbers.version;
    let tag = [(ETAG, etag(version))];
    if is_known(&headers, version) {
        return Ok((StatusCode::NOT_MODIFIED, tag).into_response());
    }
    Ok((tag, Json(LevelBody::of(&level))).into_response())
}

/// `GET /stores/{storeId}/inventory`
pub(crate) async fn levels(
    State(node): State<Arc<Node>>,
    store: StoreAt,
    uri: Uri,
) -> Result<Response, Problem> {
    const LIST: &str = "levels";
    let page = Page::of(&Query::of(uri.query()), LIST)?;
    let after = page.after_as(|mark| Sku::new(mark).ok())?;
    let mut levels = node.ledger.levels(&store.0, after.as_ref(), page.limit + 1).await?;
    let more = levels.len() > page.limit;
    levels.truncate(page.limit);
    let skus: Vec<&Sku> = levels.iter().map(|level| &level.sku).collect();
    let names = node.ledger.product_names(&skus).await?;
    let items: Vec<NamedLevelBody> = levels.iter().zip(&names).map(NamedLevelBody::of).collect();
    let last = levels.last().filter(|_| more).map(|level| &level.sku);
    Ok(list::answer(&items, last.map(|sku| sku as _), LIST, &uri))
}

/// `GET /stores/{storeId}/inventory/{sku}/history`
pub(crate) async fn history(
    State(node): State<Arc<Node>>,
    at: LevelAt,
    uri: Uri,
) -> Result<Response, Problem> {
    const LIST: &str = "history";
    let query = Query::of(uri.query());
    let page = Page::of(&query, LIST)?;
    let wanted = MovementQuery {
        after: Sequence::START,
        limit: page.limit + 1,
        kind: query.read("type", movement_kind)?,
        since: query.read("since", Timestamp::parse)?,
        until: query.read("until", Timestamp::parse)?,
    };
    let _turn = node.gates.work(Gate::Reads).await?;
    let mut place = page.after_as(MovementPlace::parse)?.unwrap_or_default();
    let mut movements = node.ledger.movements(&at.store_id, &at.sku, &place, wanted).await?;
    if movements.is_empty() && node.ledger.level(&at.store_id, &at.sku).await?.is_none() {
        return Err(no_level(&at));
    }
    let more = movements.len() > page.limit;
    movements.truncate(page.limit);
    let items: Vec<MovementBody> = movements.iter().map(MovementBody::of).collect();
    for view in &movements {
        place.pass(view);
    }
    Ok(list::answer(&items, more.then_some(&place as _), LIST, &uri))
}

/// `POST .../{sku}/adjust`
pub(crate) async fn adjust(
    State(node): State<Arc<Node>>,
    at: LevelAt,
    intent: Intent,
    JsonBody(body): JsonBody<Adjust>,
) -> Result<Response, Problem> {
    Wish::new(at, intent, &body)?.execute(&node, body).await
}

/// `POST .../{sku}/reserve`
pub(crate) async fn reserve(
    State(node): State<Arc<Node>>,
    at: LevelAt,
    intent: Intent,
    JsonBody(body): JsonBody<Reserve>,
) -> Result<Response, Problem> {
    Wish::new(at, intent, &body)?.execute(&node, body).await
}

/// `POST .../{sku}/release`
pub(crate) async fn release(
    State(node): State<Arc<Node>>,
    at: LevelAt,
    intent: Intent,
    JsonBody(body): JsonBody<Release>,
) -> Result<Response, Problem> {
    Wish::new(at, intent, &body)?.execute(&node, body).await
}

/// `POST .../{sku}/commit`
pub(crate) async fn commit(
    State(node): State<Arc<Node>>,
    at: LevelAt,
    intent: Intent,
    JsonBody(body): JsonBody<Commit>,
) -> Result<Response, Problem> {
    Wish::new(at, intent, &body)?.execute(&node, body).await
}

/// `POST .../{sku}/count`
pub(crate) async fn count(
    State(node): State<Arc<Node>>,
    at: LevelAt,
    intent: Intent,
    JsonBody(body): JsonBody<Count>,
) -> Result<Response, Problem> {
    let wish = Wish::new(at, intent, &body)?;
    let as_of = match body.as_of {
        Some(sequence) => Some(booked(&node, &wish.at, sequence).await?),
        None => None,
    };
    wish.execute(&node, body.into_verb(as_of)).await
}

/// What the books said of a level after that sequence: the past, which nothing changes any more.
async fn booked(node: &Node, at: &LevelAt, sequence: Sequence) -> Result<CountAsOf, Problem> {
    let _turn = node.gates.work(Gate::Reads).await?;
    let then = node.ledger.level_as_of(&at.store_id, &at.sku, Moment::Sequence(sequence)).await;
    let then = then.map_err(|error| match error {
        ReadError::Future { end } => {
            Problem::pointer("/asOf", format!("lies in the future; the log ends at {end}"))
        }
        ReadError::SeveralLogs => Problem::pointer(
            "/asOf",
            "is not known here: several processes share the stock, each with sequences of its own",
        ),
        error @ ReadError::History(_) => error.into(),
    })?;
    Ok(CountAsOf { sequence, on_hand: then.map_or(Quantity::ZERO, |level| level.numbers.on_hand) })
}

/// A command on its way to the ledger: all but the verb.
pub(crate) struct Wish {
    at: LevelAt,
    expected: Expected,
    meta: Meta,
    deadline: Deadline,
}

impl Wish {
    fn new<M: Movement>(at: LevelAt, intent: Intent, body: &M) -> Result<Self, Problem> {
        Self::of(at, intent, body.expected_version(), |key, at| idempotency(key, &at.store_id, &at.sku, body))
    }

    /// A wish for the version asked for in the body; `known_by` says by what a retry with a key is recognised.
    pub(crate) fn of(
        at: LevelAt,
        intent: Intent,
        expected_version: Option<u64>,
        known_by: impl FnOnce(SmolStr, &LevelAt) -> Idempotency,
    ) -> Result<Self, Problem> {
        let expected = intent.precondition.and_body(expected_version)?.into();
        let idempotency = intent.key.map(|key| known_by(key, &at));
        let meta = Meta { actor: None, request_id: intent.request_id, idempotency };
        Ok(Self { at, expected, meta, deadline: intent.deadline })
    }

    pub(crate) async fn execute(self, node: &Node, verb: impl Into<Verb>) -> Result<Response, Problem> {
        let Self { at, expected, meta, deadline } = self;
        let LevelAt { store_id, sku } = at;
        let command =
            StockCommand { store_id: store_id.clone(), sku: sku.clone(), expected, verb: verb.into() };
        let outcome = node.execute(Command::Stock(command), &meta, deadline).await?;
        moved(&store_id, &sku, &outcome, meta.idempotency.as_ref())
    }
}

fn no_level(at: &LevelAt) -> Problem {
    let detail = format!(
        "Store {} has no stock level for SKU {}; it comes to be with its first positive adjustment or count.",
        at.store_id, at.sku
    );
    Problem::new(Code::NotFound, detail)
}

fn moment(text: &str) -> Result<Moment, &'static str> {
    if let Ok(sequence) = text.parse() {
        return Ok(Moment::Sequence(Sequence(sequence)));
    }
    let wrong = "must be a sequence like 1041 or a time like 2026-11-20T16:00:00.000Z (RFC 3339)";
    Timestamp::parse(text).map(Moment::Time).map_err(|_| wrong)
}

fn movement_kind(text: &str) -> Result<EventKind, &'static str> {
    use EventKind::{Adjust, Commit, Count, Expire, Release, Reserve};
    let kind = EventKind::parse(text)
        .filter(|kind| matches!(kind, Adjust | Reserve | Release | Commit | Expire | Count));
    kind.ok_or("must be ADJUST, RESERVE, RELEASE, COMMIT, EXPIRE or COUNT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_of_is_a_sequence_or_a_time() {
        let time = Timestamp::parse("2026-11-20T16:00:00.000Z").unwrap();
        for (text, read) in [
            ("1041", Some(Moment::Sequence(Sequence(1041)))),
            ("0", Some(Moment::Sequence(Sequence(0)))),
            ("2026-11-20T16:00:00Z", Some(Moment::Time(time))),
            ("2026-11-20T17:00:00+01:00", Some(Moment::Time(time))),
            ("-1", None),
            ("1.0", None),
            ("now", None),
            ("", None),
            ("2026-11-20", None),
        ] {
            assert_eq!(moment(text).ok(), read, "{text}");
        }
    }

    #[test]
    fn history_is_filtered_by_the_kinds_of_movements() {
        for (text, kind) in [
            ("ADJUST", Some(EventKind::Adjust)),
            ("EXPIRE", Some(EventKind::Expire)),
            ("adjust", None),
            ("IMPORT", None),
            ("TAKE", None),
            ("CLOCK", None),
            ("PRODUCT", None),
            ("", None),
        ] {
            assert_eq!(movement_kind(text).ok(), kind, "{text}");
        }
    }
}
