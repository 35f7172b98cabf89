//! Any sequence of clock jumps, compared with the true time.

use super::{DAY, HOUR, YEARS, go, world};
use crate::node::{World, reserve};
use crate::rules;
use onhand_app::ports::Clock;
use onhand_app::{APART_MS, FAR_MS, Meta};
use onhand_domain::stock::StockFact;
use onhand_domain::{Entry, Fact};
use onhand_file::recovery::OpenError;
use onhand_sim::node::SimNode;
use onhand_sim_machine::disk::Crash;
use proptest::prelude::*;
use std::collections::HashMap;
use tokio::runtime::{Builder, Runtime};

/// An event for a node or its clocks.
#[derive(Debug, Clone)]
enum Step {
    Pass(i64),
    Jump(i64),
    Look,
    Hold(i64),
    Due,
    Sell,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let jump = prop_oneof![
        2 => -APART_MS..=APART_MS,
        2 => -DAY..DAY,
        1 => -2 * FAR_MS..2 * FAR_MS,
        1 => -YEARS..YEARS,
    ];
    prop_oneof![
        4 => prop_oneof![0..5_000_i64, 0..600_000_i64, 0..2 * HOUR].prop_map(Step::Pass),
        2 => jump.prop_map(Step::Jump),
        4 => Just(Step::Look),
        3 => prop_oneof![1..60_i64, 60..7_200_i64, 7_200..400_000_i64].prop_map(Step::Hold),
        2 => Just(Step::Due),
        1 => Just(Step::Sell),
        1 => Just(Step::Restart),
    ]
}

/// A hold as it was made: the true time, its duration, and the number of starts so far.
#[derive(Debug, Clone, Copy)]
struct Made {
    passed: i64,
    ttl: i64,
    starts: i64,
}

/// A node, and the true time at which each of its entries was made.
struct Play {
    runtime: Runtime,
    world: World,
    node: Option<SimNode>,
    starts: i64,
    made: HashMap<String, Made>,
    /// For each sequence: the true time, and the starts so far.
    when: Vec<(i64, i64)>,
}

impl Play {
    fn new() -> Self {
        let (world, runtime) = (world(), Builder::new_current_thread().build().unwrap());
        let node = Some(world.open());
        let mut play = Self { runtime, world, node, starts: 0, made: HashMap::new(), when: Vec::new() };
        play.step(0, &Step::Sell);
        play
    }

    fn passed(&self) -> i64 {
        i64::try_from(self.world.clock.monotonic().as_millis()).unwrap()
    }

    fn step(&mut self, number: usize, step: &Step) {
        let now = self.passed();
        let node = self.node.as_ref().unwrap();
        match step {
            Step::Pass(milliseconds) => self.world.clock.pass(*milliseconds),
            Step::Jump(milliseconds) => self.world.clock.jump(*milliseconds),
            Step::Look => drop(self.runtime.block_on(node.keep_time()).unwrap()),
            Step::Hold(seconds) => {
                let id = format!("r-{number}");
                let wish = reserve("A", 1, &id, Some(*seconds));
                if self.runtime.block_on(node.execute(wish, &Meta::default())).is_ok() {
                    let made = Made { passed: now, ttl: seconds * 1_000, starts: self.starts };
                    self.made.insert(id, made);
                }
            }
            Step::Due => self.runtime.block_on(node.drive(node.ledger.expire_due())).unwrap(),
            Step::Sell => self.runtime.block_on(go(node, "A")),
            Step::Restart => {
                self.node = None;
                self.world.disk.crash(Crash::ProcessKill);
                let opened: Result<SimNode, OpenError> = self.world.try_open();
                self.node = Some(opened.unwrap());
                self.starts += 1;
            }
        }
        let end = self.node.as_ref().unwrap().ledger.log().durable().sequence().0;
        let when = (now, self.starts);
        self.when.resize(usize::try_from(end).unwrap(), when);
    }

    /// Checks that every expired hold had had its time, or there is a sign, and that every hold that has had its time
    /// is gone.
    fn check(&self) {
        let entries = rules::entries(&self.world.disk);
        rules::check(&entries);
        let mut open: HashMap<&str, bool> = HashMap::new();
        for (sequence, event) in entries.iter().flat_map(Entry::numbered) {
            let (passed, starts) = self.when[usize::try_from(sequence.0).unwrap() - 1];
            match &event.fact {
                Fact::Clock(_) => open.values_mut().for_each(|signed| *signed = true),
                Fact::Level(StockFact::Reserve(fact)) => {
                    open.insert(fact.reservation_id.as_str(), false);
                }
                Fact::Level(StockFact::Expire(fact)) => {
                    let made = self.made[fact.reservation_id.as_str()];
                    let signed = open.remove(fact.reservation_id.as_str()).unwrap();
                    let (had, slack) = (passed - made.passed, (starts - made.starts) * APART_MS);
                    let enough = had + had / 1_000 + 1 + slack >= made.ttl;
                    assert!(signed || enough, "{} after {had} ms: {made:?}", fact.reservation_id);
                }
                _ => {}
            }
        }
        for id in open.keys() {
            let made = self.made[*id];
            let had = self.passed() - made.passed;
            let over = made.starts == self.starts && had - had / 1_000 > made.ttl;
            assert!(!over, "{id} stands after {had} ms: {made:?}");
        }
    }
}

proptest! {
    #![proptest_config(crate::properties::config())]

    #[test]
    fn no_hold_runs_out_early_or_late_however_the_wall_clock_jumps(steps in prop::collection::vec(step(), 1..40)) {
        let mut play = Play::new();
        for (number, step) in steps.iter().enumerate() {
            play.step(number, step);
        }
        play.step(steps.len(), &Step::Due);
        play.check();
    }
}
