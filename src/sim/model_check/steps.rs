//! The steps of a run of one node: acts, retries, time, upkeep, crashes, disk faults.

use crate::model_check::answers::happened;
use crate::model_check::check::{ModelCheck, OpenActs, ask};
use crate::model_check::values::place;
use crate::node::{SimNode, SimSettings};
use crate::oracle::{Act, Happened};
use onhand_app::ports::{Moment, MovementQuery};
use onhand_app::stock::MovementPlace;
use onhand_domain::Sequence;
use onhand_resilience::BreakerState;
use onhand_sim_machine::disk::{Crash, Fault, Injection};

/// Movements on a page of the history.
const PAGE: usize = 10;

/// One step of a run. Disk operations are numbered from the first one of the step, 0.
#[derive(Debug, Clone)]
pub enum ModelStep {
    /// An activity of the node on a healthy disk.
    Do(Activity),
    /// A retry of an earlier act, by its number.
    Again(usize),
    /// Milliseconds pass; when negative, the wall clock is turned back.
    Pass(i64),
    /// Reads a level as of a moment, and its movements since.
    Look(&'static str, u64),
    /// The machine crashes during the activity, or after it.
    Crash(Activity, u64, Crash, Vec<Relapse>),
    /// The disk fails during the activity, once or from then on; afterwards it is healthy again.
    #[allow(missing_docs, reason = "the words say it")]
    Refuse { doing: Activity, at: u64, fault: Fault, sticky: bool },
}

/// An activity of a node.
#[derive(Debug, Clone)]
pub enum Activity {
    /// The node is idle.
    Nothing,
    /// Acts that arrive before the disk is written.
    Acts(Vec<Act>),
    /// The timer for expired holds runs.
    Due,
    /// Maintenance: indexes, snapshots, archive.
    Upkeep,
}

/// A start that fails: a fault strikes one of its disk operations, and then the machine crashes again.
#[derive(Debug, Clone, Copy)]
pub struct Relapse {
    /// The number of the start's disk operation.
    pub at: u64,
    /// How that operation fails.
    pub fault: Fault,
    /// The way the crash ends.
    pub how: Crash,
}

/// A run of one node.
pub struct StepRunner {
    /// The world, and the oracle.
    pub stage: ModelCheck,
    /// The node; always some between two steps.
    pub node: Option<SimNode>,
    /// All acts of the run so far.
    pub acts: Vec<Act>,
}

impl StepRunner {
    /// Starts a node of the given world.
    pub fn new(stage: ModelCheck) -> Self {
        let node = Some(stage.world.open());
        Self { stage, node, acts: Vec::new() }
    }

    /// Starts a node on an empty disk.
    pub fn on(settings: SimSettings) -> Self {
        Self::new(ModelCheck::new(settings))
    }

    /// The running node.
    pub fn running(&self) -> &SimNode {
        self.node.as_ref().expect("a node runs between two steps")
    }

    /// Executes one step.
    ///
    /// # Panics
    /// When node and oracle differ.
    pub async fn step(&mut self, step: &ModelStep) {
        match step {
            ModelStep::Do(doing) => self.calmly(doing).await,
            ModelStep::Again(number) => {
                if let Some(act) =
                    number.checked_rem(self.acts.len()).and_then(|number| self.acts.get(number))
                {
                    let act = act.clone();
                    self.calmly(&Activity::Acts(vec![act])).await;
                }
            }
            ModelStep::Pass(milliseconds) => self.stage.pass(*milliseconds),
            ModelStep::Look(sku, sequence) => self.look(sku, *sequence).await,
            ModelStep::Crash(doing, at, how, relapses) => self.crash(doing, *at, *how, relapses).await,
            ModelStep::Refuse { doing, at, fault, sticky } => {
                let injection = Injection::at(self.stage.world.disk.operations() + 1 + at, *fault);
                self.refuse(doing, if *sticky { injection.sticky() } else { injection }).await;
            }
        }
    }

