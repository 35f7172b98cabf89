//! Orders and their shipments, decided without a ledger: what each step does in each state, and what can never be.
//!
//! | module | proves |
//! | --- | --- |
//! | `transitions` | every step in every status, as two tables |
//! | `placing` | the refusals of a placing and of plans, the bounds of an order |
//! | `bystanders` | stock routes beside shipments, a strict catalogue |
//! | `after` | payments, returns and the hold, as tables |
//! | `property` | thousands of random steps, each compared with an oracle of plain maps and with its own events |
//! | `facts` | events that cannot be are refused and change nothing |
//! | `permits` | who may take which step |
//! | `bytes` | events are read as they are written, and nothing else is read |

mod after;
mod bystanders;
mod bytes;
mod facts;
mod oracle;
mod permits;
mod placing;
mod property;
mod shown;
mod transitions;

use crate::node::qty;
use onhand_domain::catalogue::UnlistedKeys;
use onhand_domain::orders::{
    Line, LineQty, Order, OrderCommand, OrderStep, PartStep, Partial, Pieces, Placed, Planned, Shipment,
    ShipmentId,
};
use onhand_domain::stock::{Level, Reserve, StockCommand, Verb};
use onhand_domain::{
    Command, Draft, Event, Evidence, Expected, Key, OrderId, Rejection, ReservationId, Sku, State, StoreId,
    Timestamp, decide,
};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

const NOON: i64 = 1_795_190_400_000;

/// Levels, orders and shipments without a log.
#[derive(Debug, Clone, Default)]
struct Desk {
    states: BTreeMap<Key, State>,
    /// True when another log moved every state last.
    foreign: bool,
    /// SKUs that a strict catalogue does not know.
    unlisted: BTreeSet<Sku>,
    steps: i64,
    ids: u128,
}

impl Desk {
    /// Decides as the ledger does: states that the decision needs beside its own are fetched, and it is decided again.
    fn ask(&mut self, command: &Command) -> Result<Vec<Event>, Rejection> {
        let mut keys = command.keys();
        let (now, mut ids) = (self.now(), self.ids);
        for _ in 0..3 {
            let mut states: Vec<State> = keys.iter().map(|key| self.state(key)).collect();
            let before = states.clone();
            let evidence = self.evidence(&keys);
            let mut new_id = || {
                ids += 1;
                Uuid::from_u128(ids)
            };
            let foreign =
                states.iter().map(|state| (self.foreign && state.version() > 0).then_some(7)).collect();
            let draft = Draft::new(now, &keys, states.iter_mut().collect(), &mut new_id);
            let mut draft = draft.taking(foreign).based_on(&evidence);
            let decided = decide(&mut draft, command);
            let (needs, events) = (draft.needs().to_vec(), draft.finish().events);
            if !needs.is_empty() {
                keys.extend(needs);
                keys.sort_unstable();
                keys.dedup();
                continue;
            }
            if let Err(refusal) = decided {
                assert!(events.is_empty() && states == before, "a refusal changes nothing: {command:?}");
                return Err(refusal.rejection);
            }
            self.states.extend(keys.into_iter().zip(states).filter(|(_, state)| state.version() > 0));
            (self.ids, self.steps) = (ids, self.steps + 1);
            return Ok(events);
        }
        panic!("three rounds are enough for every step: {command:?}");
    }

    fn evidence(&self, keys: &[Key]) -> Evidence {
        let is_unlisted = |key: &Key| matches!(key, Key::Level(_, sku) if self.unlisted.contains(sku));
        let mut evidence = Evidence::default();
        evidence.add(UnlistedKeys(keys.iter().map(is_unlisted).collect()));
        evidence
    }

    /// The time of the next step.
    fn now(&self) -> Timestamp {
        Timestamp::from_milliseconds(NOON + 1_000 * self.steps)
    }

    fn state(&self, key: &Key) -> State {
        self.states.get(key).cloned().unwrap_or_else(|| State::absent(key))
    }

