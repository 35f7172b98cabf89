//! The oracle: what a ledger owes, told by plain maps and a straight reading of the rules.
//!
//! It shares no code with the ledger, so a rule that is wrong in one of them does not agree with itself.

mod acts;
mod batch;
mod catalogue;
mod stock;
mod told;

pub use acts::{
    Act, Answer, Done, Expect, Happened, Order, Saying, Shown, What, Wish, batch_payload, payload,
};
use batch::{Decision, ItemFate};
pub use catalogue::{Alert, Catalogue, Goods, Said};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use stock::Change;
pub use stock::Stock;
pub use told::Told;

/// The store whose stock it is, unless it is told otherwise.
pub const STORE: &str = "LONDON";

/// Known keys are looked through for those whose time is over whenever there are so many.
const KEYS_MANY: usize = 512;

/// What a key is known by: its scope, and its number.
type KeyName = (&'static str, u32);

#[derive(Debug)]
struct Known {
    payload: String,
    at: i64,
    answer: Done,
    /// Where the log knows it: the first event of a command's entry, the last one of a batch's operation.
    sequence: u64,
}

/// The ledger of one store, as it should be.
#[derive(Debug, Clone)]
pub struct Oracle {
    /// The store.
    pub store: &'static str,
    /// Its levels by SKU.
    pub levels: BTreeMap<&'static str, Stock>,
    /// What is said of products and the store, and which levels are low.
    pub catalogue: Catalogue,
    /// Whether alerts are told of. Of several processes each looks at a threshold when it comes to know it.
    pub tells_alerts: bool,
    /// Every event there was.
    pub log: Told,
    keys: BTreeMap<KeyName, Arc<Known>>,
    key_ttl: i64,
    /// Log time is not before this either, while the process lives.
    pub floor: i64,
}

impl Oracle {
    /// An empty one, which knows a key for `key_ttl` milliseconds.
    pub fn new(key_ttl: i64) -> Self {
        let (levels, log, keys) = (BTreeMap::new(), Told::default(), BTreeMap::new());
        let (catalogue, tells_alerts) = (Catalogue::default(), true);
        Self { store: STORE, levels, catalogue, tells_alerts, log, keys, key_ttl, floor: i64::MIN }
    }

    /// The sequence of the last event.
    pub fn end(&self) -> u64 {
        self.log.len() as u64
    }

    /// Log time: never before the last event.
    pub fn time(&self, clock: i64) -> i64 {
        self.log.last().map_or(clock, |last| clock.max(last.at)).max(self.floor)
    }

    /// The version a command meets that comes now: what is due expires first.
    pub fn version(&self, clock: i64, sku: &'static str) -> u64 {
        let now = self.time(clock);
        self.levels.get(sku).map_or(0, |level| level.version + level.due(now).len() as u64)
    }

    /// The level of a SKU after the first `sequence` events, as its last event left it.
    pub fn as_of(&self, sku: &str, sequence: u64) -> Option<&Happened> {
        let count = usize::try_from(sequence).expect("a log in memory");
        self.log.first(count).rfind(|happened| happened.is_of_level(sku))
    }

    /// What is shown of a SKU.
    pub fn shown(&self, sku: &str) -> Shown {
        let Catalogue { products, thresholds, alerts, .. } = &self.catalogue;
        let level = self.levels.get(sku).filter(|level| level.version > 0);
        Shown {
            level: level.map(|level| (level.on_hand, level.reserved, level.version)),
            product: products.get(sku).and_then(|said| said.shown()),
            threshold: thresholds.get(sku).and_then(|said| said.shown()),
            alert: alerts.get(sku).and_then(|alert| Some((alert.raised?, alert.version))),
        }
    }

    /// True when this one knows the same keys, and what came of them.
    pub fn knows_as(&self, other: &Self) -> bool {
        self.keys.len() == other.keys.len()
            && self.keys.iter().zip(&other.keys).all(|((name, known), (other_name, other))| {
                name == other_name
                    && (Arc::ptr_eq(known, other) || known.answer.events == other.answer.events)
            })
    }

    /// Nothing of what has happened will be taken back.
    pub fn settle(&mut self) {
        self.log.settle();
        if self.keys.len() > KEYS_MANY {
            let now = self.time(i64::MIN);
            self.keys.retain(|_, known| known.at + self.key_ttl > now);
        }
    }

    /// Does what a command asks at the time the clock shows.
    pub fn play(&mut self, clock: i64, act: &Act) -> Answer {
        let now = self.time(clock);
        match act {
            Act::One(order, key) => {
                let name = key.map(|key| ("one", key));
                self.once(now, name, &payload(order), &[order.sku], |oracle| {
                    oracle.one(now, order).map_err(|code| (code, None)).map(|()| Vec::new())
                })
            }
            Act::Batch { atomic, items, key } => {
                let name = key.map(|key| ("batch", key));
                let skus: Vec<_> = items.iter().map(|(order, _)| order.sku).collect();
                let known: Vec<_> = items.iter().map(|(order, key)| self.look(now, order, *key)).collect();
                self.once(now, name, &batch_payload(*atomic, items), &skus, |oracle| {
                    oracle.batch(now, *atomic, items, known)
                })
            }
            Act::Say(saying, expect, key) => {
                let name = key.map(|key| ("say", key));
                self.once(now, name, &format!("{saying:?}"), &[], |oracle| {
                    let said = oracle.catalogue.say(saying, *expect);
                    let (what, version) = said.map_err(|code| (code, None))?;
                    oracle.tell(saying.sku(), what.kind(), what, version, now);
                    Ok(Vec::new())
                })
            }
            Act::Describe { update, products, key } => {
                let name = key.map(|key| ("describe", key));
                self.once(now, name, &format!("{update} {products:?}"), &[], |oracle| {
                    Ok(oracle.describe(now, *update, products))
                })
            }
        }
    }

    /// Expires whatever is due, of every level, and looks at every alert.
    pub fn pass_due(&mut self, clock: i64) {
        let now = self.time(clock);
        let skus: Vec<_> = self.levels.keys().copied().collect();
        self.expire(now, &skus);
        self.ring(now, &skus);
    }

    /// Raises and clears alerts.
    fn ring(&mut self, now: i64, skus: &[&'static str]) {
        let skus: BTreeSet<_> = skus.iter().copied().filter(|_| self.tells_alerts).collect();
        for sku in skus {
            if let Some((what, version)) = self.catalogue.ring(sku, self.sellable(sku)) {
                self.tell(Some(sku), what.kind(), what, version, now);
            }
        }
    }

    /// The pieces of a level that may be sold, if there is one.
    fn sellable(&self, sku: &str) -> Option<i64> {
        let level = self.levels.get(sku).filter(|level| level.version > 0);
        level.map(|level| level.on_hand - level.reserved)
    }

    /// How many alerts would be raised or cleared if somebody looked.
    pub fn alerts_to_look_at(&self) -> usize {
        let mut catalogue = self.catalogue.clone();
        self.levels.keys().filter(|sku| catalogue.ring(sku, self.sellable(sku)).is_some()).count()
    }

    fn known(&self, name: KeyName, now: i64) -> Option<&Arc<Known>> {
        self.keys.get(&name).filter(|known| known.at + self.key_ttl > now)
    }

    fn look(&self, now: i64, order: &Order, key: Option<u32>) -> Looked {
        let known = self.known(("one", key?), now)?;
        let same = known.payload == payload(order);
        Some(if same { Ok(Arc::clone(known)) } else { Err("idempotency-key-reused") })
    }

    /// The frame of every command: a known key, what is due, the decision, the record.
    fn once(
        &mut self,
        now: i64,
        name: Option<KeyName>,
        payload: &str,
        skus: &[&'static str],
        decide: impl FnOnce(&mut Self) -> Decision,
    ) -> Answer {
        if let Some(known) = name.and_then(|name| self.known(name, now)) {
            return if known.payload == payload {
                Answer::Done(Done { replayed: true, ..known.answer.clone() })
            } else {
                Answer::Refused { code: "idempotency-key-reused", op: None }
            };
        }
        let begin = self.log.len();
        self.expire(now, skus);
        let expired = self.log.len();
        let before: BTreeMap<_, _> = skus.iter().map(|sku| (*sku, self.levels.get(sku).cloned())).collect();
        let decided = decide(self);
        if decided.is_err() {
            for (sku, level) in before {
                match level {
                    Some(level) => self.levels.insert(sku, level),
                    None => self.levels.remove(sku),
                };
            }
            self.log.truncate(expired);
        }
        let effective = self.log.len() > expired;
        // Without a threshold nobody looks at a level that moves.
        let watched: Vec<_> =
            skus.iter().copied().filter(|sku| self.catalogue.threshold(sku).is_some()).collect();
        self.ring(now, &watched);
        match decided {
            Err((code, op)) => Answer::Refused { code, op },
            Ok(fates) => {
                let done = self.effect(begin, fates);
                if let Some(name) = name.filter(|_| effective) {
                    let (answer, sequence) = (done.clone(), done.sequence);
                    let known = Known { payload: payload.to_owned(), at: now, answer, sequence };
                    self.keys.insert(name, Arc::new(known));
                }
                Answer::Done(done)
            }
        }
    }

    /// What came of a command since the log had `begin` events.
    fn effect(&self, begin: usize, fates: Vec<(u32, ItemFate)>) -> Done {
        let events: Vec<Happened> = self.log.after(begin).cloned().collect();
        let sequence = if events.is_empty() { 0 } else { begin as u64 + 1 };
        let mut done = Done { sequence, events, ..Done::default() };
        for (op, fate) in fates {
            match fate {
                ItemFate::Refused(code) => done.unapplied.push((op, code.to_owned())),
                ItemFate::Replayed(sequence, happened) => {
                    done.unapplied.push((op, format!("replayed {sequence}")));
                    done.replays.push((op, happened));
                }
            }
        }
        done
    }

    fn one(&mut self, now: i64, order: &Order) -> Result<(), &'static str> {
        let mut level = self.levels.get(order.sku).cloned().unwrap_or_default();
        let met = match order.expect {
            Expect::Any | Expect::Right => true,
            Expect::Exists => level.version > 0,
            Expect::Wrong => false,
        };
        if !met {
            return Err("version-conflict");
        }
        for kind in level.decide(now, &order.wish)? {
            let kind = level.happen(&kind);
            self.moved(order.sku, kind, &level, now);
        }
        self.levels.insert(order.sku, level);
        Ok(())
    }

    fn expire(&mut self, now: i64, skus: &[&'static str]) {
        let skus: BTreeSet<_> = skus.iter().copied().collect();
        for sku in skus {
            let Some(mut level) = self.levels.remove(sku) else { continue };
            for id in level.due(now) {
                let pieces = level.holds.get(&id).expect("it is due, so it is held").0;
                let kind = level.happen(&Change::Settle("EXPIRE", id, pieces));
                self.moved(sku, kind, &level, now);
            }
            self.levels.insert(sku, level);
        }
    }

    fn moved(&mut self, sku: &'static str, kind: &'static str, level: &Stock, at: i64) {
        let Stock { on_hand, reserved, version, .. } = *level;
        self.tell(Some(sku), kind, What::Level { on_hand, reserved }, version, at);
    }

    fn tell(&mut self, sku: Option<&'static str>, kind: &'static str, what: What, version: u64, at: i64) {
        self.log.push(Happened { sku, kind, what, version, at });
    }
}

/// What is known of a key, or the code of its refusal.
type Looked = Option<Result<Arc<Known>, &'static str>>;
