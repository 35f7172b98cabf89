//! A scripted run that fails at every operation of the disk in turn, in every way, and is opened again.
//!
//! After a failure of the disk nothing may be acknowledged, and nothing that is not durable may be shown. Then the node
//! resumes without a restart as soon as the disk is well, and changes that were not acknowledged have not happened; or
//! the process ends, and after the restart acknowledged changes are there exactly once, read-only ones not at all,
//! unknown ones at most once, and a retry of everything makes it exactly once.

mod faults;

use crate::model_check::{ModelCheck, NodeAnswer, OpenActs, ask};
use crate::oracle::{Act, Expect, LevelRequest, LevelVerb};
use onhand_app::CommandError;
use onhand_resilience::BreakerState;
use onhand_sim::node::{SimNode, SimSettings};
use onhand_sim_machine::disk::{Crash, Fault, Injection, SimDisk};

enum Step {
    Together(Vec<Act>),
    Pass(i64),
    Due,
    Upkeep,
    Restart,
}

const SETTINGS: SimSettings =
    SimSettings { segment_bytes: 1_500, snapshot_every: 4, idempotency_ttl_ms: 300_000, archive: false };

fn order(sku: &'static str, wish: LevelVerb) -> LevelRequest {
    LevelRequest { sku, expect: Expect::Any, wish }
}

/// Commands alone and in groups, a batch, expiry, refusals, rotation, snapshots, and a restart in between.
fn script() -> Vec<Step> {
    let one = |key, sku, wish| Act::One(order(sku, wish), Some(key));
    let reserve = |pieces, id, ttl_seconds| LevelVerb::Reserve { pieces, id, ttl_seconds };
    let batch = |key, items| Act::Batch { atomic: false, items, key: Some(key) };
    vec![
        Step::Together(vec![one(0, "A", LevelVerb::Adjust(10))]),
        Step::Together(vec![
            one(1, "A", reserve(4, 1, None)),
            one(2, "B", LevelVerb::Count(7)),
            one(3, "A", reserve(9, 2, None)),
            one(4, "A", reserve(2, 3, Some(5))),
        ]),
        Step::Upkeep,
        Step::Together(vec![batch(
            5,
            vec![
                (order("C", LevelVerb::Adjust(3)), Some(6)),
                (order("A", LevelVerb::Commit { id: 1, pieces: Some(1), close: true }), Some(7)),
                (order("C", LevelVerb::Adjust(-4)), None),
            ],
        )]),
        Step::Pass(6_000),
        Step::Due,
        Step::Together(vec![one(8, "B", reserve(7, 4, Some(1))), one(9, "C", LevelVerb::Adjust(-1))]),
        Step::Upkeep,
        Step::Restart,
        Step::Pass(2_000),
        Step::Together(vec![one(10, "B", LevelVerb::Adjust(-7)), one(0, "A", LevelVerb::Adjust(10))]),
        Step::Together(vec![
            one(11, "A", LevelVerb::Adjust(1)),
            one(12, "A", LevelVerb::Adjust(1)),
            one(13, "A", LevelVerb::Count(3)),
        ]),
        Step::Upkeep,
    ]
}

/// All acts of the script, in order.
fn acts() -> Vec<Act> {
    script()
        .into_iter()
        .flat_map(|step| match step {
            Step::Together(acts) => acts,
            Step::Pass(_) | Step::Due | Step::Upkeep | Step::Restart => Vec::new(),
        })
        .collect()
}

/// A run up to its end, or to the first fault that it does not survive.
struct Run {
    stage: ModelCheck,
    /// The acts in progress when the disk failed.
    open: OpenActs,
    /// Expired holds were being removed, with an unknown result.
    expiring: bool,
    /// The behaviour of the disk after the failure.
    then: Then,
    /// The storage breaker has been open.
    refused: bool,
}

/// The continuation when the storage breaker is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// The process ends.
    End,
    /// The disk is well again, and the node resumes without a restart.
    Mend,
    /// As `Mend`, but the first probe meets a fault at its n-th operation.
    MendLater(u64, Fault),
}

