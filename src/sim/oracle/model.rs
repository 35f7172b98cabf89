//! The ledger of one store, in plain maps and by a literal reading of the rules.

use crate::oracle::acts::{
    Act, Done, Expect, Happened, LevelRequest, OracleAnswer, Shown, What, batch_payload, payload,
};
use crate::oracle::catalogue::Catalogue;
use crate::oracle::decision::{Decision, ItemFate, KeyLookup, KeyName, UsedKey};
use crate::oracle::event_list::EventList;
use crate::oracle::identity::IdentityModel;
use crate::oracle::stock::{LevelChange, Stock};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The store, unless the run sets another one.
pub const STORE: &str = "LONDON";

/// The number of keys from which on expired ones are removed.
const KEYS_MANY: usize = 512;

/// The ledger of one store, as it must be.
#[derive(Debug, Clone)]
pub struct Oracle {
    /// The store of all levels.
    pub store: &'static str,
    /// The levels by SKU.
    pub levels: BTreeMap<&'static str, Stock>,
    /// The catalogue, and the alerts.
    pub catalogue: Catalogue,
    /// Principals, tokens and the mode.
    pub identity: IdentityModel,
    /// Whether events of alerts are expected. Of several processes each re-evaluates a threshold when it learns of it,
    /// at an unknown time.
    pub tells_alerts: bool,
    /// All events so far, oldest first.
    pub log: EventList,
    pub(super) keys: BTreeMap<KeyName, Arc<UsedKey>>,
    key_ttl: i64,
    /// The lower limit of log time while the process lives.
    pub floor: i64,
}

impl Oracle {
    /// An empty ledger, which keeps a key for `key_ttl` milliseconds.
    pub fn new(key_ttl: i64) -> Self {
        let (levels, log, keys) = (BTreeMap::new(), EventList::default(), BTreeMap::new());
        let (catalogue, identity, tells_alerts) = (Catalogue::default(), IdentityModel::default(), true);
        Self { store: STORE, levels, catalogue, identity, tells_alerts, log, keys, key_ttl, floor: i64::MIN }
    }

    /// The sequence of the last event.
    pub fn end(&self) -> u64 {
        self.log.len() as u64
    }

    /// Log time: never before the last event.
    pub fn time(&self, clock: i64) -> i64 {
        self.log.last().map_or(clock, |last| clock.max(last.at)).max(self.floor)
    }

    /// The version before a command: expired holds are removed first.
    pub fn version(&self, clock: i64, sku: &'static str) -> u64 {
        let now = self.time(clock);
        self.levels.get(sku).map_or(0, |level| level.version + level.due(now).len() as u64)
    }

    /// The level of a SKU after the first `sequence` events, as its last event left it.
    pub fn as_of(&self, sku: &str, sequence: u64) -> Option<&Happened> {
        let count = usize::try_from(sequence).expect("a log in memory");
        self.log.first(count).rfind(|happened| happened.is_of_level(sku))
    }

    /// The views that the ledger must have of a SKU.
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

    /// True when both have the same keys with the same answers.
    pub fn knows_as(&self, other: &Self) -> bool {
        self.keys.len() == other.keys.len()
            && self.keys.iter().zip(&other.keys).all(|((name, known), (other_name, other))| {
                name == other_name
                    && (Arc::ptr_eq(known, other) || known.answer.events == other.answer.events)
            })
    }

    /// Makes all events final: no rollback goes behind them.
    pub fn settle(&mut self) {
        self.log.settle();
        if self.keys.len() > KEYS_MANY {
            let now = self.time(i64::MIN);
            self.keys.retain(|_, known| known.at + self.key_ttl > now);
        }
    }

    /// Executes a command at the time that the clock shows.
    pub fn play(&mut self, clock: i64, act: &Act) -> OracleAnswer {
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
                    oracle.record(saying.sku(), what.kind(), what, version, now);
                    Ok(Vec::new())
                })
            }
            Act::Identity(request, key) => {
                let name = key.map(|key| ("identity", key));
                self.once(now, name, &format!("{request:?}"), &[], |oracle| {
                    let changed = oracle.identity.change(*request).map_err(|code| (code, None))?;
                    for (what, version) in changed {
                        oracle.record(None, what.kind(), what, version, now);
                    }
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

    /// Expires every hold that is due, and re-evaluates every alert.
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
                self.record(Some(sku), what.kind(), what, version, now);
            }
        }
    }

    /// The sellable pieces of a level, if there is one.
    fn sellable(&self, sku: &str) -> Option<i64> {
        let level = self.levels.get(sku).filter(|level| level.version > 0);
        level.map(|level| level.on_hand - level.reserved)
    }

    /// The number of alerts that a re-evaluation would raise or clear.
    pub fn alerts_to_look_at(&self) -> usize {
        let mut catalogue = self.catalogue.clone();
        self.levels.keys().filter(|sku| catalogue.ring(sku, self.sellable(sku)).is_some()).count()
    }

    fn known(&self, name: KeyName, now: i64) -> Option<&Arc<UsedKey>> {
        self.keys.get(&name).filter(|known| known.at + self.key_ttl > now)
    }

    fn look(&self, now: i64, order: &LevelRequest, key: Option<u32>) -> KeyLookup {
        let known = self.known(("one", key?), now)?;
        let same = known.payload == payload(order);
        Some(if same { Ok(Arc::clone(known)) } else { Err("idempotency-key-reused") })
    }

    /// The frame of every command: a known key, expired holds, the decision, the record of the key.
    fn once(
        &mut self,
        now: i64,
        name: Option<KeyName>,
        payload: &str,
        skus: &[&'static str],
        decide: impl FnOnce(&mut Self) -> Decision,
    ) -> OracleAnswer {
        if let Some(known) = name.and_then(|name| self.known(name, now)) {
            return if known.payload == payload {
                OracleAnswer::Done(Done { replayed: true, ..known.answer.clone() })
            } else {
                OracleAnswer::Refused { code: "idempotency-key-reused", op: None }
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
        // Without a threshold a movement re-evaluates no alert.
        let watched: Vec<_> =
            skus.iter().copied().filter(|sku| self.catalogue.threshold(sku).is_some()).collect();
        self.ring(now, &watched);
        match decided {
            Err((code, op)) => OracleAnswer::Refused { code, op },
            Ok(fates) => {
                let done = self.effect(begin, fates);
                if let Some(name) = name.filter(|_| effective) {
                    let (answer, sequence) = (done.clone(), done.sequence);
                    let known = UsedKey { payload: payload.to_owned(), at: now, answer, sequence };
                    self.keys.insert(name, Arc::new(known));
                }
                OracleAnswer::Done(done)
            }
        }
    }

    /// The effect of a command: the events behind the first `begin`.
    pub(super) fn effect(&self, begin: usize, fates: Vec<(u32, ItemFate)>) -> Done {
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

    pub(super) fn one(&mut self, now: i64, order: &LevelRequest) -> Result<(), &'static str> {
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
                let kind = level.happen(&LevelChange::Settle("EXPIRE", id, pieces));
                self.moved(sku, kind, &level, now);
            }
            self.levels.insert(sku, level);
        }
    }

    fn moved(&mut self, sku: &'static str, kind: &'static str, level: &Stock, at: i64) {
        let Stock { on_hand, reserved, version, .. } = *level;
        self.record(Some(sku), kind, What::Level { on_hand, reserved }, version, at);
    }

    pub(super) fn record(
        &mut self,
        sku: Option<&'static str>,
        kind: &'static str,
        what: What,
        version: u64,
        at: i64,
    ) {
        self.log.push(Happened { sku, kind, what, version, at });
    }
}