    /// As [`Desk::ask`], for a step that is possible.
    fn given(mut self, command: &Command) -> Self {
        self.ask(command).unwrap();
        self
    }

    fn order(&self, order: &str) -> Order {
        match self.state(&Key::Order(order_id(order))) {
            State::Order(order) => *order,
            other => panic!("{other:?}"),
        }
    }

    fn shipment(&self, id: &ShipmentId) -> Shipment {
        match self.state(&Key::Shipment(id.clone())) {
            State::Shipment(shipment) => *shipment,
            other => panic!("{other:?}"),
        }
    }

    fn level(&self, store: &str, sku: &str) -> Level {
        match self.state(&level(store, sku)) {
            State::Level(level) => level,
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) fn order_id(order: &str) -> OrderId {
    OrderId::new(order).unwrap()
}

pub(crate) fn shipment_id(order: &str, number: u16) -> ShipmentId {
    ShipmentId::of(&order_id(order), number)
}

pub(crate) fn store_id(store: &str) -> StoreId {
    StoreId::new(store).unwrap()
}

pub(crate) fn sku_of(sku: &str) -> Sku {
    Sku::new(sku).unwrap()
}

fn level(store: &str, sku: &str) -> Key {
    Key::Level(store_id(store), sku_of(sku))
}

pub(crate) fn pieces_of(line: u16, sku: &str, pieces: i64) -> LineQty {
    LineQty { line, sku: sku_of(sku), qty: qty(pieces) }
}

pub(crate) fn planned(store: &str, lines: &[(u16, &str, i64)]) -> Planned {
    let lines = lines.iter().map(|(line, sku, pieces)| pieces_of(*line, sku, *pieces)).collect();
    Planned { store_id: store_id(store), lines }
}

/// A line at 1.00 a piece, of which some pieces wait.
pub(crate) fn line(number: u16, sku: &str, pieces: i64, waiting: i64) -> Line {
    Line {
        line: number,
        sku: sku_of(sku),
        name: None,
        qty: qty(pieces),
        unit_price: Some(qty(100)),
        discount: None,
        tax: None,
        pieces: Pieces { waiting: qty(waiting), ..Pieces::default() },
    }
}

pub(crate) fn placed(lines: Vec<Line>, partial: Partial) -> Placed {
    let begun = json!({"placedAt": "1970-01-01T00:00:00.000Z", "details": {}, "lines": []});
    let mut placed: Placed = serde_json::from_value(begun).unwrap();
    placed.details.policy.partial = partial;
    placed.lines = lines;
    placed
}

pub(crate) fn on(order: &str, step: OrderStep) -> Command {
    expecting(order, Expected::Any, step)
}

fn expecting(order: &str, expected: Expected, step: OrderStep) -> Command {
    Command::Order(OrderCommand { order_id: order_id(order), expected, step, beside: Vec::new() })
}

pub(crate) fn place(order: &str, placed: Placed, planned: Vec<Planned>) -> Command {
    on(order, OrderStep::Place(Box::new(placed), planned))
}

pub(crate) fn part(order: &str, number: u16, store: &str, step: PartStep) -> Command {
    on(order, OrderStep::Part { number, store_id: store_id(store), step })
}

fn stock(store: &str, sku: &str, verb: Verb) -> Command {
    let (store_id, sku) = (store_id(store), sku_of(sku));
    Command::Stock(StockCommand { store_id, sku, expected: Expected::Any, verb })
}

pub(crate) fn receive(store: &str, sku: &str, pieces: i64) -> Command {
    stock(store, sku, Verb::Adjust { delta: qty(pieces), reason: None, reference: None })
}

fn reserve(store: &str, sku: &str, name: &str, pieces: i64) -> Command {
    let reservation_id = ReservationId::new(name).unwrap();
    let wish = Reserve { qty: qty(pieces), reservation_id, ttl_seconds: None, reference: None };
    stock(store, sku, Verb::Reserve(wish))
}
