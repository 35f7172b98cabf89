//! Levels and movements as JSON.

use super::code::Code;
use super::etag::etag;
use super::metrics::REPLAYS;
use super::problem::Problem;
use crate::app::Outcome;
use crate::app::query::{LevelView, MovementView};
use crate::domain::stock::{LevelAfter, StockFact};
use crate::domain::{
    After, Event, EventKind, Fact, Idempotency, Quantity, ReservationId, Sequence, Sku, StoreId, Timestamp,
};
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::ETAG;
use http::{HeaderName, HeaderValue};
use serde::Serialize;
use smol_str::SmolStr;

/// Says that an answer was given before.
pub(super) const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Who acts, as long as nobody says who he is.
pub(super) const ANONYMOUS: &str = "anonymous";

/// A level.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LevelBody<'a> {
    store_id: &'a StoreId,
    sku: &'a Sku,
    qty: Quantity,
    on_hand: Quantity,
    reserved: Quantity,
    version: u64,
    updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    reservation: Option<ReservationBody<'a>>,
}

/// A level in a list, with what the product is called, where the catalogue knows it.
#[derive(Debug, Serialize)]
pub(super) struct NamedLevelBody<'a> {
    #[serde(flatten)]
    level: LevelBody<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

impl<'a> NamedLevelBody<'a> {
    /// A level as it is shown.
    pub(super) fn of((view, name): (&'a LevelView, &'a Option<SmolStr>)) -> Self {
        Self { level: LevelBody::of(view), name: name.as_deref() }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReservationBody<'a> {
    reservation_id: &'a ReservationId,
    qty: Quantity,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

impl<'a> LevelBody<'a> {
    /// A level as it is shown.
    pub(super) fn of(view: &'a LevelView) -> Self {
        Self::new(&view.store_id, &view.sku, view.numbers, view.updated_at)
    }

    fn new(store_id: &'a StoreId, sku: &'a Sku, numbers: LevelAfter, updated_at: Timestamp) -> Self {
        let LevelAfter { on_hand, reserved, version } = numbers;
        Self { store_id, sku, qty: numbers.qty(), on_hand, reserved, version, updated_at, reservation: None }
    }
}

/// A movement of a level's history.
#[derive(Debug, Serialize)]
pub(super) struct MovementBody<'a> {
    sequence: Sequence,
    ts: Timestamp,
    #[serde(rename = "type")]
    kind: EventKind,
    payload: &'a Fact,
    before: NumbersBody,
    after: NumbersBody,
    actor: &'a str,
}

/// The numbers of a level on one side of an event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NumbersBody {
    qty: Quantity,
    on_hand: Quantity,
    reserved: Quantity,
    version: u64,
}

impl<'a> MovementBody<'a> {
    /// A movement as it is shown.
    pub(super) fn of(view: &'a MovementView) -> Self {
        let movement = &view.movement;
        Self {
            sequence: movement.sequence,
            ts: movement.at,
            kind: movement.event.kind,
            payload: &movement.event.fact,
            before: view.before.into(),
            after: view.after.into(),
            actor: movement.actor.as_deref().unwrap_or(ANONYMOUS),
        }
    }
}

impl From<LevelAfter> for NumbersBody {
    fn from(numbers: LevelAfter) -> Self {
        let LevelAfter { on_hand, reserved, version } = numbers;
        Self { qty: numbers.qty(), on_hand, reserved, version }
    }
}

/// The answer to a command that moved one level: the level after it.
pub(super) fn moved(
    store_id: &StoreId,
    sku: &Sku,
    outcome: &Outcome,
    idempotency: Option<&Idempotency>,
) -> Result<Response, Problem> {
    // An alert that the movement raised or cleared stands behind it.
    let level = |event: &Event| match event.after {
        After::Level(numbers) => Some(numbers),
        _ => None,
    };
    let Some(numbers) = own(&outcome.events, idempotency).filter_map(level).last() else {
        return Err(Problem::plain(Code::Internal).because(&"a movement without an event of its level"));
    };
    let mut body = LevelBody::new(store_id, sku, numbers, outcome.at);
    body.reservation = own(&outcome.events, idempotency).find_map(reservation);
    let mut response = ([(ETAG, etag(numbers.version))], Json(body)).into_response();
    if outcome.replayed {
        mark_replayed(&mut response);
    }
    Ok(response)
}

/// Says that the answer was given before, and counts it.
pub(super) fn mark_replayed(response: &mut Response) {
    metrics::counter!(REPLAYS).increment(1);
    response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
}

/// The events a command caused itself. A key may have been used in a batch first: then only the events of that
/// operation are meant. Expiries that came first belong to nobody, and are never the last.
fn own<'a>(events: &'a [Event], idempotency: Option<&'a Idempotency>) -> impl Iterator<Item = &'a Event> {
    let named = move |event: &Event| event.idempotency.is_some() && event.idempotency.as_ref() == idempotency;
    let of_batch = events.iter().any(named);
    events.iter().filter(move |event| !of_batch || named(event))
}

fn reservation(event: &Event) -> Option<ReservationBody<'_>> {
    match &event.fact {
        Fact::Stock(StockFact::Reserve(reserved)) => Some(ReservationBody {
            reservation_id: &reserved.reservation_id,
            qty: reserved.qty,
            expires_at: reserved.expires_at,
        }),
        _ => None,
    }
}
