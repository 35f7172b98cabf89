//! A random step as a command, and the oracle's answer to it.

use super::acts::{Act, ORDERS, Verb, Wish};
use super::moves::{meddle, moved, part, returned};
use crate::node::qty;
use crate::orders::oracle::{Answer, Books, Plan, Rest};
use crate::orders::{Desk, expecting, line, order_id, placed, planned};
use onhand_domain::orders::{
    Carrier, OrderPolicy, OrderStep, Partial, Payment, PaymentKind, Pieces, Placed, Planned,
};
use onhand_domain::{Command, Expected, Key, PaymentId, Timestamp};
use smol_str::{SmolStr, format_smolstr};
use std::collections::BTreeMap;

pub(super) const STORE_NAMES: [&str; super::acts::STORES] = ["BERLIN", "PARIS", "ROME"];
pub(super) const SKU_NAMES: [&str; super::acts::SKUS] = ["A", "B", "C", "D"];
const KINDS: [(PaymentKind, &str); 7] = [
    (PaymentKind::Authorised, "authorised"),
    (PaymentKind::Voided, "voided"),
    (PaymentKind::Captured, "captured"),
    (PaymentKind::Refunded, "refunded"),
    (PaymentKind::Failed, "failed"),
    (PaymentKind::Disputed, "disputed"),
    (PaymentKind::Settled, "settled"),
];

pub(super) fn name(order: usize) -> String {
    format!("o-{order}")
}

/// What is asked, and the answer of the oracle, which has taken the step; nothing when there is nothing to ask.
pub(super) fn play(act: &Act, desk: &Desk, books: &mut Books, number: usize) -> Option<(Command, Answer)> {
    let (order, stale, verb) = (meant(act, books), act.stale, &act.verb);
    let on = |step| expecting(&name(order), seen(desk, &Key::Order(order_id(&name(order))), stale), step);
    Some(match verb {
        Verb::Place { lines, rest, auto, wish } => {
            let plan = plan(books, &(1..).zip(lines.iter().copied()).collect(), wish);
            let mut ordered = (1..).zip(lines.iter().map(|(_, pieces)| *pieces));
            // A placing finds stores for what was ordered, and not for more.
            ordered.all(|(line, pieces)| planned_of(&plan, line) <= pieces).then_some(())?;
            let sku = |line: u16| lines[usize::from(line) - 1].0;
            let place = Box::new(paper(order, lines, (*rest, *auto), &plan));
            (on(OrderStep::Place(place, named(&plan, sku))), books.place(order, lines, (*rest, *auto), &plan))
        }
        Verb::Again => {
            let known = books.orders.get(&order)?.clone();
            let lines: Vec<_> = known.rows.values().map(|row| (row.sku, row.ordered)).collect();
            let (policy, plan) = ((known.rest, known.auto), Plan::new());
            let place = OrderStep::Place(Box::new(paper(order, &lines, policy, &plan)), Vec::new());
            (on(place), books.place(order, &lines, policy, &plan))
        }
        Verb::Confirm(wish) => {
            let (plan, planned) = waiting(books, order, wish);
            (on(OrderStep::Confirm(planned)), books.confirm(order, stale, &plan))
        }
        Verb::Allot(wish) => {
            let (plan, planned) = waiting(books, order, wish);
            (on(OrderStep::Allot(planned)), books.allot(order, stale, &plan))
        }
        Verb::Cancel => (on(OrderStep::Cancel { reason: said(number) }), books.cancel(order, stale)),
        Verb::Ship => (on(OrderStep::Ship(carrier(number))), books.ship(order, stale)),
        Verb::Deliver => (on(OrderStep::Deliver), books.deliver(order, stale)),
        Verb::Hold(hold) => {
            (on(OrderStep::Hold { hold: *hold, reason: said(number) }), books.set_hold(order, stale, *hold))
        }
        Verb::Pay { id, kind, amount } => {
            let (kind, said) = KINDS[*kind];
            let payment_id = PaymentId::new(&format!("p-{id}")).unwrap();
            let (amount, at) = (qty(*amount), Timestamp::EPOCH);
            let reference = (id % 2 == 0).then(|| "psp/1".into());
            let payment = Payment { payment_id, kind, amount, reference, at };
            (on(OrderStep::Pay(payment)), books.pay(order, stale, *id, (said, amount.get())))
        }
        Verb::Return { .. } => {
            let (step, answer) = returned(verb, books, order, stale)?;
            (on(step), answer)
        }
        Verb::Part { number: parcel, wrong_store, step } => {
            let parcel = number_of(books, order, *parcel, act.stray);
            part((step, number), desk, books, (order, parcel, *wrong_store, stale))
        }
        Verb::Meddle { number } => meddle(books, order, number_of(books, order, *number, act.stray)),
        _ => moved(verb, books, number)?,
    })
}

