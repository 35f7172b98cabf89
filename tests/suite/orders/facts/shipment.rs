//! Events of a shipment that cannot be, and records that contradict themselves.

use super::{applied, are_refused, placed_order};
use crate::orders::{order_id, pieces_of, shipment_id};
use onhand_domain::limits::INTEGER_MAX;
use onhand_domain::orders::{LineQty, Refused, ShipmentChange, ShipmentFact};
use onhand_domain::{Fact, Key, Misfit, State, StateRecord, Taken, Timestamp};
use serde_json::json;

const STEP: &str = "does not follow";
const PIECES: &str = "pieces that the shipment does not have";

fn fact(change: ShipmentChange, lines: Vec<LineQty>) -> Fact {
    with(change, lines, (change == ShipmentChange::Refused).then_some(Refused::Busy))
}

fn with(change: ShipmentChange, lines: Vec<LineQty>, refused: Option<Refused>) -> Fact {
    of("BERLIN", change, lines, refused)
}

fn of(store: &str, change: ShipmentChange, lines: Vec<LineQty>, refused: Option<Refused>) -> Fact {
    let begun = json!({"shipmentId": "o.s1", "storeId": store, "change": "held"});
    let begun: ShipmentFact = serde_json::from_value(begun).unwrap();
    Fact::Shipment(Box::new(ShipmentFact { change, lines, refused, ..begun }))
}

fn a(pieces: i64) -> Vec<LineQty> {
    vec![pieces_of(1, "A", pieces)]
}

fn absent() -> State {
    State::absent(&Key::Shipment(shipment_id("o", 1)))
}

/// Three A are held, and one has left; two B are held.
fn begun() -> State {
    let held = fact(ShipmentChange::Held, vec![pieces_of(1, "A", 4), pieces_of(2, "B", 2)]);
    applied(applied(absent(), &held), &fact(ShipmentChange::Shipped, a(1)))
}

#[test]
fn a_shipment_begins_with_what_it_holds() {
    let held = |lines| fact(ShipmentChange::Held, lines);
    let many = |count: u16| held((1..=count).map(|line| pieces_of(line, "A", 1)).collect());
    let mut first = vec![
        ("nothing is held", held(Vec::new()), PIECES),
        ("201 lines", many(201), PIECES),
        ("no piece", held(a(0)), PIECES),
        ("fewer than no piece", held(a(-1)), PIECES),
        ("a line twice", held(vec![pieces_of(1, "A", 1), pieces_of(1, "A", 1)]), PIECES),
        ("lines that fall", held(vec![pieces_of(2, "B", 1), pieces_of(1, "A", 1)]), PIECES),
        (
            "more pieces than a number can tell",
            held(vec![pieces_of(1, "A", INTEGER_MAX), pieces_of(2, "B", 1)]),
            "too large",
        ),
        ("refused as it begins", with(ShipmentChange::Held, a(1), Some(Refused::Busy)), STEP),
        ("instructed first", fact(ShipmentChange::Instructed, Vec::new()), STEP),
    ];
    let moves = [
        ShipmentChange::Shipped,
        ShipmentChange::Delivered,
        ShipmentChange::Refused,
        ShipmentChange::Cancelled,
    ];
    first.extend(moves.map(|change| ("pieces move first", fact(change, a(1)), STEP)));
    are_refused(&absent(), first);
    applied(absent(), &many(200));
    are_refused(&begun(), vec![("it begins twice", held(a(1)), STEP)]);
}

