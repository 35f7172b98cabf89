//! Events of an order that cannot be.

use super::{applied, are_refused, placed_order};
use crate::node::qty;
use crate::orders::{line, order_id, placed, store_id};
use onhand_domain::limits::INTEGER_MAX;
use onhand_domain::orders::{Line, LineDelta, Opened, OrderChange, OrderFact, Partial, Pieces};
use onhand_domain::{Fact, Key, State};
use serde_json::json;

pub(super) fn order() -> State {
    placed_order().state(&Key::Order(order_id("o")))
}

/// A step without anything that it changes.
pub(super) fn nothing() -> OrderFact {
    serde_json::from_value(json!({"orderId": "o", "change": "confirmed"})).unwrap()
}

pub(super) fn fact(change: OrderChange, rest: OrderFact) -> Fact {
    Fact::Order(Box::new(OrderFact { change, ..rest }))
}

fn placing(lines: Vec<Line>) -> Fact {
    let placed = Some(Box::new(placed(lines, Partial::Backorder)));
    fact(OrderChange::Placed, OrderFact { placed, ..nothing() })
}

fn with(pieces: Pieces) -> Vec<Line> {
    vec![Line { pieces, ..line(1, "A", 3, 0) }]
}

fn moving(line: u16, pieces: Pieces) -> LineDelta {
    LineDelta { line, pieces }
}

fn deltas(change: OrderChange, lines: Vec<LineDelta>) -> Fact {
    fact(change, OrderFact { lines, ..nothing() })
}

fn opening(numbers: impl IntoIterator<Item = u16>) -> Fact {
    let opened = numbers.into_iter().map(|number| Opened { number, store_id: store_id("ROME") }).collect();
    fact(OrderChange::Allotted, OrderFact { opened, ..nothing() })
}

fn closing(closed: Vec<u16>) -> Fact {
    fact(OrderChange::Delivered, OrderFact { closed, ..nothing() })
}

const NONE: Pieces =
    Pieces { cancelled: zero(), waiting: zero(), shipped: zero(), delivered: zero(), returned: zero() };

const fn zero() -> onhand_domain::Quantity {
    onhand_domain::Quantity::ZERO
}

#[test]
fn an_order_begins_with_its_placing_and_has_one() {
    const STEP: &str = "does not follow";
    let absent = State::absent(&Key::Order(order_id("o")));
    let lines = || vec![line(1, "A", 3, 3)];
    let with_placed = |change| {
        fact(change, OrderFact { placed: Some(Box::new(placed(lines(), Partial::Refuse))), ..nothing() })
    };
    let mut first = Vec::new();
    for change in [
        OrderChange::Confirmed,
        OrderChange::Allotted,
        OrderChange::Shipped,
        OrderChange::Delivered,
        OrderChange::Cancelled,
        OrderChange::Refused,
        OrderChange::Withdrawn,
        OrderChange::Held,
        OrderChange::HoldReleased,
    ] {
        first.push(("another step comes first", fact(change, nothing()), STEP));
        first.push(("a placing under another name", with_placed(change), STEP));
    }
    first.push(("nothing is placed", fact(OrderChange::Placed, nothing()), STEP));
    are_refused(&absent, first);
    let again = vec![
        ("placed twice", placing(lines()), STEP),
        ("placed twice, with nothing", fact(OrderChange::Placed, nothing()), STEP),
        ("placed again under another name", with_placed(OrderChange::Confirmed), STEP),
    ];
    are_refused(&order(), again);
}

#[test]
fn lines_that_cannot_be_are_not_placed() {
    const LINES: &str = "lines that cannot be";
    let many = |count: u16| placing((1..=count).map(|number| line(number, "A", 1, 1)).collect());
    let numbered = |numbers: [u16; 2]| placing(numbers.map(|number| line(number, "A", 1, 1)).to_vec());
    let (one, four) = (qty(1), qty(4));
    let moved = |lines| {
        let placed = Some(Box::new(placed(vec![line(1, "A", 3, 3)], Partial::Backorder)));
        fact(OrderChange::Placed, OrderFact { placed, lines, ..nothing() })
    };
    let cannot_be = vec![
        ("no lines", placing(Vec::new()), LINES),
        ("201 lines", many(201), LINES),
        ("numbers from 2", numbered([2, 3]), LINES),
        ("numbers from 0", numbered([0, 1]), LINES),
        ("a number left out", numbered([1, 3]), LINES),
        ("a number twice", numbered([1, 1]), LINES),
        ("numbers that fall", numbered([2, 1]), LINES),
        ("no pieces", placing(vec![line(1, "A", 0, 0)]), LINES),
        ("fewer than no pieces", placing(vec![line(1, "A", -1, 0)]), LINES),
        ("more wait than were ordered", placing(with(Pieces { waiting: four, ..NONE })), LINES),
        ("more are cancelled than were ordered", placing(with(Pieces { cancelled: four, ..NONE })), LINES),
        (
            "both together are more",
            placing(with(Pieces { cancelled: qty(2), waiting: qty(2), ..NONE })),
            LINES,
        ),
        ("fewer than none wait", placing(with(Pieces { waiting: qty(-1), ..NONE })), LINES),
        ("fewer than none are cancelled", placing(with(Pieces { cancelled: qty(-1), ..NONE })), LINES),
        ("shipped before it was placed", placing(with(Pieces { shipped: one, ..NONE })), LINES),
        (
            "delivered before it was placed",
            placing(with(Pieces { shipped: one, delivered: one, ..NONE })),
            LINES,
        ),
        (
            "returned before it was placed",
            placing(with(Pieces { shipped: one, returned: one, ..NONE })),
            LINES,
        ),
        ("moved while it is placed", moved(vec![moving(1, Pieces { waiting: qty(-1), ..NONE })]), LINES),
        (
            "more pieces than a number can tell",
            placing(vec![line(1, "A", INTEGER_MAX, 0), line(2, "B", 1, 0)]),
            "too large",
        ),
    ];
    let absent = State::absent(&Key::Order(order_id("o")));
    are_refused(&absent, cannot_be);
    applied(absent.clone(), &many(200));
    let most = placing(vec![line(1, "A", INTEGER_MAX - 1, 0), line(2, "B", 1, 1)]);
    applied(absent, &most);
}

