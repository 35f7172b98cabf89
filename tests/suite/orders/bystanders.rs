//! What orders mean for others: the routes of stock, and a strict catalogue.

use super::placing::{refused, stocked, three};
use super::{Desk, level, line, on, place, placed, planned, receive, reserve, shipment_id, sku_of, stock};
use crate::node::qty;
use onhand_domain::orders::{OrderStep, Partial, Planned};
use onhand_domain::stock::{Batch, Commit, Operation, Reserved, StockFact, Verb};
use onhand_domain::{Command, Fact, Rejection, StoreId, Timestamp};

#[test]
fn routes_of_stock_leave_the_holds_of_shipments_alone() {
    let id = || shipment_id("o", 1).reservation_id();
    let held = || Rejection::HeldByShipment { reservation_id: id() };
    let Command::Stock(reserving) = reserve("BERLIN", "A", "o.s1", 1) else { panic!("it is one") };
    let verbs = [
        reserving.verb,
        Verb::Release { reservation_id: id(), qty: None },
        Verb::Release { reservation_id: id(), qty: Some(qty(1)) },
        Verb::Commit(Commit { reservation_id: id(), qty: None, close_remainder: false }),
        Verb::Commit(Commit { reservation_id: id(), qty: Some(qty(1)), close_remainder: true }),
    ];
    for verb in verbs {
        for mut desk in [stocked(), stocked().given(&three())] {
            let command = stock("BERLIN", "A", verb.clone());
            assert_eq!(refused(&mut desk, &command), held(), "also where there is no shipment");
            let Command::Stock(command) = command else { panic!("it is one") };
            let operations = vec![Operation { command, idempotency: None, known: None }];
            assert_eq!(refused(&mut desk, &Command::Batch(Batch { atomic: true, operations })), held());
        }
    }
    let mut desk = stocked().given(&three());
    let told = refused(&mut desk, &receive("BERLIN", "A", -3));
    assert_eq!(told, Rejection::InsufficientStock { available: qty(2), current_version: 2 });
    let counted = Verb::Count { counted: qty(2), as_of: None, reason: None };
    let told = refused(&mut desk, &stock("BERLIN", "A", counted));
    assert_eq!(told.code(), "insufficient-stock", "what is held stays");
    desk.ask(&stock("BERLIN", "A", Verb::Count { counted: qty(3), as_of: None, reason: None })).unwrap();
}

/// Before there were shipments, a reservation could have such an id.
#[test]
fn an_older_reservation_of_that_id_is_in_nobodys_way_but_that_orders() {
    let mut desk = stocked();
    let key = level("BERLIN", "A");
    let mut old = desk.state(&key);
    let reserved = Reserved {
        sku: sku_of("A"),
        store_id: StoreId::new("BERLIN").unwrap(),
        qty: qty(1),
        reservation_id: shipment_id("o", 1).reservation_id(),
        expires_at: None,
        expected_version: None,
        reference: None,
    };
    old.apply(&Fact::Level(StockFact::Reserve(reserved)), Timestamp::EPOCH).unwrap();
    desk.states.insert(key, old);
    let told = refused(&mut desk, &three());
    assert_eq!(told, Rejection::AlreadyExists { reservation_id: shipment_id("o", 1).reservation_id() });
}

#[test]
fn a_strict_catalogue_has_every_sku_that_a_store_holds() {
    let mut strict = Desk { unlisted: [sku_of("A")].into(), ..stocked() };
    let not_found = Rejection::ProductNotFound { sku: sku_of("A") };
    assert_eq!(refused(&mut strict, &three()), not_found);
    strict.ask(&place("o", placed(vec![line(1, "A", 3, 3)], Partial::Backorder), Vec::new())).unwrap();
    let plan = || -> Vec<Planned> { vec![planned("BERLIN", &[(1, "A", 3)])] };
    assert_eq!(refused(&mut strict, &on("o", OrderStep::Allot(plan()))), not_found);
    strict.unlisted.clear();
    strict.ask(&on("o", OrderStep::Allot(plan()))).unwrap();
    // What a store holds already leaves it, listed or not.
    strict.unlisted.insert(sku_of("A"));
    strict.ask(&on("o", OrderStep::Ship(onhand_domain::orders::Carrier::default()))).unwrap();
    assert_eq!(strict.state(&level("BERLIN", "A")).version(), 3);
    assert_eq!(strict.order("o").shipments.len(), 1);
}