#[test]
fn a_shipment_moves_the_pieces_that_it_has() {
    let changes = [
        ShipmentChange::Shipped,
        ShipmentChange::Delivered,
        ShipmentChange::Refused,
        ShipmentChange::Cancelled,
    ];
    for change in changes {
        let held = if change == ShipmentChange::Delivered { 1 } else { 3 };
        let twice = vec![pieces_of(1, "A", held), pieces_of(1, "A", 1)];
        let second = vec![pieces_of(2, "B", 1), pieces_of(1, "A", held + 1)];
        are_refused(
            &begun(),
            vec![
                ("more than it has", fact(change, a(held + 1)), PIECES),
                ("more than a number can tell", fact(change, a(INTEGER_MAX)), PIECES),
                ("more in two parts", fact(change, twice), PIECES),
                ("the second of two lines", fact(change, second), PIECES),
                ("a line that is not there", fact(change, vec![pieces_of(3, "A", 1)]), PIECES),
                ("another SKU of the line", fact(change, vec![pieces_of(1, "B", 1)]), PIECES),
                ("no piece", fact(change, a(0)), PIECES),
                ("fewer than no piece", fact(change, a(-1)), PIECES),
                ("no lines", fact(change, Vec::new()), STEP),
                (
                    "another store",
                    of("PARIS", change, a(1), (change == ShipmentChange::Refused).then_some(Refused::Busy)),
                    STEP,
                ),
            ],
        );
        applied(begun(), &fact(change, a(held)));
    }
    are_refused(
        &begun(),
        vec![
            ("refused without a reason", with(ShipmentChange::Refused, a(1), None), STEP),
            (
                "cancelled for a reason to refuse",
                with(ShipmentChange::Cancelled, a(1), Some(Refused::Busy)),
                STEP,
            ),
            (
                "shipped for a reason to refuse",
                with(ShipmentChange::Shipped, a(1), Some(Refused::Short)),
                STEP,
            ),
            ("instructed about pieces", fact(ShipmentChange::Instructed, a(1)), STEP),
            ("instructed in another store", of("PARIS", ShipmentChange::Instructed, Vec::new(), None), STEP),
        ],
    );
}

#[test]
fn an_event_of_another_kind_is_refused() {
    let order = placed_order().state(&Key::Order(order_id("o")));
    let of_shipment = fact(ShipmentChange::Shipped, a(1));
    are_refused(&order, vec![("an order", of_shipment.clone(), "another kind")]);
    let of_order = super::order::fact(onhand_domain::orders::OrderChange::Confirmed, super::order::nothing());
    are_refused(&begun(), vec![("a shipment", of_order, "another kind")]);
    let level = placed_order().state(&crate::orders::level("BERLIN", "A"));
    are_refused(&level, vec![("a level", of_shipment, "another kind")]);
}

/// The record of a state with a member replaced.
fn spoilt(state: &State, key: &Key, (pointer, value): (&str, serde_json::Value)) -> StateRecord {
    let mut json = serde_json::to_value(state.record(key)).unwrap();
    *json.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
    serde_json::from_value(json).unwrap()
}

#[test]
fn a_record_that_contradicts_itself_is_no_state() {
    let (order, shipment) = (Key::Order(order_id("o")), Key::Shipment(shipment_id("o", 1)));
    let number = serde_json::Value::from;
    for (key, pointer, value) in [
        (&order, "/order/version", number(0)),
        (&order, "/order/openShipments", json!([1, 3])),
        (&order, "/order/openShipments", json!([0])),
        (&order, "/order/placed/lines", json!([])),
        (&order, "/order/placed/lines/0/line", number(2)),
        (&order, "/order/placed/lines/0/pieces/waiting", number(4)),
        (&order, "/order/placed/lines/1/qty", number(INTEGER_MAX)),
        (&shipment, "/shipment/version", number(0)),
        (&shipment, "/shipment/lines", json!([])),
        (&shipment, "/shipment/lines/0/qty", number(0)),
        (&shipment, "/shipment/lines/0/shipped", number(3)),
        (&shipment, "/shipment/lines/0/shipped", number(-1)),
        (&shipment, "/shipment/lines/0/delivered", number(1)),
        (&shipment, "/shipment/lines/0/dropped", number(3)),
    ] {
        let state = placed_order().state(key);
        let record = spoilt(&state, key, (pointer, value));
        assert!(record.clone().restore().is_err(), "{pointer}");
        let mut after = state.clone();
        let taken = Fact::Take(Box::new(Taken { epoch: 1, state: record }));
        assert!(after.apply(&taken, Timestamp::EPOCH).is_err(), "{pointer}");
        assert_eq!(after, state, "{pointer}");
    }
    // Nor is a state taken over in an older version than was seen.
    for key in [order, shipment] {
        let state = placed_order().state(&key);
        let pointer = format!("/{}/version", key.tag());
        let mut newer = spoilt(&state, &key, (&pointer, number(9))).restore().unwrap().1;
        let taken = Fact::Take(Box::new(Taken { epoch: 1, state: state.record(&key) }));
        assert_eq!(newer.apply(&taken, Timestamp::EPOCH).unwrap_err(), Misfit::TAKEN);
    }
}
