//! What goes on in a shop, by chance: a few SKUs that everybody wants, tills that repeat what they asked for, holds that are
//! taken, kept, shipped in part or forgotten, deliveries, counts, batches; and what may happen to the machine meanwhile.

use crate::sim::disk::{Crash, Fault};
use crate::sim::oracle::{Act, Expect, Goods, Oracle, Order, Saying, Wish};
use crate::sim::play::{Doing, Relapse, Step};
use crate::sim::random::Random;
use std::collections::VecDeque;

/// Holds and acts that the shop has in mind, each.
const IN_MIND: usize = 24;

/// Below so many pieces a delivery is due.
const FEW: i64 = 5;

/// A stream of steps for one node.
pub struct Shop {
    random: Random,
    skus: &'static [&'static str],
    keys: u32,
    reservations: u32,
    /// Holds that were asked for, granted or not.
    holds: VecDeque<(&'static str, u32)>,
    /// Acts with a key, to be repeated.
    asked: VecDeque<Act>,
}

impl Shop {
    /// What goes on by that seed.
    pub fn new(seed: u64, skus: &'static [&'static str]) -> Self {
        let (holds, asked) = (VecDeque::new(), VecDeque::new());
        Self { random: Random::new(seed), skus, keys: 0, reservations: 0, holds, asked }
    }

    /// The next step.
    pub fn step(&mut self, oracle: &Oracle) -> Step {
        match self.random.below(1_000) {
            0..=699 => Step::Do(Doing::Acts(self.acts(oracle))),
            700..=839 => Step::Pass(self.time()),
            840..=879 => Step::Do(Doing::Due),
            880..=929 => Step::Do(Doing::Upkeep),
            930..=959 => {
                let end = usize::try_from(oracle.end()).unwrap_or(usize::MAX);
                let sku = self.sku();
                Step::Look(sku, self.random.below(end.saturating_add(1)) as u64)
            }
            960..=979 => self.crash(oracle),
            _ => {
                let doing = self.doing(oracle);
                let at = self.random.below(12) as u64;
                Step::Refuse { doing, at, fault: self.refusal(), sticky: self.random.percent(50) }
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
                        // In a batch the versions move on.
                        order.expect = Expect::Any;
                    }
                    (order, if self.random.percent(50) { Some(self.key()) } else { None })
                });
                let items = items.collect();
                Act::Batch { atomic: self.random.percent(50), items, key: Some(self.key()) }
            }
            _ => Act::One(self.order(oracle), if self.random.percent(90) { Some(self.key()) } else { None }),
        };
        remember(&mut self.asked, act.clone());
        act
    }

    /// An act once more; now and then it is another one under the same key.
    fn repeated(&mut self, act: Act) -> Act {
        match act {
            Act::One(order, key) if self.random.percent(5) => {
                let wish = Wish::Adjust(1 + self.random.whole(3));
                Act::One(Order { wish, ..order }, key)
            }
            // What is known of the version may be wrong by now: that is no part of what a retry repeats.
            Act::One(order, key) if self.random.percent(50) => {
                Act::One(Order { expect: Expect::Wrong, ..order }, key)
            }
            Act::One(order, key) => Act::One(order, key),
            Act::Say(saying, _, key) if self.random.percent(50) => Act::Say(saying, Expect::Wrong, key),
            Act::Say(saying, expect, key) if self.random.percent(10) => {
                Act::Say(self.instead_of(&saying), expect, key)
            }
            same @ (Act::Batch { .. } | Act::Say(..) | Act::Describe { .. }) => same,
        }
    }

    /// What is known of a version.
    fn expect(&mut self) -> Expect {
        match self.random.below(100) {
            0..=79 => Expect::Any,
            80..=91 => Expect::Right,
            92..=95 => Expect::Exists,
            _ => Expect::Wrong,
        }
    }

    /// Somebody describes what is sold, and how much of it there should be.
    fn saying(&mut self) -> Saying {
        let sku = self.sku();
        match self.random.below(100) {
            0..=14 => Saying::Create(sku, self.goods()),
            15..=39 => Saying::Replace(sku, self.goods()),
            40..=54 => Saying::Change(sku, self.threshold()),
            55..=64 => Saying::Remove(sku),
            65..=84 => Saying::Threshold(sku, Some(self.random.whole(20))),
            85..=92 => Saying::Threshold(sku, None),
            _ => Saying::Store { name: self.name(), create: self.random.percent(40) },
        }
    }

    /// Something else that is said of the same: a key belongs to an address.
    fn instead_of(&mut self, saying: &Saying) -> Saying {
        match *saying {
            Saying::Store { .. } => Saying::Store { name: self.name(), create: false },
            Saying::Threshold(sku, _) => Saying::Threshold(sku, Some(self.random.whole(20))),
            Saying::Create(sku, _)
            | Saying::Replace(sku, _)
            | Saying::Change(sku, _)
            | Saying::Remove(sku) => Saying::Replace(sku, self.goods()),
        }
    }

    fn goods(&mut self) -> Goods {
        Goods { name: self.name(), threshold: self.threshold() }
    }

    fn name(&mut self) -> u32 {
        u32::try_from(self.random.below(1_000)).unwrap_or_default()
    }

    /// Mostly so few that the shop comes there between two deliveries.
    fn threshold(&mut self) -> Option<i64> {
        self.random.percent(75).then(|| self.random.whole(20))
    }

    fn order(&mut self, oracle: &Oracle) -> Order {
        let expect = self.expect();
        let held = if self.random.percent(30) { pick(&mut self.random, &self.holds) } else { None };
        if let Some((sku, id)) = held {
            let pieces = if self.random.percent(30) { Some(self.few()) } else { None };
            let wish = match self.random.below(3) {
                0 => Wish::Release { id, pieces },
                _ => Wish::Commit { id, pieces, close: self.random.percent(50) },
            };
            return Order { sku, expect, wish };
        }
        let sku = self.sku();
        let sellable = oracle.levels.get(sku).map_or(0, |level| level.on_hand - level.reserved);
        let wish = match self.random.below(100) {
            0..=34 if sellable < FEW => Wish::Adjust(5 + self.random.whole(30)),
            0..=34 => Wish::Adjust(-self.few()),
            35..=91 => {
                self.reservations += 1;
                let id = self.reservations;
                remember(&mut self.holds, (sku, id));
                let ttl_seconds = self.random.percent(60).then(|| 1 + self.random.whole(60));
                Wish::Reserve { pieces: self.few(), id, ttl_seconds }
            }
            92..=96 => Wish::Count(self.random.whole(40)),
            _ => Wish::Adjust(self.few()),
        };
        Order { sku, expect, wish }
    }

    fn few(&mut self) -> i64 {
        1 + self.random.whole(4)
    }

    fn key(&mut self) -> u32 {
        self.keys += 1;
        self.keys
    }

    /// The first ones are wanted most: half as often each further one.
    fn sku(&mut self) -> &'static str {
        let most = self.skus.len().saturating_sub(1);
        let mut place = 0;
        while place < most && self.random.percent(60) {
            place += 1;
        }
        self.skus.get(place).copied().expect("a play has SKUs")
    }

    /// Mostly a moment, now and then longer than most holds and all keys live, now and then backwards.
    fn time(&mut self) -> i64 {
        match self.random.below(100) {
            0..=79 => self.random.whole(2_000),
            80..=94 => self.random.whole(20_000),
            95..=97 => self.random.whole(120_000),
            _ => -(self.random.whole(5_000)),
        }
    }

    fn doing(&mut self, oracle: &Oracle) -> Doing {
        match self.random.below(10) {
            0 => Doing::Due,
            1 | 2 => Doing::Upkeep,
            3 => Doing::Nothing,
            _ => Doing::Acts(self.acts(oracle)),
        }
    }

    fn crash(&mut self, oracle: &Oracle) -> Step {
        let doing = self.doing(oracle);
        let at = self.random.below(12) as u64;
        let how = self.aftermath();
        let mut relapses = Vec::new();
        while self.random.percent(25) {
            let fault = if self.random.percent(50) { Fault::Crash } else { self.refusal() };
            relapses.push(Relapse { at: self.random.below(60) as u64, fault, how: self.aftermath() });
        }
        Step::Crash(doing, at, how, relapses)
    }

    /// What a crash leaves.
    pub fn aftermath(&mut self) -> Crash {
        match self.random.below(5) {
            0 => Crash::ProcessKill,
            1 => Crash::DropUnsynced,
            _ => Crash::PowerCut { seed: self.random.draw() },
        }
    }

    /// What a disk says.
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