/// The order that a step is about: a new one for a placing, else one that is there.
fn meant(act: &Act, books: &Books) -> usize {
    let known: Vec<usize> = books.orders.keys().copied().collect();
    let is_new = matches!(act.verb, Verb::Place { .. });
    match (is_new, act.order.checked_rem(known.len())) {
        (true, _) if !act.stray => {
            (0..ORDERS).find(|order| !known.contains(order)).unwrap_or(act.order % ORDERS)
        }
        (_, Some(place)) if !act.stray || is_new => known[place],
        _ => act.order % ORDERS,
    }
}

/// A text at every second step.
pub(super) fn said(step: usize) -> Option<SmolStr> {
    step.is_multiple_of(2).then(|| format_smolstr!("said {step}"))
}

pub(super) fn carrier(step: usize) -> Carrier {
    Carrier { carrier: said(step), tracking: said(step / 2) }
}

/// The version that the caller has seen.
pub(super) fn seen(desk: &Desk, key: &Key, stale: bool) -> Expected {
    if stale { Expected::Version(desk.state(key).version() + 1) } else { Expected::Any }
}

/// The number of one of its shipments; with `stray` any number.
fn number_of(books: &Books, order: usize, number: u16, stray: bool) -> u16 {
    let numbers = books.parcels.range((order, 0)..(order + 1, 0)).map(|((_, number), _)| *number);
    let numbers: Vec<u16> = numbers.collect();
    let place = usize::from(number).checked_rem(numbers.len()).filter(|_| !stray);
    place.map_or(number, |place| numbers[place])
}

/// The pieces that a plan finds of a line.
fn planned_of(plan: &Plan, line: u16) -> i64 {
    plan.iter().filter_map(|(_, pieces)| pieces.get(&line)).sum()
}

/// Stores for pieces of SKUs by line: each in turn, with all it has of what is left to find.
pub(super) fn plan(books: &Books, wanted: &BTreeMap<u16, (usize, i64)>, wish: &Wish) -> Plan {
    let (mut left, mut has) = (wanted.clone(), BTreeMap::new());
    let mut plan = Plan::new();
    for store in &wish.stores {
        let mut pieces = BTreeMap::new();
        for (line, (sku, left)) in &mut left {
            let has = has.entry((*store, *sku)).or_insert_with(|| books.available(*store, *sku));
            let some = (*left).min(*has);
            if some > 0 {
                (*left, *has) = (*left - some, *has - some);
                pieces.insert(*line, some);
            }
        }
        if !pieces.is_empty() {
            plan.push((*store, pieces));
        }
    }
    if let Some(pieces) = plan.last_mut().and_then(|(_, pieces)| pieces.values_mut().next()) {
        *pieces += i64::from(wish.too_much);
    }
    plan
}

/// The plan of the domain.
pub(super) fn named(plan: &Plan, sku: impl Fn(u16) -> usize) -> Vec<Planned> {
    let part = |(store, pieces): &(usize, BTreeMap<u16, i64>)| {
        let lines: Vec<_> =
            pieces.iter().map(|(line, pieces)| (*line, SKU_NAMES[sku(*line)], *pieces)).collect();
        planned(STORE_NAMES[*store], &lines)
    };
    plan.iter().map(part).collect()
}

fn waiting(books: &Books, order: usize, wish: &Wish) -> (Plan, Vec<Planned>) {
    let Some(paper) = books.orders.get(&order) else { return (Plan::new(), Vec::new()) };
    let waiting = paper.rows.iter().filter(|(_, row)| row.waiting > 0);
    let plan = plan(books, &waiting.map(|(line, row)| (*line, (row.sku, row.waiting))).collect(), wish);
    let planned = named(&plan, |line| paper.rows[&line].sku);
    (plan, planned)
}

/// The order, with what no store of the plan has.
fn paper(order: usize, lines: &[(usize, i64)], (rest, auto): (Rest, bool), plan: &Plan) -> Placed {
    let partial = match rest {
        Rest::Refused => Partial::Refuse,
        Rest::Waits => Partial::Backorder,
        Rest::Cancelled => Partial::CancelRest,
    };
    let lines = (1..).zip(lines).map(|(number, (sku, pieces))| {
        let left = qty(pieces - planned_of(plan, number));
        let none = Pieces::default();
        let left = if rest == Rest::Cancelled {
            Pieces { cancelled: left, ..none }
        } else {
            Pieces { waiting: left, ..none }
        };
        onhand_domain::orders::Line { pieces: left, ..line(number, SKU_NAMES[*sku], *pieces, 0) }
    });
    let mut placed = placed(lines.collect(), partial);
    placed.details.policy = OrderPolicy { auto_confirm: auto, ..placed.details.policy };
    placed.details.channel_id = said(order);
    placed.details.personal = said(order + 1);
    placed
}
