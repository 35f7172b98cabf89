//! Events of one step as one line of a table.

use super::Desk;
use onhand_domain::orders::{LineDelta, LineQty, OrderFact, OrderStatus, Pieces, ShipmentFact};
use onhand_domain::stock::StockFact;
use onhand_domain::{Event, Fact, Rejection};
use serde_json::to_value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What a step did, and the status of the order after it; `!` and the reason when it was refused.
pub(super) fn outcome(decided: &Result<Vec<Event>, Rejection>, after: &Desk, order: &str) -> String {
    match decided {
        Err(rejection) => format!("! {}", refusal(rejection)),
        Ok(events) if events.is_empty() => "nothing to do".to_owned(),
        Ok(events) => {
            let events: Vec<String> = events.iter().map(event).collect();
            format!("{} => {}", events.join(", "), status(after.order(order).status()))
        }
    }
}

fn status(status: OrderStatus) -> String {
    word(&status)
}

/// The code, and the facts of the refusal.
fn refusal(rejection: &Rejection) -> String {
    let members = to_value(rejection).unwrap();
    let members: BTreeMap<_, _> = members.as_object().unwrap().iter().collect();
    let facts = members.iter().filter(|(name, _)| **name != "code");
    let facts: Vec<String> = facts.map(|(name, value)| format!(" {name}: {value}")).collect();
    format!("{}{}", rejection.code(), facts.join(","))
}

fn event(event: &Event) -> String {
    match &event.fact {
        Fact::Level(fact) => stock(fact),
        Fact::Shipment(fact) => shipment(fact),
        Fact::Order(fact) => order(fact),
        other => panic!("{other:?}"),
    }
}

fn stock(fact: &StockFact) -> String {
    let (store, sku) = fact.place();
    let what = match fact {
        StockFact::Adjust(fact) => {
            format!(
                "{} ({})",
                fact.delta,
                fact.kind.map_or("no kind", onhand_domain::stock::AdjustKind::as_str)
            )
        }
        StockFact::Reserve(fact) => format!("{} {}", fact.qty, fact.reservation_id),
        StockFact::Release(fact) | StockFact::Commit(fact) | StockFact::Expire(fact) => {
            format!("{} {}", fact.qty, fact.reservation_id)
        }
        StockFact::Count(fact) => format!("{} to {}", fact.delta, fact.counted),
    };
    format!("{} {store}/{sku} {what}", fact.event().as_str())
}

fn shipment(fact: &ShipmentFact) -> String {
    let mut text = format!("{}@{} {}", fact.shipment_id, fact.store_id, word(&fact.change));
    for LineQty { line, sku, qty } in &fact.lines {
        write!(text, " {line}:{sku} {qty}").unwrap();
    }
    let said =
        [fact.refused.as_ref().map(word), fact.reason.as_ref().map(word), fact.carrier.as_ref().map(word)];
    for said in said.into_iter().flatten() {
        write!(text, " ({said})").unwrap();
    }
    text
}

fn order(fact: &OrderFact) -> String {
    let mut text = format!("ORDER {}", word(&fact.change));
    for LineDelta { line, pieces } in &fact.lines {
        write!(text, " {line}:{}", deltas(*pieces)).unwrap();
    }
    for opened in &fact.opened {
        write!(text, " opens s{}@{}", opened.number, opened.store_id).unwrap();
    }
    for number in &fact.closed {
        write!(text, " closes s{number}").unwrap();
    }
    if let Some(store_id) = &fact.avoids {
        write!(text, " avoids {store_id}").unwrap();
    }
    text + &fact.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default()
}

fn deltas(pieces: Pieces) -> String {
    let Pieces { cancelled, waiting, shipped, delivered, returned } = pieces;
    let all = [
        ("cancelled", cancelled),
        ("waiting", waiting),
        ("shipped", shipped),
        ("delivered", delivered),
        ("returned", returned),
    ];
    let moved = all.into_iter().filter(|(_, pieces)| pieces.get() != 0);
    let moved: Vec<String> = moved.map(|(name, pieces)| format!(" {name}{:+}", pieces.get())).collect();
    moved.concat()
}

/// A word as it stands in JSON.
fn word(value: &impl serde::Serialize) -> String {
    to_value(value).unwrap().as_str().unwrap().to_owned()
}
