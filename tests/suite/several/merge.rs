//! In any order of reading the logs of one ledger, and with any fault of the worker: central reaches the last state of
//! every level, once.

use super::{Several, adjust, batch, import, reserve};
use crate::sync::world::{Central, file, open_letters};
use onhand_app::central::{CentralFile, LetterError, Worker};
use onhand_app::ports::{Delivered, Delivery, EventSource, Reading};
use onhand_domain::{Key, Sequence, State};
use onhand_sim_machine::disk::Crash;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use uuid::Uuid;

const SKUS: [&str; 3] = ["A", "B", "C"];

/// One of several logs, of which a part is visible.
pub(super) struct Tale {
    name: String,
    node: Uuid,
    ledger: Uuid,
    events: Vec<Delivered>,
    shown: AtomicU64,
    poison: Mutex<BTreeSet<u64>>,
}

impl Tale {
    pub(super) async fn all(several: &Several) -> Vec<Arc<Self>> {
        let mut tales = Vec::new();
        for member in 0..several.members.len() {
            tales.push(Arc::new(Self {
                name: format!("log {member}"),
                node: several.node(member),
                ledger: several.ledger,
                events: several.events(member).await,
                shown: AtomicU64::new(0),
                poison: Mutex::default(),
            }));
        }
        tales
    }

    pub(super) fn show(&self, events: u64) {
        let end = self.events.len() as u64;
        let shown = self.shown.load(Ordering::SeqCst).saturating_add(events).min(end);
        self.shown.store(shown, Ordering::SeqCst);
    }

    /// Repeats the last event of the log.
    pub(super) fn repeat_last(&mut self) {
        let mut again = self.events.last().unwrap().clone();
        again.sequence = again.sequence.plus(1);
        self.events.push(again);
    }

    /// Changes the text of the event of that sequence.
    pub(super) fn change(&mut self, sequence: usize, from: &str, to: &str) {
        let event = &mut self.events[sequence - 1];
        assert!(event.json.contains(from), "{}", event.json);
        event.json = event.json.replace(from, to);
    }

    pub(super) fn poison(&self, bad: &[u64]) {
        *self.poison.lock().unwrap() = bad.iter().copied().collect();
    }
}

impl EventSource for Tale {
    fn name(&self) -> &str {
        &self.name
    }

    fn read(&self, after: Sequence, limit: usize) -> Reading<'_> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            let end = Sequence(self.shown.load(Ordering::SeqCst));
            let behind = self.events.iter().filter(|event| event.sequence > after && event.sequence <= end);
            let poison = self.poison.lock().unwrap();
            let events = behind.take(limit).cloned().map(|mut event| {
                if poison.contains(&event.sequence.0) {
                    event.json = event.json.replace("\"type\":\"", "\"type\":\"NO");
                }
                event
            });
            Ok(Delivery { node: self.node, ledger: self.ledger, end, events: events.collect() })
        })
    }
}

pub(super) fn follow(tales: &[Arc<Tale>]) -> Central {
    Central::new(tales.iter().map(|tale| Arc::clone(tale) as Arc<dyn EventSource>).collect())
}

/// Checks that central has exactly the levels of the ledger.
pub(super) fn check(several: &Several, central: &CentralFile) {
    let mut found = 0;
    for (store, skus) in &central.stores {
        for (sku, record) in skus {
            found += 1;
            let head = &several.heads[&Key::Level(store.clone(), sku.clone())];
            let State::Level(level) = &head.state else { panic!() };
            assert!(record.others.is_empty(), "one ledger has one level: {record:?}");
            assert_eq!(record.version, level.version(), "{sku}");
            assert_eq!((record.on_hand, record.qty), (level.on_hand(), level.qty()), "{sku}");
            assert_eq!(record.updated_at, level.updated_at(), "{sku}");
            assert_eq!(record.node, several.node(head.owner), "{sku}");
            assert_eq!(record.ledger, Some(several.ledger), "{sku}");
        }
    }
    let levels = several.heads.keys().filter(|key| matches!(key, Key::Level(..))).count();
    assert_eq!(found, levels);
}

