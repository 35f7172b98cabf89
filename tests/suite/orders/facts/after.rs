//! Events of payments and returns that cannot be.

use super::order::{fact, nothing, order};
use super::{applied, are_refused};
use crate::node::qty;
use crate::orders::store_id;
use onhand_domain::limits::INTEGER_MAX;
use onhand_domain::orders::{
    LineDelta, OrderChange, OrderFact, Payment, PaymentKind, Pieces, Return, ReturnLine, ReturnState,
};
use onhand_domain::{Fact, PaymentId, ReturnId, State, Timestamp};

const STEP: &str = "does not follow";

fn payment(id: &str, kind: PaymentKind, amount: i64) -> Payment {
    let payment_id = PaymentId::new(id).unwrap();
    Payment { payment_id, kind, amount: qty(amount), reference: None, at: Timestamp::EPOCH }
}

fn paid(id: &str, kind: PaymentKind, amount: i64) -> Fact {
    let payment = Some(payment(id, kind, amount));
    fact(OrderChange::Payment, OrderFact { payment, ..nothing() })
}

#[test]
fn a_payment_is_recorded_once_and_within_its_bounds() {
    const PAYMENT: &str = "a payment that cannot be";
    let captured = applied(order(), &paid("p-1", PaymentKind::Captured, 300));
    let other = |change| {
        let payment = Some(payment("p-2", PaymentKind::Failed, 1));
        fact(change, OrderFact { payment, ..nothing() })
    };
    are_refused(
        &captured,
        vec![
            ("no payment", fact(OrderChange::Payment, nothing()), STEP),
            ("a payment under another name", other(OrderChange::Confirmed), STEP),
            ("a payment that is a return", other(OrderChange::Return), STEP),
            ("its id once more", paid("p-1", PaymentKind::Captured, 300), PAYMENT),
            ("its id for another one", paid("p-1", PaymentKind::Refunded, 1), PAYMENT),
            ("no amount", paid("p-2", PaymentKind::Captured, 0), PAYMENT),
            ("less than no amount", paid("p-2", PaymentKind::Authorised, -1), PAYMENT),
            ("more than the order costs", paid("p-2", PaymentKind::Captured, 201), PAYMENT),
            ("more given back than was taken", paid("p-2", PaymentKind::Refunded, 301), PAYMENT),
            ("more disputed than was taken", paid("p-2", PaymentKind::Disputed, 301), PAYMENT),
            ("nothing is disputed", paid("p-2", PaymentKind::Settled, 1), PAYMENT),
            ("nothing is authorised", paid("p-2", PaymentKind::Voided, 1), PAYMENT),
        ],
    );
    let authorised = applied(captured, &paid("p-2", PaymentKind::Authorised, INTEGER_MAX));
    are_refused(
        &authorised,
        vec![("beyond all numbers", paid("p-3", PaymentKind::Authorised, 1), "too large")],
    );
    let mut full = order();
    for number in 0..200 {
        full = applied(full, &paid(&format!("p-{number}"), PaymentKind::Failed, 1));
    }
    are_refused(&full, vec![("the 201st", paid("p-200", PaymentKind::Failed, 1), PAYMENT)]);
}

fn back(id: &str, state: ReturnState, lines: &[(u16, i64, i64)], store: Option<&str>) -> Fact {
    let line = |(line, pieces, sellable): &(u16, i64, i64)| ReturnLine {
        line: *line,
        qty: qty(*pieces),
        sellable: qty(*sellable),
    };
    let returned = Return {
        return_id: ReturnId::new(id).unwrap(),
        state,
        lines: lines.iter().map(line).collect(),
        store_id: store.map(store_id),
        reason: None,
    };
    fact(OrderChange::Return, OrderFact { returned: Some(Box::new(returned)), ..nothing() })
}

/// Two A have left.
fn shipped() -> State {
    let left = Pieces { shipped: qty(2), ..Pieces::default() };
    let lines = vec![LineDelta { line: 1, pieces: left }];
    applied(order(), &fact(OrderChange::Shipped, OrderFact { lines, ..nothing() }))
}

#[test]
fn a_return_takes_its_steps_in_order_and_has_pieces_that_were_shipped() {
    use ReturnState::{Approved, Closed, Received, Refused, Requested};
    const RETURN: &str = "a return that cannot be";
    let requested = || applied(shipped(), &back("r-1", Requested, &[(1, 1, 0)], None));
    let received = || applied(requested(), &back("r-1", Received, &[(1, 1, 1)], Some("ROME")));
    are_refused(
        &requested(),
        vec![
            ("no return", fact(OrderChange::Return, nothing()), STEP),
            ("requested twice", back("r-1", Requested, &[(1, 1, 0)], None), RETURN),
            ("closed before it came", back("r-1", Closed, &[(1, 1, 0)], Some("ROME")), RETURN),
            ("of nothing", back("r-2", Requested, &[], None), RETURN),
            ("of no piece", back("r-2", Requested, &[(1, 0, 0)], None), RETURN),
            ("of fewer than no piece", back("r-2", Requested, &[(1, -1, 0)], None), RETURN),
            ("a line twice", back("r-2", Requested, &[(1, 1, 0), (1, 1, 0)], None), RETURN),
            ("a line that is not there", back("r-2", Requested, &[(3, 1, 0)], None), RETURN),
            ("what was not shipped", back("r-2", Requested, &[(2, 1, 0)], None), RETURN),
            ("more than was shipped", back("r-2", Requested, &[(1, 2, 0)], None), RETURN),
            ("more than was shipped, as it comes", back("r-1", Received, &[(1, 3, 0)], Some("ROME")), RETURN),
            ("it comes to no store", back("r-1", Received, &[(1, 1, 0)], None), RETURN),
            ("a store before it came", back("r-1", Approved, &[(1, 1, 0)], Some("ROME")), RETURN),
            ("more can be sold than came", back("r-1", Received, &[(1, 1, 2)], Some("ROME")), RETURN),
            ("fewer than none can be sold", back("r-1", Received, &[(1, 1, -1)], Some("ROME")), RETURN),
        ],
    );
    for state in [Approved, Refused, Received, Closed] {
        let store = matches!(state, Received | Closed).then_some("ROME");
        are_refused(&shipped(), vec![("not requested", back("r-1", state, &[(1, 1, 0)], store), RETURN)]);
    }
    for state in [Requested, Approved, Refused, Received] {
        let store = (state == Received).then_some("ROME");
        are_refused(&received(), vec![("it has come", back("r-1", state, &[(1, 1, 0)], store), RETURN)]);
    }
    applied(received(), &back("r-1", Closed, &[(1, 1, 1)], Some("ROME")));
    let refused = applied(requested(), &back("r-1", Refused, &[(1, 1, 0)], None));
    are_refused(&refused, vec![("it was refused", back("r-1", Approved, &[(1, 1, 0)], None), RETURN)]);
    // What was refused may be asked for again.
    applied(refused, &back("r-2", Requested, &[(1, 2, 0)], None));
}

#[test]
fn an_order_has_a_hundred_returns_and_no_more() {
    let mut full = shipped();
    for number in 0..100 {
        let id = format!("r-{number}");
        full = applied(full, &back(&id, ReturnState::Requested, &[(1, 1, 0)], None));
        full = applied(full, &back(&id, ReturnState::Refused, &[(1, 1, 0)], None));
    }
    let one_more = back("r-100", ReturnState::Requested, &[(1, 1, 0)], None);
    are_refused(&full, vec![("the 101st", one_more, "a return that cannot be")]);
}