    /// An activity on a healthy disk: every act is answered.
    async fn calmly(&mut self, doing: &Activity) {
        let Self { stage, node, acts: played } = self;
        let running = node.as_mut().expect("a node runs between two steps");
        match doing {
            Activity::Nothing => {}
            Activity::Acts(acts) => {
                stage.play(running, acts).await;
                played.extend_from_slice(acts);
                for sku in acts.iter().flat_map(Act::skus) {
                    stage.check_level(running, sku).await;
                }
            }
            Activity::Due => stage.pass_due(running).await.expect("the disk is well"),
            Activity::Upkeep => {
                running.upkeep().expect("the disk is well");
            }
        }
    }

    /// An activity on a disk that may fail. Returns the acts without an answer, and whether holds may have expired.
    async fn bravely(&mut self, doing: &Activity) -> (OpenActs, bool) {
        let Self { stage, node, acts: played } = self;
        let running = node.as_mut().expect("a node runs between two steps");
        match doing {
            Activity::Nothing => {}
            Activity::Acts(acts) => {
                let answers = ask(running, &stage.oracle, stage.clock(), acts).await;
                played.extend_from_slice(acts);
                return (stage.hold(acts, answers), false);
            }
            Activity::Due => return (OpenActs::default(), stage.pass_due(running).await.is_err()),
            Activity::Upkeep => {
                // Failed maintenance is repeated later.
                let _ = running.upkeep();
            }
        }
        (OpenActs::default(), false)
    }

    async fn crash(&mut self, doing: &Activity, at: u64, how: Crash, relapses: &[Relapse]) {
        let disk = self.stage.world.disk.clone();
        disk.inject(Injection::at(disk.operations() + 1 + at, Fault::Crash));
        let (open, expiring) = self.bravely(doing).await;
        self.node = None;
        disk.clear_faults();
        disk.crash(how);
        for relapse in relapses {
            disk.inject(Injection::at(disk.operations() + 1 + relapse.at, relapse.fault));
            // The start succeeds when the fault comes too late.
            drop(self.stage.world.try_open());
            disk.clear_faults();
            disk.crash(relapse.how);
        }
        self.node = Some(self.stage.reopen(&open.unknown, expiring).await);
    }

    async fn refuse(&mut self, doing: &Activity, injection: Injection) {
        let disk = self.stage.world.disk.clone();
        disk.inject(injection);
        self.bravely(doing).await;
        let running = self.node.as_ref().expect("a node runs between two steps");
        self.stage.check_levels(running).await;
        if running.ledger.log().breaker() == BreakerState::Open {
            self.stage.rolled_back();
            // It may or may not succeed while the fault lasts.
            let _ = running.probe();
            disk.clear_faults();
            running.probe().expect("the disk is well again");
        }
        disk.clear_faults();
        self.stage.check_levels(running).await;
    }

    async fn look(&self, sku: &'static str, sequence: u64) {
        let oracle = &self.stage.oracle;
        let sequence = sequence.min(oracle.end());
        let running = self.running();
        let (store_id, wanted) = place(oracle, sku);
        let moment = Moment::Sequence(Sequence(sequence));
        let view = running.drive(running.ledger.level_as_of(&store_id, &wanted, moment)).await;
        let numbers = view.expect("the log is read back").map(|view| view.numbers);
        let seen = numbers.map(|numbers| (numbers.on_hand.get(), numbers.reserved.get(), numbers.version));
        let owed = oracle.as_of(sku, sequence).and_then(Happened::level);
        assert_eq!(seen, owed, "{sku} as of {sequence}");

        let begin = MovementPlace::parse(&sequence.to_string()).expect("a sequence");
        let query =
            MovementQuery { after: Sequence::START, limit: PAGE, kind: None, since: None, until: None };
        let page = running.drive(running.ledger.movements(&store_id, &wanted, &begin, query)).await;
        let page = page.expect("the log is read back");
        let told: Vec<Happened> =
            page.iter().map(|view| happened(&view.movement.event, view.movement.at.milliseconds())).collect();
        let known = usize::try_from(sequence).expect("a log in memory");
        let owed = oracle.log.after(known).filter(|happened| happened.is_of_level(sku)).take(PAGE);
        assert_eq!(told.iter().collect::<Vec<_>>(), owed.collect::<Vec<_>>(), "{sku} since {sequence}");
    }
}