#[test]
fn no_line_has_more_pieces_than_were_ordered_or_less_than_none() {
    const PIECES: &str = "more pieces than were ordered, or less than none";
    let shipping =
        |line, shipped| deltas(OrderChange::Shipped, vec![moving(line, Pieces { shipped, ..NONE })]);
    let arriving =
        |line, delivered| deltas(OrderChange::Delivered, vec![moving(line, Pieces { delivered, ..NONE })]);
    let coming =
        |line, returned| deltas(OrderChange::Delivered, vec![moving(line, Pieces { returned, ..NONE })]);
    let waiting = |waiting| deltas(OrderChange::Refused, vec![moving(1, Pieces { waiting, ..NONE })]);
    let cancelled = |cancelled| deltas(OrderChange::Cancelled, vec![moving(1, Pieces { cancelled, ..NONE })]);
    let order = applied(order(), &shipping(1, qty(1)));
    are_refused(
        &order,
        vec![
            ("a line that is not there", shipping(3, qty(1)), "a line that the order does not have"),
            ("line 0", shipping(0, qty(1)), "a line that the order does not have"),
            ("more are shipped than shipments hold", shipping(1, qty(2)), PIECES),
            ("shipped again than were ordered", shipping(2, qty(3)), PIECES),
            ("fewer than none are shipped", shipping(2, qty(-1)), PIECES),
            ("more are delivered than shipped", arriving(1, qty(2)), PIECES),
            ("delivered where nothing was shipped", arriving(2, qty(1)), PIECES),
            ("fewer than none are delivered", arriving(1, qty(-1)), PIECES),
            ("more come back than were shipped", coming(1, qty(2)), PIECES),
            ("fewer than none come back", coming(1, qty(-1)), PIECES),
            ("fewer than none wait", waiting(qty(-2)), PIECES),
            ("more wait than are open", waiting(qty(2)), PIECES),
            ("more are cancelled than are open", cancelled(qty(2)), PIECES),
            ("fewer than none are cancelled", cancelled(qty(-1)), PIECES),
            ("what is shipped comes undone", shipping(1, qty(-2)), PIECES),
            ("a number that no reader can tell", waiting(qty(INTEGER_MAX)), "too large"),
            (
                "the second of two moves",
                deltas(
                    OrderChange::Shipped,
                    vec![
                        moving(2, Pieces { shipped: qty(2), ..NONE }),
                        moving(1, Pieces { shipped: qty(2), ..NONE }),
                    ],
                ),
                PIECES,
            ),
            (
                "twice the same line",
                deltas(
                    OrderChange::Shipped,
                    vec![
                        moving(2, Pieces { shipped: qty(1), ..NONE }),
                        moving(2, Pieces { shipped: qty(2), ..NONE }),
                    ],
                ),
                PIECES,
            ),
        ],
    );
}

#[test]
fn shipments_are_opened_in_order_and_closed_once() {
    const SHIPMENT: &str = "opens or closes a shipment that is not in the right state";
    are_refused(
        &order(),
        vec![
            ("a number is left out", opening([4]), SHIPMENT),
            ("opened twice", opening([2]), SHIPMENT),
            ("the first one again", opening([1]), SHIPMENT),
            ("number 0", opening([0]), SHIPMENT),
            ("a number twice in one event", opening([3, 3]), SHIPMENT),
            ("out of order", opening([4, 3]), SHIPMENT),
            ("an unknown one is closed", closing(vec![3]), SHIPMENT),
            ("closed twice in one event", closing(vec![1, 1]), SHIPMENT),
            ("a known one and an unknown one", closing(vec![1, 7]), SHIPMENT),
            ("51 at once", opening(3..=51), SHIPMENT),
        ],
    );
    let full = applied(order(), &opening(3..=50));
    are_refused(&full, vec![("one more", opening([51]), SHIPMENT)]);
    let closed = applied(order(), &closing(vec![1]));
    are_refused(&closed, vec![("closed twice", closing(vec![1]), SHIPMENT)]);
    let mut last = applied(order(), &closing(vec![1, 2]));
    for number in 3..=999 {
        last = applied(applied(last, &opening([number])), &closing(vec![number]));
    }
    are_refused(&last, vec![("the thousandth", opening([1_000]), SHIPMENT)]);
}