#[derive(Debug, Clone)]
enum Act {
    Adjust(usize, i64),
    Reserve(usize, u8),
    Batch,
    Import,
    Pass(i64),
}

#[derive(Debug, Clone)]
enum Step {
    Show(usize, u64),
    Sync,
    Poison(usize, Vec<u64>),
    Redrive,
    Save,
    Restart,
    PowerCut(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0..SKUS.len(), prop_oneof![3 => 1..9_i64, 1 => -5..0_i64]).prop_map(|(sku, delta)| Act::Adjust(sku, delta)),
        2 => (0..SKUS.len(), 0..4_u8).prop_map(|(sku, name)| Act::Reserve(sku, name)),
        1 => Just(Act::Batch),
        1 => Just(Act::Import),
        1 => (0..20_000_i64).prop_map(Act::Pass),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3_usize, 1..9_u64).prop_map(|(member, events)| Step::Show(member, events)),
        6 => Just(Step::Sync),
        2 => (0..3_usize, prop::collection::vec(1..30_u64, 0..4)).prop_map(|(member, bad)| Step::Poison(member, bad)),
        2 => Just(Step::Redrive),
        2 => Just(Step::Save),
        1 => Just(Step::Restart),
        2 => any::<u64>().prop_map(Step::PowerCut),
    ]
}

fn write(several: &mut Several, acts: &[(usize, Act)]) {
    let mut row = 0;
    for (member, act) in acts {
        let command = match act {
            Act::Adjust(sku, delta) => adjust(SKUS[*sku], *delta),
            Act::Reserve(sku, name) => reserve(SKUS[*sku], 1, &name.to_string(), Some(10)),
            Act::Batch => batch(&SKUS),
            Act::Import => {
                row += 1;
                import(row - 1, false)
            }
            Act::Pass(milliseconds) => {
                several.clock.pass(*milliseconds);
                continue;
            }
        };
        several.act(*member, &command);
    }
}

async fn redrive(worker: &Worker) {
    for letter in open_letters(worker) {
        match worker.redrive(&letter.id).await {
            Ok(_) | Err(LetterError::Behind(_) | LetterError::Source(_) | LetterError::Closed) => {}
            Err(error) => panic!("{letter:?}: {error}"),
        }
    }
}

async fn run(acts: &[(usize, Act)], steps: &[Step]) {
    let mut several = Several::new();
    write(&mut several, acts);
    let tales = Tale::all(&several).await;
    let central = follow(&tales);
    let mut worker = central.start().unwrap();
    for step in steps {
        match step {
            Step::Show(member, events) => tales[*member].show(*events),
            Step::Sync => {
                worker.sync().await;
            }
            Step::Poison(member, bad) => tales[*member].poison(bad),
            Step::Redrive => redrive(&worker).await,
            Step::Save => worker.save().await.unwrap(),
            Step::Restart => worker = central.start().unwrap(),
            Step::PowerCut(seed) => {
                central.disk.crash(Crash::PowerCut { seed: *seed });
                worker = central.start().unwrap();
            }
        }
    }
    for tale in &tales {
        tale.show(u64::MAX);
        tale.poison(&[]);
    }
    for _ in 0..3 {
        worker.sync().await;
        redrive(&worker).await;
    }
    let open = open_letters(&worker);
    assert!(open.is_empty(), "{open:?}");
    let report = worker.sync().await;
    assert_eq!((report.lag, report.applied), (0, 0), "{report:?}");
    let merged = file(&worker);
    check(&several, &merged);
    let clean =
        |source: &onhand_app::central::SourceRecord| source.parked.is_empty() && source.loose.is_empty();
    assert!(merged.sources.values().all(clean), "{merged:?}");
    worker.save().await.unwrap();
    assert_eq!(file(&central.start().unwrap()), merged);
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_time: 20_000, ..crate::properties::config() })]
    #[test]
    fn any_reading_of_several_logs_comes_to_what_the_ledger_is(
        acts in prop::collection::vec((0..3_usize, act()), 1..40),
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(&acts, &steps));
    }
}
