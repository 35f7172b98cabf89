//! A random workload of one store: a few hot SKUs, retries of earlier requests, holds that are
//! taken, kept, shipped in part or forgotten, deliveries, counts, batches, and crashes and disk faults meanwhile.

use crate::identity_workload;
use crate::model_check::steps::{Activity, ModelStep, Relapse};
use crate::oracle::{Act, CatalogueRequest, Expect, Goods, LevelRequest, LevelVerb, Oracle};
use onhand_sim_machine::disk::{Crash, Fault};
use onhand_sim_machine::random::Random;
use std::collections::VecDeque;

/// The number of holds, and of acts, that are kept for reuse.
const IN_MIND: usize = 24;

/// Number of sellable pieces below which a delivery comes.
const FEW: i64 = 5;

/// A stream of steps for one node.
pub struct StepGenerator {
    random: Random,
    skus: &'static [&'static str],
    keys: u32,
    reservations: u32,
    /// Holds that were requested, granted or not.
    holds: VecDeque<(&'static str, u32)>,
    /// Acts with a key, to be repeated.
    asked: VecDeque<Act>,
}

impl StepGenerator {
    /// The generator of a seed.
    pub fn new(seed: u64, skus: &'static [&'static str]) -> Self {
        let (holds, asked) = (VecDeque::new(), VecDeque::new());
        Self { random: Random::new(seed), skus, keys: 0, reservations: 0, holds, asked }
    }

    /// The next step of the run.
    pub fn step(&mut self, oracle: &Oracle) -> ModelStep {
        match self.random.below(1_000) {
            0..=699 => ModelStep::Do(Activity::Acts(self.acts(oracle))),
            700..=839 => ModelStep::Pass(self.time()),
            840..=879 => ModelStep::Do(Activity::Due),
            880..=929 => ModelStep::Do(Activity::Upkeep),
            930..=959 => {
                let end = usize::try_from(oracle.end()).unwrap_or(usize::MAX);
                let sku = self.sku();
                ModelStep::Look(sku, self.random.below(end.saturating_add(1)) as u64)
            }
            960..=979 => self.crash(oracle),
            _ => {
                let doing = self.doing(oracle);
                let at = self.random.below(12) as u64;
                ModelStep::Refuse { doing, at, fault: self.refusal(), sticky: self.random.percent(50) }
            }
        }
    }

    /// Acts that arrive together: mostly one.
    pub fn acts(&mut self, oracle: &Oracle) -> Vec<Act> {
        let count = if self.random.percent(25) { 2 + self.random.below(7) } else { 1 };
        (0..count).map(|_| self.act(oracle)).collect()
    }

    fn act(&mut self, oracle: &Oracle) -> Act {
        if self.random.percent(10)
            && let Some(act) = pick(&mut self.random, &self.asked)
        {
            return self.repeated(act);
        }
        let act = match self.random.below(100) {
            0 => {
                let products = (0..=self.random.below(4)).map(|_| (self.sku(), self.goods())).collect();
                Act::Describe { update: self.random.percent(50), products, key: Some(self.key()) }
            }
            1..=5 => {
                let (saying, expect) = (self.saying(), self.expect());
                Act::Say(saying, expect, if self.random.percent(80) { Some(self.key()) } else { None })
            }
            6..=11 => {
                let items = (0..2 + self.random.below(5)).map(|_| {
                    let mut order = self.order(oracle);
                    if order.expect == Expect::Right {
                        // Within a batch the versions move on.
                        order.expect = Expect::Any;
                    }
                    (order, if self.random.percent(50) { Some(self.key()) } else { None })
                });
                let items = items.collect();
                Act::Batch { atomic: self.random.percent(50), items, key: Some(self.key()) }
            }
            12..=15 => {
                let request = identity_workload::change(&mut self.random, &oracle.identity);
                Act::Identity(request, if self.random.percent(80) { Some(self.key()) } else { None })
            }
            _ => Act::One(self.order(oracle), if self.random.percent(90) { Some(self.key()) } else { None }),
        };
        remember(&mut self.asked, act.clone());
        act
    }

    /// A retry of an act; now and then another act under the same key.
    fn repeated(&mut self, act: Act) -> Act {
        match act {
            Act::One(order, key) if self.random.percent(5) => {
                let wish = LevelVerb::Adjust(1 + self.random.whole(3));
                Act::One(LevelRequest { wish, ..order }, key)
            }
            // The known version may be outdated by now: a retry need not repeat it.
            Act::One(order, key) if self.random.percent(50) => {
                Act::One(LevelRequest { expect: Expect::Wrong, ..order }, key)
            }
            Act::One(order, key) => Act::One(order, key),
            Act::Say(saying, _, key) if self.random.percent(50) => Act::Say(saying, Expect::Wrong, key),
            Act::Say(saying, expect, key) if self.random.percent(10) => {
                Act::Say(self.instead_of(&saying), expect, key)
            }
            same @ (Act::Batch { .. } | Act::Say(..) | Act::Describe { .. } | Act::Identity(..)) => same,
        }
    }

    /// A random precondition of an act.
    fn expect(&mut self) -> Expect {
        match self.random.below(100) {
            0..=79 => Expect::Any,
            80..=91 => Expect::Right,
            92..=95 => Expect::Exists,
            _ => Expect::Wrong,
        }
    }

    /// A change of a product, of the store, or of a threshold.
    fn saying(&mut self) -> CatalogueRequest {
        let sku = self.sku();
        match self.random.below(100) {
            0..=14 => CatalogueRequest::Create(sku, self.goods()),
            15..=39 => CatalogueRequest::Replace(sku, self.goods()),
            40..=54 => CatalogueRequest::Change(sku, self.threshold()),
            55..=64 => CatalogueRequest::Remove(sku),
            65..=84 => CatalogueRequest::Threshold(sku, Some(self.random.whole(20))),
            85..=92 => CatalogueRequest::Threshold(sku, None),
            _ => CatalogueRequest::Store { name: self.name(), create: self.random.percent(40) },
        }
    }

    /// Another change of the same thing: an idempotency key belongs to an address.
    fn instead_of(&mut self, saying: &CatalogueRequest) -> CatalogueRequest {
        match *saying {
            CatalogueRequest::Store { .. } => CatalogueRequest::Store { name: self.name(), create: false },
            CatalogueRequest::Threshold(sku, _) => {
                CatalogueRequest::Threshold(sku, Some(self.random.whole(20)))
            }
            CatalogueRequest::Create(sku, _)
            | CatalogueRequest::Replace(sku, _)
            | CatalogueRequest::Change(sku, _)
            | CatalogueRequest::Remove(sku) => CatalogueRequest::Replace(sku, self.goods()),
        }
    }

    fn goods(&mut self) -> Goods {
        Goods { name: self.name(), threshold: self.threshold() }
    }

    fn name(&mut self) -> u32 {
        u32::try_from(self.random.below(1_000)).unwrap_or_default()
    }

    /// A threshold that a level mostly crosses between two deliveries.
    fn threshold(&mut self) -> Option<i64> {
        self.random.percent(75).then(|| self.random.whole(20))
    }

    fn order(&mut self, oracle: &Oracle) -> LevelRequest {
        let expect = self.expect();
        let held = if self.random.percent(30) { pick(&mut self.random, &self.holds) } else { None };
        if let Some((sku, id)) = held {
            let pieces = if self.random.percent(30) { Some(self.few()) } else { None };
            let wish = match self.random.below(3) {
                0 => LevelVerb::Release { id, pieces },
                _ => LevelVerb::Commit { id, pieces, close: self.random.percent(50) },
            };
            return LevelRequest { sku, expect, wish };
        }
        let sku = self.sku();
        let sellable = oracle.levels.get(sku).map_or(0, |level| level.on_hand - level.reserved);
        let wish = match self.random.below(100) {
            0..=34 if sellable < FEW => LevelVerb::Adjust(5 + self.random.whole(30)),
            0..=34 => LevelVerb::Adjust(-self.few()),
            35..=91 => {
                self.reservations += 1;
                let id = self.reservations;
                remember(&mut self.holds, (sku, id));
                let ttl_seconds = self.random.percent(60).then(|| 1 + self.random.whole(60));
                LevelVerb::Reserve { pieces: self.few(), id, ttl_seconds }
            }
            92..=96 => LevelVerb::Count(self.random.whole(40)),
            _ => LevelVerb::Adjust(self.few()),
        };
        LevelRequest { sku, expect, wish }
    }

    fn few(&mut self) -> i64 {
        1 + self.random.whole(4)
    }

    fn key(&mut self) -> u32 {
        self.keys += 1;
        self.keys
    }

    /// A random SKU. The first ones are the most frequent: each further one is half as frequent.
    fn sku(&mut self) -> &'static str {
        let most = self.skus.len().saturating_sub(1);
        let mut place = 0;
        while place < most && self.random.percent(60) {
            place += 1;
        }
        self.skus.get(place).copied().expect("a play has SKUs")
    }

    /// A random time in milliseconds: mostly short, sometimes longer than holds and keys live, sometimes negative.
    fn time(&mut self) -> i64 {
        match self.random.below(100) {
            0..=79 => self.random.whole(2_000),
            80..=94 => self.random.whole(20_000),
            95..=97 => self.random.whole(120_000),
            _ => -(self.random.whole(5_000)),
        }
    }

    fn doing(&mut self, oracle: &Oracle) -> Activity {
        match self.random.below(10) {
            0 => Activity::Due,
            1 | 2 => Activity::Upkeep,
            3 => Activity::Nothing,
            _ => Activity::Acts(self.acts(oracle)),
        }
    }

    fn crash(&mut self, oracle: &Oracle) -> ModelStep {
        let doing = self.doing(oracle);
        let at = self.random.below(12) as u64;
        let how = self.aftermath();
        let mut relapses = Vec::new();
        while self.random.percent(25) {
            let fault = if self.random.percent(50) { Fault::Crash } else { self.refusal() };
            relapses.push(Relapse { at: self.random.below(60) as u64, fault, how: self.aftermath() });
        }
        ModelStep::Crash(doing, at, how, relapses)
    }

    /// A random end of a crash.
    pub fn aftermath(&mut self) -> Crash {
        match self.random.below(5) {
            0 => Crash::ProcessKill,
            1 => Crash::DropUnsynced,
            _ => Crash::PowerCut { seed: self.random.draw() },
        }
    }

    /// A random fault of the disk.
    pub fn refusal(&mut self) -> Fault {
        match self.random.below(4) {
            0 => Fault::Eio,
            1 => Fault::EioAfterEffect,
            2 => Fault::NoSpace,
            _ => Fault::ShortWrite,
        }
    }
}

fn pick<T: Clone>(random: &mut Random, from: &VecDeque<T>) -> Option<T> {
    from.get(random.below(from.len())).cloned()
}

fn remember<T>(many: &mut VecDeque<T>, one: T) {
    many.push_back(one);
    if many.len() > IN_MIND {
        many.pop_front();
    }
}