impl Run {
    fn new(seed: u64, then: Then) -> Self {
        let mut stage = ModelCheck::new(SETTINGS);
        stage.world.disk = SimDisk::new(seed);
        Self { stage, open: OpenActs::default(), expiring: false, then, refused: false }
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

    /// Plays a step; returns the node, unless its log cannot be written any more.
    async fn step(&mut self, mut node: SimNode, step: Step) -> Option<SimNode> {
        let due = matches!(step, Step::Due);
        match step {
            Step::Together(acts) => {
                // A panic loses the answers.
                self.open.unknown.clone_from(&acts);
                let heard = ask(&node, &self.stage.oracle, self.stage.clock(), &acts).await;
                self.open = self.stage.hold(&acts, heard);
            }
            Step::Due => {
                self.expiring = true;
                match node.drive(node.ledger.expire_due()).await {
                    Ok(()) => {
                        self.stage.oracle.pass_due(self.stage.clock());
                        self.expiring = false;
                    }
                    Err(error) => self.expiring = matches!(error, CommandError::OutcomeUnknown),
                }
            }
            Step::Pass(milliseconds) => self.stage.pass(milliseconds),
            // Failed upkeep is repeated at the next step.
            Step::Upkeep => drop(node.upkeep()),
            Step::Restart => {}
        }
        let refused = node.ledger.log().breaker() == BreakerState::Open;
        assert!(refused || !self.expiring && self.open.is_empty());
        if !refused {
            return Some(node);
        }
        if self.stage.world.disk.is_stopped() {
            return None;
        }
        self.refused = true;
        self.read_only(&node).await;
        if self.then == Then::End || !self.mend(&node).await {
            return None;
        }
        self.again(&node, due).await;
        Some(node)
    }

    /// Checks that nothing is acknowledged, and that exactly the durable state is shown.
    async fn read_only(&self, node: &SimNode) {
        let late = Act::One(order("C", LevelVerb::Adjust(5)), Some(99));
        let heard = ask(node, &self.stage.oracle, self.stage.clock(), &[late]).await;
        assert_eq!(heard, [NodeAnswer::ReadOnly]);
        self.stage.check_levels(node).await;
    }

    /// Probes until the log can be written again; false when the machine stopped meanwhile.
    async fn mend(&mut self, node: &SimNode) -> bool {
        let disk = self.stage.world.disk.clone();
        if let Then::MendLater(n, fault) = self.then {
            disk.clear_faults();
            disk.inject(Injection::at(disk.operations() + n, fault));
        }
        if node.probe().is_err() {
            if disk.is_stopped() {
                return false;
            }
            self.read_only(node).await;
            disk.clear_faults();
            node.probe().expect("the disk is well");
        }
        assert_eq!(node.ledger.log().breaker(), BreakerState::Closed);
        disk.clear_faults();
        self.stage.rolled_back();
        true
    }

    /// Checks that changes without an answer have not happened, and happen when they are repeated.
    async fn again(&mut self, node: &SimNode, due: bool) {
        self.stage.check(node).await;
        if due {
            self.stage.pass_due(node).await.unwrap();
        }
        for act in std::mem::take(&mut self.open).all() {
            self.stage.play(node, &[act]).await;
        }
        self.expiring = false;
        self.stage.check(node).await;
    }

    /// Opens what a crash left, and perhaps retries everything, so that all of it has happened exactly once.
    async fn recover(&self, disk: SimDisk, retry: bool) {
        let mut stage = ModelCheck::new(SETTINGS);
        stage.world.clock = self.stage.world.clock.clone();
        stage.world.ids = self.stage.world.ids.clone();
        stage.world.disk = disk;
        stage.oracle = self.stage.oracle.clone();
        stage.course = self.stage.course;
        let node = stage.reopen(&self.open.unknown, self.expiring).await;
        if retry {
            for act in acts() {
                stage.play(&node, &[act]).await;
            }
            drop(node);
            // The node must not have built upon bytes that a failed sync left in the page cache alone.
            stage.world.disk.crash(Crash::DropUnsynced);
            stage.reopen(&[], false).await;
        }
    }

    /// A copy of the disk after this end of the machine.
    fn left(&self, end: Crash) -> SimDisk {
        let disk = self.stage.world.disk.fork();
        disk.crash(end);
        disk.clear_faults();
        disk
    }
}
