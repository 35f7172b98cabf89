//! Levels and movements as JSON.

use crate::resource::change::changed;
use crate::response::actor;
use crate::response::code::Code;
use crate::response::problem::Problem;
use axum::response::Response;
use onhand_app::Outcome;
use onhand_app::stock::{LevelView, MovementView, place_of};
use onhand_domain::stock::{LevelAfter, MovementKind, StockFact};
use onhand_domain::{
    After, Event, EventKind, Fact, Idempotency, Quantity, ReservationId, Sequence, Sku, StoreId, Timestamp,
};
use serde::Serialize;
use smol_str::SmolStr;

/// A level as JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LevelBody<'a> {
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

/// A level in a list, with the name of its product, where the catalogue has one, and the number of sellable pieces at which it is low.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NamedLevelBody<'a> {
    #[serde(flatten)]
    level: LevelBody<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    low_stock_threshold: Option<Quantity>,
}

impl<'a> NamedLevelBody<'a> {
    /// The JSON of a level.
    pub(crate) fn of(
        ((view, name), threshold): ((&'a LevelView, &'a Option<SmolStr>), &Option<Quantity>),
    ) -> Self {
        Self { level: LevelBody::of(view), name: name.as_deref(), low_stock_threshold: *threshold }
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
    /// The JSON of a level.
    pub(crate) fn of(view: &'a LevelView) -> Self {
        Self::new(&view.store_id, &view.sku, view.numbers, view.updated_at)
    }

    fn new(store_id: &'a StoreId, sku: &'a Sku, numbers: LevelAfter, updated_at: Timestamp) -> Self {
        let LevelAfter { on_hand, reserved, version } = numbers;
        Self { store_id, sku, qty: numbers.qty(), on_hand, reserved, version, updated_at, reservation: None }
    }
}

/// A movement of a level's history.
#[derive(Debug, Serialize)]
pub(crate) struct MovementBody<'a> {
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
pub(crate) struct NumbersBody {
    qty: Quantity,
    on_hand: Quantity,
    reserved: Quantity,
    version: u64,
}

impl<'a> MovementBody<'a> {
    /// The JSON of a movement.
    pub(crate) fn of(view: &'a MovementView) -> Self {
        let movement = &view.movement;
        Self {
            sequence: movement.sequence,
            ts: movement.at,
            kind: movement.event.kind,
            payload: &movement.event.fact,
            before: view.before.into(),
            after: view.after.into(),
            actor: actor::shown(movement.actor.as_deref()),
        }
    }
}

/// A movement among those of all levels.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AnyMovementBody<'a> {
    store_id: &'a StoreId,
    sku: &'a Sku,
    kind: &'static str,
    #[serde(flatten)]
    movement: MovementBody<'a>,
}

impl<'a> AnyMovementBody<'a> {
    /// The JSON of a movement, if it is of a level.
    pub(crate) fn of(view: &'a MovementView) -> Option<Self> {
        let (store_id, sku, fact) = place_of(view)?;
        let kind = MovementKind::of(fact).as_str();
        Some(Self { store_id, sku, kind, movement: MovementBody::of(view) })
    }
}

/// A movement as a row of CSV.
pub(crate) fn movement_row(view: &MovementView) -> Option<[String; 17]> {
    let (store_id, sku, fact) = place_of(view)?;
    let MovementView { movement, after, .. } = view;
    let (effect, details) = (fact.effect(), MovementDetails::of(fact));
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    Some([
        movement.sequence.to_string(),
        movement.at.to_string(),
        store_id.to_string(),
        sku.to_string(),
        MovementKind::of(fact).as_str().to_owned(),
        effect.on_hand.to_string(),
        effect.reserved.to_string(),
        after.qty().to_string(),
        after.on_hand.to_string(),
        after.reserved.to_string(),
        after.version.to_string(),
        details.reservation_id.map(ToString::to_string).unwrap_or_default(),
        text(details.reason),
        text(details.reference),
        details.occurred_at.map(|at| at.to_string()).unwrap_or_default(),
        actor::shown(movement.actor.as_deref()).to_owned(),
        text(movement.request_id.as_deref()),
    ])
}

/// When a movement happened in the shop, where it was recorded later.
pub(crate) fn occurred_at(fact: &StockFact) -> Option<Timestamp> {
    MovementDetails::of(fact).occurred_at
}

/// The optional details of a movement.
#[derive(Default)]
struct MovementDetails<'a> {
    reservation_id: Option<&'a ReservationId>,
    reason: Option<&'a str>,
    reference: Option<&'a str>,
    occurred_at: Option<Timestamp>,
}

impl<'a> MovementDetails<'a> {
    fn of(fact: &'a StockFact) -> Self {
        match fact {
            StockFact::Adjust(adjusted) => Self {
                reason: adjusted.reason.as_deref(),
                reference: adjusted.reference.as_deref(),
                occurred_at: adjusted.occurred_at,
                ..Self::default()
            },
            StockFact::Reserve(reserved) => Self {
                reservation_id: Some(&reserved.reservation_id),
                reference: reserved.reference.as_deref(),
                ..Self::default()
            },
            StockFact::Release(settled) | StockFact::Commit(settled) | StockFact::Expire(settled) => {
                Self { reservation_id: Some(&settled.reservation_id), ..Self::default() }
            }
            StockFact::Count(counted) => Self { reason: counted.reason.as_deref(), ..Self::default() },
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
pub(crate) fn moved(
    store_id: &StoreId,
    sku: &Sku,
    outcome: &Outcome,
    idempotency: Option<&Idempotency>,
) -> Result<Response, Problem> {
    // An alert that the movement raised or cleared follows it.
    let level = |event: &Event| match event.after {
        After::Level(numbers) => Some(numbers),
        _ => None,
    };
    let Some(numbers) = own(&outcome.events, idempotency).filter_map(level).last() else {
        return Err(Problem::plain(Code::Internal).because(&"a movement without an event of its level"));
    };
    let mut body = LevelBody::new(store_id, sku, numbers, outcome.at);
    body.reservation = own(&outcome.events, idempotency).find_map(reservation);
    Ok(changed(outcome, numbers.version, &body, None))
}

/// The events that a command caused itself. When its key was used in a batch before, only the events of that operation count.
/// Expiries that came first belong to no command, and are never the last.
fn own<'a>(events: &'a [Event], idempotency: Option<&'a Idempotency>) -> impl Iterator<Item = &'a Event> {
    let named = move |event: &Event| event.idempotency.is_some() && event.idempotency.as_ref() == idempotency;
    let of_batch = events.iter().any(named);
    events.iter().filter(move |event| !of_batch || named(event))
}

fn reservation(event: &Event) -> Option<ReservationBody<'_>> {
    match &event.fact {
        Fact::Level(StockFact::Reserve(reserved)) => Some(ReservationBody {
            reservation_id: &reserved.reservation_id,
            qty: reserved.qty,
            expires_at: reserved.expires_at,
        }),
        _ => None,
    }
}
