//! Random steps of six orders over three stores, each compared with the oracle, and with its own events.

mod acts;
mod checks;
mod moves;
mod play;

use super::Desk;
use super::oracle::{Answer, Books};
use crate::counts::counted;
use crate::properties::config;
use acts::{Act, Verb, act};
use checks::Left;
use onhand_domain::Rejection;
use play::play;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;

/// The refusals of orders that small numbers lead to; `too-many-shipments` and the like need more.
const MET: [&str; 16] = [
    "already-shipped",
    "amount-exceeds",
    "held-by-shipment",
    "illegal-transition",
    "insufficient-stock",
    "not-allotted",
    "order-exists",
    "order-held",
    "order-not-found",
    "payment-exists",
    "plan-stale",
    "return-exceeds",
    "return-exists",
    "return-not-found",
    "shipment-closed",
    "shipment-exceeds",
];

/// A chain whose books are kept twice.
#[derive(Default)]
struct Chain {
    desk: Desk,
    books: Books,
    left: Left,
    steps: usize,
}

impl Chain {
    /// With some pieces of everything everywhere.
    fn stocked() -> Self {
        let mut chain = Self::default();
        for (store, sku) in (0..acts::STORES).flat_map(|store| (0..acts::SKUS).map(move |sku| (store, sku))) {
            let verb = Verb::Adjust { store, sku, delta: 8 };
            chain.step(&Act { order: 0, stray: false, stale: false, verb });
        }
        chain
    }

    /// Takes a step; the answer to it, unless there was nothing to ask.
    fn step(&mut self, act: &Act) -> Option<Answer> {
        let before = self.desk.clone();
        self.steps += 1;
        let (command, answer) = play(act, &before, &mut self.books, self.steps)?;
        let decided = self.desk.ask(&command);
        let told = decided.as_ref().map(|_| ()).map_err(Rejection::code);
        assert_eq!(told, answer, "{command:?}");
        match decided {
            Err(_) => assert_eq!(self.desk.states, before.states, "a refusal changes nothing"),
            Ok(events) => {
                self.left.note(&events);
                checks::events_are_sound(&before, &self.desk, &events);
                checks::takes_over(&before, &self.desk, &command, &events);
            }
        }
        checks::conserves(&self.desk, &self.left);
        checks::agrees(&self.desk, &self.books);
        Some(answer)
    }
}

/// A quarter as many cases as those of other properties: each has up to eighty steps.
fn cases() -> ProptestConfig {
    let config = config();
    ProptestConfig { cases: config.cases.div_ceil(4), ..config }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn orders_shipments_and_stock_agree_after_every_step(acts in prop::collection::vec(act(), 1..80)) {
        let mut chain = Chain::stocked();
        for act in &acts {
            chain.step(act);
        }
    }
}

#[test]
fn ten_thousand_steps_meet_every_refusal() {
    let mut runner = TestRunner::deterministic();
    let mut answers: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..100 {
        let mut chain = Chain::stocked();
        for _ in 0..100 {
            let act = act().new_tree(&mut runner).unwrap().current();
            if let Some(answer) = chain.step(&act) {
                *answers.entry(answer.err().unwrap_or("done")).or_default() += 1;
            }
        }
    }
    counted("orders", format!("{answers:?}"));
    let unmet: Vec<&str> = MET.into_iter().filter(|code| !answers.contains_key(code)).collect();
    assert!(unmet.is_empty(), "{unmet:?} of {answers:?}");
    assert!(answers["done"] > 4_000, "{answers:?}");
}
