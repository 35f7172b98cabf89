//! As `play`, of the steps of one shipment, of returns, and of stock.

use super::acts::{PartVerb, Verb};
use super::play::{SKU_NAMES, STORE_NAMES, carrier, name, named, plan, said, seen};
use crate::node::qty;
use crate::orders::oracle::{Answer, Back, Books, Why};
use crate::orders::{Desk, order_id, pieces_of, receive, reserve, shipment_id, sku_of, stock, store_id};
use onhand_domain::orders::{OrderCommand, OrderStep, PartStep, Refused, Return, ReturnLine, ReturnState};
use onhand_domain::stock::{Commit, Verb as StockVerb};
use onhand_domain::{Command, Key, ReservationId, ReturnId};
use std::collections::BTreeMap;

const RETURNS: [(ReturnState, &str); 5] = [
    (ReturnState::Requested, "requested"),
    (ReturnState::Approved, "approved"),
    (ReturnState::Refused, "refused"),
    (ReturnState::Received, "received"),
    (ReturnState::Closed, "closed"),
];

/// A step of one shipment.
pub(super) fn part(
    (step, count): (&PartVerb, usize),
    desk: &Desk,
    books: &mut Books,
    (order, number, wrong_store, stale): (usize, u16, bool, bool),
) -> (Command, Answer) {
    let parcel = books.parcels.get(&(order, number));
    let store = parcel.map_or(0, |parcel| (parcel.store + usize::from(wrong_store)) % STORE_NAMES.len());
    let at = (order, number, store);
    let (step, answer) = match step {
        PartVerb::Instruct => (PartStep::Instruct, books.instruct(at, stale)),
        PartVerb::Ship(most) => {
            let pieces = most.map(|most| some_of(books, (order, number), most));
            let bundles = parcel.map(|parcel| parcel.bundles.clone()).unwrap_or_default();
            let lines = pieces.iter().flatten();
            let lines = lines.map(|(line, pieces)| pieces_of(*line, SKU_NAMES[bundles[line].sku], *pieces));
            let step = PartStep::Ship { lines: lines.collect(), carrier: carrier(count) };
            // Without a line it is about all of them.
            let pieces = pieces.filter(|pieces| !pieces.is_empty());
            (step, books.ship_part(at, stale, pieces.as_ref()))
        }
        PartVerb::Deliver => (PartStep::Deliver, books.deliver_part(at, stale)),
        PartVerb::Refuse { why, reason, wish } => {
            let refused = match why {
                Why::NotThere => Refused::NotInStock,
                Why::Lost => [Refused::Short, Refused::Damaged][*reason],
                Why::Stays => [Refused::Busy, Refused::Closed][*reason],
            };
            let bundles = parcel.map(|parcel| parcel.bundles.clone()).unwrap_or_default();
            let held = bundles.iter().filter(|(_, bundle)| bundle.held > 0);
            let plan =
                plan(books, &held.map(|(line, bundle)| (*line, (bundle.sku, bundle.held))).collect(), wish);
            let planned = named(&plan, |line| bundles[&line].sku);
            (
                PartStep::Refuse { refused, reason: said(count), planned },
                books.refuse(at, stale, (*why, &plan)),
            )
        }
        PartVerb::Cancel => (PartStep::Cancel { reason: said(count) }, books.cancel_part(at, stale)),
    };
    let expected = seen(desk, &Key::Shipment(shipment_id(&name(order), number)), stale);
    let step = OrderStep::Part { number, store_id: store_id(STORE_NAMES[store]), step };
    let order_id = order_id(&name(order));
    (Command::Order(OrderCommand { order_id, expected, step, beside: Vec::new() }), answer)
}

/// At most so many pieces of each line that is held; three pieces of all lines, whatever is held.
fn some_of(books: &Books, parcel: (usize, u16), most: i64) -> BTreeMap<u16, i64> {
    let Some(parcel) = books.parcels.get(&parcel) else { return BTreeMap::new() };
    if most == 3 {
        return parcel.bundles.keys().map(|line| (*line, most)).collect();
    }
    parcel.held().into_iter().map(|(line, held)| (line, held.min(most))).collect()
}

