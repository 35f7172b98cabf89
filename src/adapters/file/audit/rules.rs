//! Rules that an event may break although its numbers add up.

use onhand_app::ledger::fold::Fold;
use onhand_domain::low_stock::AlertFact;
use onhand_domain::stock::{Settled, StockFact};
use onhand_domain::{Entry, Event, Fact, Key, Sequence, State, Timestamp};

/// Why a hold cannot have ended this way at that time; `state` is the level in front of the event.
pub(super) fn ended_wrongly(event: &Event, state: &State, at: Timestamp) -> Option<String> {
    let Fact::Level(fact) = &event.fact else { return None };
    let expires_at = |settled: &Settled| match state {
        // A hold that is not open is reported when the event is applied.
        State::Level(level) => Some(level.hold(&settled.reservation_id).ok()?.expires_at),
        _ => None,
    };
    let finding = |settled: &Settled, what: String| {
        let Settled { store_id, sku, reservation_id, .. } = settled;
        Some(format!("{store_id}/{sku}: reservation {reservation_id} {what}"))
    };
    match fact {
        StockFact::Expire(settled) => match expires_at(settled)? {
            Some(due) if due <= at => None,
            Some(due) => finding(settled, format!("expires at {at}, before its time, which is {due}")),
            None => finding(settled, "expires, and has no time at which it does".to_owned()),
        },
        StockFact::Commit(settled) | StockFact::Release(settled) => {
            let due = expires_at(settled)?.filter(|due| *due <= at)?;
            let verb = if matches!(fact, StockFact::Commit(_)) { "committed" } else { "released" };
            finding(settled, format!("is {verb} at {at}, although it ran out at {due}"))
        }
        _ => None,
    }
}

/// The alerts of an entry that do not match the states of their levels after it. In one of `several` logs, only the
/// alerts of levels that the entry itself moves are checked: another log may have moved the others since.
pub(super) fn strange_alerts(entry: &Entry, fold: &Fold, several: bool) -> Vec<(Sequence, String)> {
    let alert = |(sequence, event): (Sequence, &Event)| {
        let Fact::Alert(alert) = &event.fact else { return None };
        let key = Key::Level(alert.store_id.clone(), alert.sku.clone());
        if several && !entry.events.iter().any(|event| event.fact.key() == key) {
            return None;
        }
        strange(alert, fold.states.get(&key)).map(|what| (sequence, format!("{key}: {what}")))
    };
    entry.numbered().filter_map(alert).collect()
}

fn strange(alert: &AlertFact, level: Option<&State>) -> Option<String> {
    let word = if alert.raised { "raised" } else { "cleared" };
    let Some(State::Level(level)) = level else {
        return Some(format!("its alert is {word}, and there is no such level"));
    };
    let qty = level.qty();
    if alert.qty != qty {
        return Some(format!("its alert is {word} at {} pieces, it has {qty}", alert.qty));
    }
    let low = alert.threshold.is_some_and(|threshold| qty <= threshold);
    // An alert that is raised at numbers that are not low is wrong.
    (low && !alert.raised).then(|| format!("its alert is cleared at {qty} pieces, which is low"))
}
