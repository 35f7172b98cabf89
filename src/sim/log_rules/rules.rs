//! The rules that hold for every log, whatever the requests were.

use crate::log_rules::low_stock::LowStockRules;
use onhand_app::ledger::fold::Fold;
use onhand_domain::stock::StockFact;
use onhand_domain::{After, Entry, Fact, Key, Sequence, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// The fold of the entries up to a sequence.
///
/// # Panics
/// When the entries do not add up.
pub fn fold(entries: &[Entry], upto: Sequence) -> Fold {
    let mut fold = Fold::default();
    for entry in entries.iter().filter(|entry| entry.last() <= upto) {
        fold.add(entry).expect("entries add up");
    }
    fold
}

/// Checks a whole log against the rules.
///
/// # Panics
/// When the log breaks a rule.
pub fn check(entries: &[Entry]) {
    let mut rules = Rules::default();
    for entry in entries {
        rules.check(entry);
    }
}

/// The rules of every log: no gap, no id twice, versions rise by one, nothing negative, on hand is the sum of the
/// movements, reserved the sum of the open holds; each crossed threshold has its alert.
#[derive(Default)]
pub struct Rules {
    ids: BTreeSet<Uuid>,
    sums: HashMap<Key, (i64, u64)>,
    holds: HashMap<Key, BTreeMap<String, i64>>,
    last: Sequence,
    time: Option<Timestamp>,
    low_stock: LowStockRules,
}

impl Rules {
    /// Checks the next entry of the log.
    ///
    /// # Panics
    /// When the entry breaks a rule.
    pub fn check(&mut self, entry: &Entry) {
        assert_eq!(entry.sequence, self.last.plus(1));
        assert!(entry.batch <= entry.sequence && self.time.is_none_or(|time| entry.at >= time));
        (self.last, self.time) = (entry.last(), Some(entry.at));
        self.low_stock.check(entry);
        for event in &entry.events {
            assert!(self.ids.insert(event.event_id), "event id {} twice", event.event_id);
            let (Fact::Level(fact), After::Level(after)) = (&event.fact, event.after) else { continue };
            let key = event.fact.key();
            let (on_hand, version) = self.sums.entry(key.clone()).or_default();
            let holds = self.holds.entry(key.clone()).or_default();
            *version += 1;
            match fact {
                StockFact::Adjust(fact) => *on_hand += fact.delta.get(),
                StockFact::Count(fact) => *on_hand += fact.delta.get(),
                StockFact::Reserve(fact) => {
                    let open = holds.insert(fact.reservation_id.to_string(), fact.qty.get());
                    assert_eq!(open, None, "reservation {} opened twice", fact.reservation_id);
                }
                StockFact::Release(fact) | StockFact::Commit(fact) | StockFact::Expire(fact) => {
                    if matches!(event.fact, Fact::Level(StockFact::Commit(_))) {
                        *on_hand -= fact.qty.get();
                    }
                    *holds.get_mut(fact.reservation_id.as_str()).expect("it was open") -= fact.qty.get();
                    holds.retain(|_, pieces| *pieces != 0);
                }
            }
            let reserved: i64 = holds.values().sum();
            assert!(holds.values().all(|pieces| *pieces > 0) && reserved <= *on_hand, "{key}: {event:?}");
            let told = (after.on_hand.get(), after.reserved.get(), after.version);
            assert_eq!(told, (*on_hand, reserved, *version), "{key}: {event:?}");
        }
    }

    /// The sequence of the last event that was checked.
    pub fn end(&self) -> Sequence {
        self.last
    }
}