/// A step of a return: of a piece or two of each line that was shipped.
pub(super) fn returned(
    verb: &Verb,
    books: &mut Books,
    order: usize,
    stale: bool,
) -> Option<(OrderStep, Answer)> {
    let Verb::Return { id, state, pieces, sellable, store } = verb else { return None };
    let (to, said) = RETURNS[*state];
    let (is_asked, is_received) = (to == ReturnState::Requested, to == ReturnState::Received);
    let most = if is_asked { (*pieces).max(1) } else { *pieces };
    let mut lines = BTreeMap::new();
    let rows = books.orders.get(&order).map(|paper| paper.rows.clone()).unwrap_or_default();
    if (is_asked || is_received) && most > 0 {
        let sellable = if is_received { most.min(*sellable) } else { 0 };
        let shipped = rows.iter().filter(|(line, row)| row.shipped > 0 || **line == 1);
        lines.extend(shipped.map(|(line, _)| (*line, (most, sellable))));
    }
    let line = |(line, (pieces, sellable)): (&u16, &(i64, i64))| ReturnLine {
        line: *line,
        qty: qty(*pieces),
        sellable: qty(*sellable),
    };
    let step = Return {
        return_id: ReturnId::new(&format!("r-{id}")).unwrap(),
        state: to,
        lines: lines.iter().map(line).collect(),
        store_id: is_received.then(|| store_id(STORE_NAMES[*store])),
        reason: is_asked.then(|| "too small".into()),
    };
    let skus = rows.values().map(|row| sku_of(SKU_NAMES[row.sku])).collect();
    let back = Back { state: said, pieces: lines, store: is_received.then_some(*store) };
    let step = OrderStep::Return { step: Box::new(step), skus };
    Some((step, books.take_back(order, stale, *id, back)))
}

/// A movement of stock.
pub(super) fn moved(verb: &Verb, books: &mut Books, number: usize) -> Option<(Command, Answer)> {
    let names = |store: &usize, sku: &usize| (STORE_NAMES[*store], SKU_NAMES[*sku]);
    Some(match verb {
        Verb::Adjust { store, sku, delta } => {
            let (at, of) = names(store, sku);
            (receive(at, of, *delta), books.adjust((*store, *sku), *delta))
        }
        Verb::Count { store, sku, more } => {
            let ((at, of), counted) = (names(store, sku), (books.reserved(*store, *sku) + more).max(0));
            let verb = StockVerb::Count { counted: qty(counted), as_of: None, reason: None };
            (stock(at, of, verb), books.count((*store, *sku), counted))
        }
        Verb::OtherHolds { store, sku, pieces } => {
            let ((at, of), name) = (names(store, sku), format!("till-{number}"));
            (reserve(at, of, &name, *pieces), books.other_holds((*store, *sku), &name, *pieces))
        }
        Verb::OtherEnds { which, takes } => {
            let key = books.others.keys().nth(which.checked_rem(books.others.len())?)?.clone();
            let ((at, of), reservation_id) = (names(&key.0, &key.1), ReservationId::new(&key.2).unwrap());
            let verb = if *takes {
                StockVerb::Commit(Commit { reservation_id, qty: None, close_remainder: false })
            } else {
                StockVerb::Release { reservation_id, qty: None }
            };
            (stock(at, of, verb), books.other_ends(&key, *takes))
        }
        _ => return None,
    })
}

/// A public route of stock on the hold of a shipment, whether that is there or not.
pub(super) fn meddle(books: &Books, order: usize, number: u16) -> (Command, Answer) {
    let parcel = books.parcels.get(&(order, number));
    let (store, sku) =
        parcel.map_or((0, 0), |parcel| (parcel.store, parcel.bundles.values().next().unwrap().sku));
    let reservation_id = shipment_id(&name(order), number).reservation_id();
    let release = StockVerb::Release { reservation_id, qty: None };
    (stock(STORE_NAMES[store], SKU_NAMES[sku], release), Err("held-by-shipment"))
}
