//! A scripted run that fails at every operation of the disk in turn, in every way, and is opened again.
//!
//! After the first error nothing may be acknowledged and nothing be shown that is not durable. After the restart what
//! was acknowledged is there exactly once, what was not at most once, and a retry of everything makes it exactly once.

mod faults;

use crate::oracle::{Act, Expect, Order, Wish};
use crate::stage::{Heard, SKUS, Stage, ask};
use onhand::sim::disk::{Crash, SimDisk};
use onhand::sim::node::{SimNode, SimSettings};

enum Step {
    Together(Vec<Act>),
    Pass(i64),
    Due,
    Upkeep,
    Restart,
}

const SETTINGS: SimSettings =
    SimSettings { segment_bytes: 1_500, snapshot_every: 4, idempotency_ttl_ms: 300_000 };

fn order(sku: &'static str, wish: Wish) -> Order {
    Order { sku, expect: Expect::Any, wish }
}

/// Commands alone and in groups, a batch, expiry, refusals, rotation, snapshots, and a restart in between.
fn script() -> Vec<Step> {
    let one = |key, sku, wish| Act::One(order(sku, wish), Some(key));
    let reserve = |pieces, id, ttl_seconds| Wish::Reserve { pieces, id, ttl_seconds };
    let batch = |key, items| Act::Batch { atomic: false, items, key: Some(key) };
    vec![
        Step::Together(vec![one(0, "A", Wish::Adjust(10))]),
        Step::Together(vec![
            one(1, "A", reserve(4, 1, None)),
            one(2, "B", Wish::Count(7)),
            one(3, "A", reserve(9, 2, None)),
            one(4, "A", reserve(2, 3, Some(5))),
        ]),
        Step::Upkeep,
        Step::Together(vec![batch(
            5,
            vec![
                (order("C", Wish::Adjust(3)), Some(6)),
                (order("A", Wish::Commit { id: 1, pieces: Some(1), close: true }), Some(7)),
                (order("C", Wish::Adjust(-4)), None),
            ],
        )]),
        Step::Pass(6_000),
        Step::Due,
        Step::Together(vec![one(8, "B", reserve(7, 4, Some(1))), one(9, "C", Wish::Adjust(-1))]),
        Step::Upkeep,
        Step::Restart,
        Step::Pass(2_000),
        Step::Together(vec![one(10, "B", Wish::Adjust(-7)), one(0, "A", Wish::Adjust(10))]),
        Step::Together(vec![
            one(11, "A", Wish::Adjust(1)),
            one(12, "A", Wish::Adjust(1)),
            one(13, "A", Wish::Count(3)),
        ]),
        Step::Upkeep,
    ]
}

/// Everything the script asks, in order.
fn acts() -> Vec<Act> {
    script()
        .into_iter()
        .flat_map(|step| match step {
            Step::Together(acts) => acts,
            Step::Pass(_) | Step::Due | Step::Upkeep | Step::Restart => Vec::new(),
        })
        .collect()
}

/// A run up to its end or to the first fault.
struct Run {
    stage: Stage,
    /// What was under way at the fault, in the order of the log.
    unanswered: Vec<Act>,
    /// The holds that were due were being expired.
    expiring: bool,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut stage = Stage::new(SETTINGS);
        stage.world.disk = SimDisk::new(seed);
        Self { stage, unanswered: Vec::new(), expiring: false }
    }

    /// True when the script came to its end.
    async fn play(&mut self) -> bool {
        let mut node = None;
        for step in script() {
            let running = match node.take() {
                Some(node) => node,
                None => match self.stage.world.try_open() {
                    Ok(node) => node,
                    Err(_) => return false,
                },
            };
            if !matches!(step, Step::Restart) {
                node = self.step(running, step).await;
                if node.is_none() {
                    return false;
                }
            }
        }
        true
    }

    /// The node, unless its log has failed.
    async fn step(&mut self, mut node: SimNode, step: Step) -> Option<SimNode> {
        match step {
            Step::Together(acts) => {
                // A panic takes the answers with it.
                self.unanswered.clone_from(&acts);
                let heard = ask(&node, &self.stage.oracle, self.stage.clock(), &acts).await;
                self.unanswered = self.stage.hold(&acts, heard);
            }
            Step::Due => {
                self.expiring = true;
                if node.drive(node.ledger.expire_due()).await.is_ok() {
                    self.stage.oracle.pass_due(self.stage.clock());
                    self.expiring = false;
                }
            }
            Step::Pass(milliseconds) => self.stage.world.clock.pass(milliseconds),
            // What fails here is tried again at the next step.
            Step::Upkeep => drop(node.upkeep()),
            Step::Restart => {}
        }
        let failed = node.ledger.log().durable().failed();
        assert_eq!(failed, self.expiring || !self.unanswered.is_empty());
        if failed && !self.stage.world.disk.is_stopped() {
            self.after_the_failure(&node).await;
        }
        (!failed).then_some(node)
    }

    /// The disk works again, the process has not ended yet: nothing is acknowledged, nothing shown but the durable.
    async fn after_the_failure(&self, node: &SimNode) {
        let late = Act::One(order("C", Wish::Adjust(5)), Some(99));
        let heard = ask(node, &self.stage.oracle, self.stage.clock(), &[late]).await;
        assert!(matches!(heard[..], [Heard::Unknown | Heard::Closed]), "{heard:?}");
        for sku in SKUS {
            let place =
                (onhand::domain::StoreId::new("LONDON").unwrap(), onhand::domain::Sku::new(sku).unwrap());
            let Ok(seen) = node.drive(node.ledger.level(&place.0, &place.1)).await else { continue };
            let owed = self.stage.oracle.levels.get(sku).map(|level| level.version);
            assert_eq!(seen.map(|view| view.numbers.version), owed, "{sku} shows what is not durable");
        }
    }

    /// Opens what a crash left, and perhaps retries everything, so that all of it has happened exactly once.
    async fn recover(&self, disk: SimDisk, retry: bool) {
        let mut stage = Stage::new(SETTINGS);
        stage.world.clock = self.stage.world.clock.clone();
        stage.world.ids = self.stage.world.ids.clone();
        stage.world.disk = disk;
        stage.oracle = self.stage.oracle.clone();
        let node = stage.reopen(&self.unanswered, self.expiring).await;
        if retry {
            for act in acts() {
                stage.play(&node, &[act]).await;
            }
            stage.check(&node).await;
        }
    }

    /// A copy of the disk as it is left when the machine ends in that way.
    fn left(&self, end: Crash) -> SimDisk {
        let disk = self.stage.world.disk.fork();
        disk.crash(end);
        disk.clear_faults();
        disk
    }
}
