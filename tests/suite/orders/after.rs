//! Payments, returns and the hold of an order, as tables.

use super::shown::outcome;
use super::{Desk, expecting, line, on, place, placed, planned, receive, store_id};
use crate::node::qty;
use onhand_domain::orders::{
    Carrier, OrderStep, Partial, Payment, PaymentKind, PaymentStatus, Return, ReturnLine, ReturnState,
};
use onhand_domain::stock::{AdjustKind, StockFact};
use onhand_domain::{Command, Expected, Fact, PaymentId, Rejection, ReturnId, Timestamp};
use serde_json::to_value;
use std::fmt::Write as _;

/// An order of 3 A, 2 B and 1 A more at 1.00 a piece, shipped by Berlin.
fn shipped() -> Desk {
    let lines = vec![line(1, "A", 3, 0), line(2, "B", 2, 0), line(3, "A", 1, 0)];
    let plan = vec![planned("BERLIN", &[(1, "A", 3), (2, "B", 2), (3, "A", 1)])];
    let placing = place("o", placed(lines, Partial::Refuse), plan);
    let ship = on("o", OrderStep::Ship(Carrier::default()));
    let steps = [receive("BERLIN", "A", 9), receive("BERLIN", "B", 9), placing, ship];
    steps.iter().fold(Desk::default(), Desk::given)
}

fn pay(id: &str, kind: PaymentKind, amount: i64) -> Command {
    let (payment_id, amount) = (PaymentId::new(id).unwrap(), qty(amount));
    on("o", OrderStep::Pay(Payment { payment_id, kind, amount, reference: None, at: Timestamp::EPOCH }))
}

