//! Checks that each alert agrees with its level and its threshold at the end of the log.
//!
//! A movement has its alert in its own entry. A level is re-evaluated a moment after its threshold changes, in an
//! entry of its own, and a movement that was under way then may not have known it. A process that is killed in
//! between leaves an alert that does not agree, and the next start re-evaluates it. So a disagreement is a fault
//! only when the level has moved long after its threshold was set.

use onhand_domain::{Key, Quantity, State, Timestamp};
use std::collections::BTreeMap;

/// A movement this many milliseconds of log time after a threshold change sees the new threshold.
const KNOWN_AFTER_MS: i64 = 60_000;

/// The states of a ledger by key.
type StatesByKey<'a> = BTreeMap<&'a Key, &'a State>;

/// How many alerts are still to be re-evaluated, and the findings about the others.
pub(super) fn check(states: &StatesByKey<'_>) -> (usize, Vec<String>) {
    let (mut to_look_at, mut wrong) = (0, Vec::new());
    for (key, state) in states {
        match (key, state) {
            (Key::Level(store, sku), State::Level(level)) => {
                let (threshold, changed_at) = threshold(states, key);
                let qty = level.after().qty();
                let low = threshold.is_some_and(|threshold| qty <= threshold);
                let alert = states.get(&Key::Alert(store.clone(), sku.clone()));
                if low == alert.is_some_and(|alert| is_raised(alert)) {
                    continue;
                }
                match threshold {
                    Some(threshold) if level.updated_at() > changed_at.plus_milliseconds(KNOWN_AFTER_MS) => {
                        let is = if low { "not raised" } else { "raised" };
                        wrong.push(format!(
                            "{key}: its alert is {is} at {qty} pieces and a threshold of {threshold}"
                        ));
                    }
                    _ => to_look_at += 1,
                }
            }
            (Key::Alert(store, sku), alert)
                if is_raised(alert) && !states.contains_key(&Key::Level(store.clone(), sku.clone())) =>
            {
                wrong.push(format!("{key}: it is raised, and there is no such level"));
            }
            _ => {}
        }
    }
    (to_look_at, wrong)
}

fn is_raised(alert: &State) -> bool {
    matches!(alert, State::Alert(alert) if alert.raised.is_some())
}

/// The threshold of a level, and the time of the last event that may have changed it.
fn threshold(states: &StatesByKey<'_>, level: &Key) -> (Option<Quantity>, Timestamp) {
    let Key::Level(store, sku) = level else { return (None, Timestamp::EPOCH) };
    let (own, own_at) = match states.get(&Key::Threshold(store.clone(), sku.clone())) {
        Some(State::Threshold(master)) => (master.details, master.updated_at),
        _ => (None, Timestamp::EPOCH),
    };
    let (of_product, product_at) = match states.get(&Key::Product(sku.clone())) {
        Some(State::Product(master)) => {
            let product = master.details.as_ref();
            (product.and_then(|product| product.low_stock_threshold), master.updated_at)
        }
        _ => (None, Timestamp::EPOCH),
    };
    (own.or(of_product), own_at.max(product_at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use onhand_domain::low_stock::{Alert, Raised};
    use onhand_domain::master::Master;
    use onhand_domain::stock::{Adjusted, StockFact};
    use onhand_domain::{Fact, Sku, StoreId};

    fn place() -> (StoreId, Sku) {
        (StoreId::new("LONDON").unwrap(), Sku::new("TEA").unwrap())
    }

    fn qty(pieces: i64) -> Quantity {
        Quantity::new(pieces).unwrap()
    }

    /// A level of 3 pieces that moved at `moved_at` seconds, and a threshold that was set at second 0.
    fn states(moved_at: i64, threshold: Option<i64>, raised: bool) -> Vec<(Key, State)> {
        let (store_id, sku) = place();
        let key = |of: fn(StoreId, Sku) -> Key| of(place().0, place().1);
        let mut level = State::absent(&key(Key::Level));
        let adjusted = Adjusted {
            sku,
            store_id,
            delta: qty(3),
            expected_version: None,
            reason: None,
            reference: None,
            occurred_at: None,
            kind: None,
        };
        let at = Timestamp::from_milliseconds(1_000 * moved_at);
        level.apply(&Fact::Level(StockFact::Adjust(adjusted)), at).unwrap();
        let raised = raised.then(|| Raised { qty: qty(3), threshold: qty(5) });
        let alert = Alert { raised, version: 1, updated_at: Timestamp::EPOCH };
        let master = Master { details: threshold.map(qty), version: 1, updated_at: Timestamp::EPOCH };
        vec![
            (key(Key::Level), level),
            (key(Key::Threshold), State::Threshold(master)),
            (key(Key::Alert), State::Alert(alert)),
        ]
    }

    fn checked(states: &[(Key, State)]) -> (usize, Vec<String>) {
        check(&states.iter().map(|(key, state)| (key, state)).collect())
    }

    #[test]
    fn an_alert_that_agrees_is_right() {
        for (threshold, raised) in [(Some(5), true), (Some(2), false), (None, false)] {
            assert_eq!(checked(&states(3_600, threshold, raised)), (0, Vec::new()), "{threshold:?}");
        }
    }

    #[test]
    fn soon_after_a_threshold_change_an_alert_is_re_evaluated() {
        for (threshold, raised) in [(Some(5), false), (Some(2), true), (None, true)] {
            assert_eq!(checked(&states(60, threshold, raised)), (1, Vec::new()), "{threshold:?}");
        }
        assert_eq!(
            checked(&states(3_600, None, true)),
            (1, Vec::new()),
            "without one a movement does not look"
        );
    }

    #[test]
    fn long_after_it_is_a_fault() {
        let (_, wrong) = checked(&states(61, Some(5), false));
        assert_eq!(wrong, ["LONDON/TEA: its alert is not raised at 3 pieces and a threshold of 5"]);
        let (_, wrong) = checked(&states(61, Some(2), true));
        assert_eq!(wrong, ["LONDON/TEA: its alert is raised at 3 pieces and a threshold of 2"]);
        let without_level = states(61, Some(5), true).split_off(1);
        let (_, wrong) = checked(&without_level);
        assert_eq!(wrong, ["alert LONDON/TEA: it is raised, and there is no such level"]);
    }
}
