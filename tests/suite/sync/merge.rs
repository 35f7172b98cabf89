//! Property: whatever the order in which several sources deliver, fail, repeat, lose and restart, and whenever the
//! worker is killed, central reaches the same model: the sum of the logs.

use crate::sync::world::{Central, Mood, Script, file, open_letters};
use onhand_app::central::{CentralFile, Worker};
use onhand_app::ports::EventSource;
use onhand_disk::layout::Layout;
use onhand_sim_machine::disk::Crash;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// No run takes a second; one that takes so long loops.
const END: Duration = Duration::from_secs(30);
const NODES: usize = 3;
const STORES: [&str; 2] = ["LONDON", "PARIS"];
const SKUS: [&str; 3] = ["A", "B", "C"];

#[derive(Debug, Clone)]
enum Step {
    /// A node appends so many events of that level.
    Sell {
        node: usize,
        store: usize,
        sku: usize,
        events: i64,
    },
    /// A source changes to that mood.
    Mood(usize, Mood),
    /// These events of a node cannot be read, until they are mended.
    Poison(usize, Vec<u64>),
    Sync,
    Save,
    /// Redrives all open letters; or discards the first.
    Redrive,
    Discard,
    /// The worker ends without a save and is started again.
    Restart,
    /// As `Restart`, with a power cut.
    PowerCut(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let mood = prop_oneof![
        4 => Just(Mood::Well),
        2 => (1..9_u64).prop_map(Mood::Repeats),
        1 => Just(Mood::Skips),
        1 => Just(Mood::Stuck),
        1 => Just(Mood::Down),
        1 => Just(Mood::Raves),
        1 => Just(Mood::Overtakes),
    ];
    prop_oneof![
        6 => (0..NODES, 0..STORES.len(), 0..SKUS.len(), 1..9_i64)
            .prop_map(|(node, store, sku, events)| Step::Sell { node, store, sku, events }),
        3 => (0..NODES, mood).prop_map(|(node, mood)| Step::Mood(node, mood)),
        2 => (0..NODES, prop::collection::vec(1..40_u64, 0..4)).prop_map(|(node, bad)| Step::Poison(node, bad)),
        5 => Just(Step::Sync),
        2 => Just(Step::Save),
        2 => Just(Step::Redrive),
        1 => Just(Step::Discard),
        2 => Just(Step::Restart),
        2 => any::<u64>().prop_map(Step::PowerCut),
    ]
}

async fn perform(step: &Step, central: &Central, scripts: &[Arc<Script>], worker: &mut Worker) {
    match step {
        Step::Sell { node, store, sku, events } => {
            for _ in 0..*events {
                scripts[*node].adjust(STORES[*store], SKUS[*sku], 1);
            }
        }
        Step::Mood(node, mood) => scripts[*node].set(mood.clone()),
        Step::Poison(node, bad) => scripts[*node].poison(bad),
        Step::Sync => {
            worker.sync().await;
        }
        Step::Save => worker.save().await.unwrap(),
        Step::Redrive => {
            for letter in open_letters(worker) {
                // The source may be down; then the letter stays open.
                let _ = worker.redrive(&letter.id).await;
            }
        }
        Step::Discard => {
            if let Some(letter) = open_letters(worker).first() {
                let _ = worker.discard(&letter.id, "given up").await;
            }
        }
        Step::Restart => *worker = central.start().unwrap(),
        Step::PowerCut(seed) => {
            central.disk.crash(Crash::PowerCut { seed: *seed });
            *worker = central.start().unwrap();
        }
    }
}

/// The sum of the logs: on hand and version of every level, over all nodes.
fn wanted(scripts: &[Arc<Script>]) -> BTreeMap<(String, String), (i64, u64)> {
    let mut sum: BTreeMap<(String, String), (i64, u64)> = BTreeMap::new();
    for (place, (on_hand, version)) in scripts.iter().flat_map(|script| script.levels()) {
        let level = sum.entry(place).or_default();
        level.0 += on_hand;
        level.1 += version;
    }
    sum
}

fn found(central: &CentralFile) -> BTreeMap<(String, String), (i64, u64)> {
    let levels = central.stores.iter().flat_map(|(store, skus)| {
        skus.iter().map(move |(sku, level)| {
            let all = std::iter::once(level).chain(&level.others);
            let sum = all.fold((0, 0), |sum, one| (sum.0 + one.on_hand.get(), sum.1 + one.version));
            ((store.to_string(), sku.to_string()), sum)
        })
    });
    levels.collect()
}

async fn run(steps: &[Step]) {
    let scripts: Vec<Arc<Script>> = (1..=NODES as u128).map(Script::new).collect();
    let sources = scripts.iter().map(|script| Arc::clone(script) as Arc<dyn EventSource>);
    let central = Central::new(sources.collect());
    let mut worker = central.start().unwrap();
    for step in steps {
        perform(step, &central, &scripts, &mut worker).await;
    }
    // All sources are well again, each level sells once more, and stopped sources are restarted.
    for script in &scripts {
        script.set(Mood::Well);
        script.poison(&[]);
        for (store, sku) in script.levels().into_keys() {
            script.adjust(&store, &sku, 1);
        }
    }
    let mut worker = central.start().unwrap();
    for _ in 0..2 {
        worker.sync().await;
        perform(&Step::Redrive, &central, &scripts, &mut worker).await;
    }
    let open = open_letters(&worker);
    assert!(open.is_empty(), "{open:?}");
    let report = worker.sync().await;
    assert_eq!((report.lag, report.applied), (0, 0), "{report:?}");
    let merged = file(&worker);
    assert_eq!(found(&merged), wanted(&scripts));
    assert!(merged.sources.values().all(|source| source.parked.is_empty() && source.loose.is_empty()));
    // The same after one more start, which reads the model from its file.
    worker.save().await.unwrap();
    assert_eq!(file(&central.start().unwrap()), merged);
    let layout = Layout::new(Path::new("/central"));
    assert_eq!(onhand_file::stores::central::look(&central.disk, &layout).unwrap(), Some((&merged).into()));
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_time: 5_000, ..crate::properties::config() })]
    #[test]
    fn any_interleaving_comes_to_what_the_logs_add_up_to(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let end = runtime.block_on(async { tokio::time::timeout(END, run(&steps)).await });
        prop_assert!(end.is_ok(), "the worker comes to no end");
    }
}