/// The records so far, the next one, and the status after it, or what is left to take or to give back.
type Row = (&'static [(PaymentKind, i64)], (PaymentKind, i64), Result<PaymentStatus, i64>);

#[test]
fn payments_add_up_and_stay_within_their_bounds() {
    use PaymentKind::{Authorised, Captured, Disputed, Failed, Refunded, Settled, Voided};
    use PaymentStatus as Status;
    // The order costs 600.
    let rows: [Row; 27] = [
        (&[], (Failed, 900), Ok(Status::Unpaid)),
        (&[], (Authorised, 900), Ok(Status::Authorised)),
        (&[(Authorised, 600)], (Voided, 600), Ok(Status::Unpaid)),
        (&[(Authorised, 600)], (Voided, 601), Err(600)),
        (&[], (Voided, 1), Err(0)),
        (&[], (Captured, 600), Ok(Status::Paid)),
        (&[], (Captured, 599), Ok(Status::PartPaid)),
        (&[], (Captured, 601), Err(600)),
        (&[(Captured, 600)], (Captured, 1), Err(0)),
        (&[(Captured, 500)], (Captured, 101), Err(100)),
        (&[(Authorised, 700)], (Captured, 700), Ok(Status::Paid)),
        (&[(Authorised, 700)], (Captured, 701), Err(700)),
        (&[(Authorised, 700), (Voided, 100)], (Captured, 601), Err(600)),
        (&[(Authorised, 100)], (Captured, 600), Ok(Status::Paid)),
        (&[], (Refunded, 1), Err(0)),
        (&[(Captured, 600)], (Refunded, 600), Ok(Status::Refunded)),
        (&[(Captured, 600)], (Refunded, 1), Ok(Status::PartRefunded)),
        (&[(Captured, 600)], (Refunded, 601), Err(600)),
        (&[(Captured, 600), (Refunded, 500)], (Refunded, 101), Err(100)),
        (&[(Captured, 100)], (Refunded, 100), Ok(Status::Refunded)),
        (&[], (Disputed, 1), Err(0)),
        (&[(Captured, 600)], (Disputed, 600), Ok(Status::Disputed)),
        (&[(Captured, 600), (Disputed, 600)], (Disputed, 1), Err(0)),
        (&[(Captured, 600), (Disputed, 600)], (Settled, 600), Ok(Status::Paid)),
        (&[(Captured, 600), (Disputed, 600)], (Settled, 599), Ok(Status::Disputed)),
        (&[(Captured, 600), (Disputed, 600)], (Settled, 601), Err(600)),
        (&[], (Settled, 1), Err(0)),
    ];
    for (given, (kind, amount), then) in rows {
        let before =
            (0..).zip(given).map(|(number, (kind, amount))| pay(&format!("p-{number}"), *kind, *amount));
        let mut desk = before.fold(shipped(), |desk, payment| desk.given(&payment));
        let decided = desk.ask(&pay("last", kind, amount)).map(|events| events.len());
        let owed = then.map(|_| 1).map_err(|room| Rejection::AmountExceeds { available: qty(room) });
        assert_eq!(decided, owed, "{given:?}, {kind:?} {amount}");
        if let Ok(status) = then {
            assert_eq!(desk.order("o").payment_status(), status, "{given:?}, {kind:?} {amount}");
        }
    }
}

#[test]
fn a_payment_is_recorded_once_at_the_time_of_the_decision() {
    let mut desk = shipped();
    let now = desk.now();
    desk.ask(&pay("p-1", PaymentKind::Captured, 100)).unwrap();
    assert_eq!(desk.order("o").payments[0].at, now);
    assert_eq!(desk.ask(&pay("p-1", PaymentKind::Captured, 100)), Ok(Vec::new()), "the same once more");
    for other in [pay("p-1", PaymentKind::Captured, 101), pay("p-1", PaymentKind::Refunded, 100)] {
        assert_eq!(desk.ask(&other), Err(Rejection::PaymentExists));
    }
    for number in 2..=200 {
        desk.ask(&pay(&format!("p-{number}"), PaymentKind::Failed, 1)).unwrap();
    }
    assert_eq!(desk.ask(&pay("p-201", PaymentKind::Failed, 1)), Err(Rejection::TooManyPayments));
    let stale = expecting("o", Expected::Version(1), OrderStep::Hold { hold: true, reason: None });
    assert_eq!(desk.ask(&stale), Err(Rejection::VersionConflict { current_version: 203 }));
}

#[test]
fn an_order_without_prices_is_captured_without_a_bound() {
    let free = onhand_domain::orders::Line { unit_price: None, ..line(1, "A", 1, 1) };
    let mut desk = Desk::default().given(&place("o", placed(vec![free], Partial::Backorder), Vec::new()));
    desk.ask(&pay("p-1", PaymentKind::Captured, 9_999)).unwrap();
    assert_eq!(desk.order("o").payment_status(), PaymentStatus::Paid);
}

fn step(id: &str, state: ReturnState, lines: &[(u16, i64, i64)]) -> Command {
    let line = |(line, pieces, sellable): &(u16, i64, i64)| ReturnLine {
        line: *line,
        qty: qty(*pieces),
        sellable: qty(*sellable),
    };
    let step = Box::new(Return {
        return_id: ReturnId::new(id).unwrap(),
        state,
        lines: lines.iter().map(line).collect(),
        store_id: (state == ReturnState::Received).then(|| store_id("ROME")),
        reason: None,
    });
    on("o", OrderStep::Return { step, skus: vec![super::sku_of("A"), super::sku_of("B")] })
}

const STATES: [ReturnState; 5] = [
    ReturnState::Requested,
    ReturnState::Approved,
    ReturnState::Refused,
    ReturnState::Received,
    ReturnState::Closed,
];

/// A return of two A that is in that state.
fn returned(state: Option<ReturnState>) -> Desk {
    let asked = || shipped().given(&step("r", ReturnState::Requested, &[(1, 2, 0)]));
    let received = || asked().given(&step("r", ReturnState::Received, &[(1, 2, 1)]));
    match state {
        None => shipped(),
        Some(ReturnState::Requested) => asked(),
        Some(ReturnState::Closed) => received().given(&step("r", ReturnState::Closed, &[])),
        Some(ReturnState::Received) => received(),
        Some(state) => asked().given(&step("r", state, &[])),
    }
}

#[test]
fn a_return_goes_from_state_to_state() {
    let mut table = String::new();
    for state in std::iter::once(None).chain(STATES.map(Some)) {
        for next in STATES {
            let lines: &[(u16, i64, i64)] = match next {
                ReturnState::Requested => &[(1, 2, 0)],
                ReturnState::Received => &[(1, 2, 1)],
                _ => &[],
            };
            let mut desk = returned(state);
            let decided = desk.ask(&step("r", next, lines));
            let [from, to] = [state, Some(next)].map(|state| to_value(state).unwrap());
            writeln!(table, "{from} -> {to}: {}", outcome(&decided, &desk, "o")).unwrap();
            if decided.is_ok() {
                assert_eq!(desk.order("o").returns[0].state, next);
            }
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn only_pieces_that_were_shipped_and_are_in_no_other_return_come_back() {
    use ReturnState::{Received, Refused, Requested};
    let exceeds = |line, available| Err(Rejection::ReturnExceeds { line, available: qty(available) });
    let mut desk = shipped();
    let mut ask = |id, state, lines: &[_]| desk.ask(&step(id, state, lines)).map(|_| ());
    assert_eq!(ask("r-1", Requested, &[(1, 4, 0)]), exceeds(1, 3));
    assert_eq!(ask("r-1", Requested, &[(1, 1, 0), (2, 3, 0)]), exceeds(2, 2));
    assert_eq!(ask("r-1", Requested, &[(9, 1, 0)]), exceeds(9, 0));
    assert_eq!(ask("r-1", Requested, &[(1, 2, 0)]), Ok(()));
    assert_eq!(ask("r-2", Requested, &[(1, 2, 0)]), exceeds(1, 1), "two are in the other one");
    assert_eq!(ask("r-2", Requested, &[(1, 1, 0)]), Ok(()));
    assert_eq!(
        ask("r-1", Received, &[(1, 3, 0)]),
        exceeds(1, 2),
        "another number may come, but not of the other one"
    );
    assert_eq!(ask("r-2", Refused, &[]), Ok(()));
    assert_eq!(ask("r-1", Received, &[(1, 3, 0)]), Ok(()), "what was refused may come");
    assert_eq!(ask("r-3", Requested, &[(1, 1, 0)]), exceeds(1, 0));
    assert_eq!(ask("r-1", Requested, &[(1, 1, 0)]).unwrap_err().code(), "illegal-transition");
    assert_eq!(ask("r-1", Received, &[(1, 2, 0)]), Err(Rejection::ReturnExists));
    assert_eq!(ask("r-9", Received, &[(1, 1, 0)]), Err(Rejection::ReturnNotFound));
    let mut held = Desk::default().given(&receive("BERLIN", "A", 9)).given(&place(
        "o",
        placed(vec![line(1, "A", 3, 0)], Partial::Refuse),
        vec![planned("BERLIN", &[(1, "A", 3)])],
    ));
    let early = held.ask(&step("r", Requested, &[(1, 1, 0)])).map(|_| ());
    assert_eq!(early, exceeds(1, 0), "nothing has left");
}

#[test]
fn received_pieces_that_can_be_sold_are_stock_of_the_store() {
    let mut desk = returned(Some(ReturnState::Approved));
    let lines = [(1, 2, 1), (2, 1, 0), (3, 1, 1)];
    let events = desk.ask(&step("r", ReturnState::Received, &lines)).unwrap();
    let moved: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.fact {
            Fact::Level(StockFact::Adjust(fact)) => Some((fact.sku.as_str(), fact.delta.get(), fact.kind)),
            _ => None,
        })
        .collect();
    let back = Some(AdjustKind::Return);
    assert_eq!(moved, [("A", 1, back), ("A", 1, back)], "B came back broken");
    assert_eq!((desk.level("ROME", "A").on_hand(), desk.level("ROME", "B").version()), (qty(2), 0));
    let order = desk.order("o");
    assert_eq!(order.lines.iter().map(|line| line.pieces.returned.get()).collect::<Vec<_>>(), [2, 1, 1]);
    let decided = desk.ask(&step("r", ReturnState::Received, &[]));
    assert_eq!(outcome(&decided, &desk, "o"), "nothing to do", "it comes once");
    let mut as_asked = returned(Some(ReturnState::Requested));
    as_asked.ask(&step("r", ReturnState::Received, &[])).unwrap();
    let order = as_asked.order("o");
    assert_eq!((order.lines[0].pieces.returned, as_asked.level("ROME", "A").version()), (qty(2), 0));
}

#[test]
fn an_order_has_a_hundred_returns_and_a_refused_one_counts() {
    let mut desk = shipped();
    for number in 0..100 {
        let id = format!("r-{number}");
        desk.ask(&step(&id, ReturnState::Requested, &[(1, 3, 0)])).unwrap();
        desk.ask(&step(&id, ReturnState::Refused, &[])).unwrap();
    }
    let one_more = step("r-100", ReturnState::Requested, &[(1, 3, 0)]);
    assert_eq!(desk.ask(&one_more), Err(Rejection::TooManyReturns));
}

#[test]
fn a_hold_has_its_reason_and_stays_until_it_is_released() {
    let hold = |hold, reason: &str| on("o", OrderStep::Hold { hold, reason: Some(reason.into()) });
    let mut desk = shipped();
    for (command, told, on_hold) in [
        (hold(false, "none"), "nothing to do", false),
        (hold(true, "fraud?"), "ORDER held (fraud?) => SHIPPED", true),
        (hold(true, "again"), "nothing to do", true),
        (
            on("o", OrderStep::Deliver),
            "o.s1@BERLIN delivered 1:A 3 2:B 2 3:A 1, ORDER delivered 1: delivered+3 2: delivered+2 3: delivered+1 closes s1 => DELIVERED",
            true,
        ),
        (hold(false, "no"), "ORDER hold-released (no) => DELIVERED", false),
    ] {
        let decided = desk.ask(&command);
        assert_eq!(outcome(&decided, &desk, "o"), told);
        assert_eq!(desk.order("o").on_hold, on_hold);
    }
}
