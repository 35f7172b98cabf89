//! A chain of stores run by one seed: nodes on disks of their own, and the worker that follows them.

use crate::central::{FlakySource, SourceHealth, WorkerSetup, check, open_letters, redrive_all, waiting};
use crate::log_rules;
use crate::model_check::steps::{Activity, ModelStep, StepRunner};
use crate::model_check::{CATALOGUE, ModelCheck};
use crate::node::SimSettings;
use crate::tally::RunTally;
use crate::trace::RunTrace;
use crate::workload::StepGenerator;
use onhand_app::central::{Central, SourceState, Worker};
use onhand_app::ports::Clock;
use onhand_file::audit::audit_directory_for;
use onhand_sim_machine::disk::{Crash, Fault, Injection, SimDisk};
use onhand_sim_machine::random::Random;
use std::sync::Arc;

const STORES: [&str; 3] = ["LONDON", "PARIS", "ROME"];

/// Passes after which central has everything, when all disks and sources are healthy and there are no new events.
const PASSES_MAX: u32 = 3;

struct Branch {
    play: StepRunner,
    shop: StepGenerator,
    line: Arc<FlakySource>,
}

/// One run of a chain of stores.
pub struct Chain<'a> {
    random: Random,
    branches: Vec<Branch>,
    desk: WorkerSetup,
    worker: Option<Worker>,
    tally: RunTally,
    trace: &'a mut RunTrace,
}

impl<'a> Chain<'a> {
    /// One to three stores, as the seed decides.
    pub fn new(seed: u64, trace: &'a mut RunTrace) -> Self {
        let mut random = Random::new(seed);
        let settings = SimSettings {
            segment_bytes: 1_500 << random.below(6),
            snapshot_every: 3 << random.below(6),
            idempotency_ttl_ms: 60_000,
            archive: random.percent(80),
        };
        let turn = Arc::default();
        let mut branches: Vec<Branch> = Vec::new();
        for store in STORES.into_iter().take(1 + random.below(STORES.len())) {
            let mut stage = ModelCheck::new(settings);
            stage.oracle.store = store;
            stage.skus =
                CATALOGUE.get(..3 + random.below(CATALOGUE.len() - 2)).expect("within the catalogue");
            stage.world.disk = SimDisk::new(random.draw());
            if let Some(first) = branches.first() {
                stage.world.clock = Arc::clone(&first.play.stage.world.clock);
                stage.world.ids = Arc::clone(&first.play.stage.world.ids);
            }
            let shop = StepGenerator::new(random.draw(), stage.skus);
            let line = FlakySource::new(store, &stage.world.disk, &turn);
            branches.push(Branch { play: StepRunner::new(stage), shop, line });
        }
        let mut desk =
            WorkerSetup::new(branches.iter().map(|branch| Arc::clone(&branch.line) as _).collect());
        desk.disk = SimDisk::new(random.draw());
        let worker = Some(desk.start().expect("the disk is well"));
        Self { random, branches, desk, worker, tally: RunTally::default(), trace }
    }

    /// Runs until so many operations were requested, and then compares logs, levels, central and oracles.
    ///
    /// # Panics
    /// When something differs.
    pub async fn run(mut self, operations: u64) -> RunTally {
        while self.tally.operations < operations {
            if self.random.percent(8) {
                self.office().await;
            } else {
                self.branch().await;
            }
        }
        self.close().await
    }

    async fn branch(&mut self) {
        let place = self.random.below(self.branches.len());
        let branch = self.branches.get_mut(place).expect("one of them");
        let oracle = &branch.play.stage.oracle;
        let step = branch.shop.step(oracle);
        self.trace.note(format_args!("{} {step:?}", oracle.store));
        self.tally.step(&step);
        branch.play.step(&step).await;
        let disk = branch.play.stage.world.disk.operations();
        self.trace.note(format_args!("{} events, {disk} disk operations", branch.play.stage.oracle.end()));
        if let ModelStep::Pass(milliseconds) = step {
            // All stores share one clock; the step has moved only the log time of its own store.
            for (_, other) in self.branches.iter_mut().enumerate().filter(|(other, _)| *other != place) {
                other.play.stage.course += milliseconds.max(0);
            }
        }
    }

    async fn office(&mut self) {
        let what = self.random.below(100);
        match what {
            0..=49 => self.pass().await,
            50..=64 => self.worker().save().await.expect("the disk is well"),
            65..=74 => self.mood(),
            75..=79 => self.garble(),
            80..=84 => self.mend().await,
            85..=89 => self.restart(Crash::DropUnsynced),
            90..=94 => self.refused().await,
            _ => self.crashed().await,
        }
        let (letters, sequence) =
            (self.worker().letters().len(), self.worker().central().look(Central::sequence));
        let disk = self.desk.disk.operations();
        self.trace.note(format_args!(
            "office {what}: {sequence} events, {letters} letters, {disk} disk operations"
        ));
        self.hold();
    }

    fn worker(&self) -> &Worker {
        self.worker.as_ref().expect("a worker runs between two steps")
    }

    /// Compares central with the oracles.
    fn hold(&self) {
        for branch in &self.branches {
            check(self.worker(), branch.play.running().id(), &branch.play.stage.oracle);
        }
    }

    async fn pass(&mut self) {
        self.worker().sync().await;
        self.tally.passes += 1;
    }

    fn line(&mut self) -> (&FlakySource, u64) {
        let place = self.random.below(self.branches.len());
        let branch = self.branches.get(place).expect("one of them");
        (&branch.line, branch.play.stage.oracle.end())
    }

    fn mood(&mut self) {
        let mood = match self.random.below(6) {
            0 => SourceHealth::Down,
            1 => SourceHealth::Nonsense,
            2 => SourceHealth::Repeats,
            _ => SourceHealth::Well,
        };
        self.line().0.set(mood);
    }

    /// Garbles one of the next events.
    fn garble(&mut self) {
        let ahead = 1 + self.random.below(10) as u64;
        let (line, end) = self.line();
        line.garble(end + ahead);
    }

    /// Ends all faults of sources, and redrives the dead letters.
    async fn mend(&mut self) {
        self.branches.iter().for_each(|branch| branch.line.mend());
        redrive_all(self.worker()).await.expect("everything is well");
    }

    fn restart(&mut self, how: Crash) {
        self.worker = None;
        self.desk.disk.crash(how);
        self.worker = Some(self.desk.start().expect("a worker starts after every crash"));
    }

    /// The worker's disk fails during a pass, a save or a redrive.
    async fn refused(&mut self) {
        let at = self.random.below(12) as u64;
        let fault = match self.random.below(3) {
            0 => Fault::Eio,
            1 => Fault::EioAfterEffect,
            _ => Fault::NoSpace,
        };
        self.work_at_risk(at, fault).await;
        if self.random.percent(30) {
            // The page cache may show bytes that are not on the disk.
            self.restart(Crash::DropUnsynced);
        }
    }

    async fn crashed(&mut self) {
        let at = self.random.below(12) as u64;
        let how = match self.random.below(4) {
            0 => Crash::DropUnsynced,
            1 => Crash::ProcessKill,
            _ => Crash::PowerCut { seed: self.random.draw() },
        };
        self.tally.crashes += 1;
        self.work_at_risk(at, Fault::Crash).await;
        self.restart(how);
    }

    async fn work_at_risk(&mut self, at: u64, fault: Fault) {
        let disk = self.desk.disk.clone();
        disk.inject(Injection::at(disk.operations() + 1 + at, fault));
        self.pass().await;
        // The failure is reported; the state before it is unchanged.
        let _ = redrive_all(self.worker()).await;
        let _ = self.worker().save().await;
        disk.clear_faults();
    }

    async fn close(mut self) -> RunTally {
        self.trace
            .note(format_args!("the end: everything is well, and everything is held against everything"));
        self.restart(Crash::DropUnsynced);
        self.mend().await;
        let mut tries = 0;
        while !open_letters(self.worker()).is_empty() || !self.has_everything() {
            tries += 1;
            assert!(tries <= PASSES_MAX, "central does not come to an end: {:?}", self.worker().status());
            self.pass().await;
            redrive_all(self.worker()).await.expect("everything is well");
        }
        self.hold();
        for branch in &self.branches {
            let stuck = waiting(self.worker(), branch.play.running().id());
            assert!(stuck.is_empty(), "{stuck:?} wait in central, and no letter of them is open");
        }
        self.tally.letters = self.worker().letters().len() as u64;
        for branch in &mut self.branches {
            let stage = &mut branch.play.stage;
            let now = stage.world.clock.now();
            for how in [Crash::DropUnsynced, Crash::ProcessKill] {
                branch.play.step(&ModelStep::Crash(Activity::Nothing, 0, how, Vec::new())).await;
            }
            let StepRunner { stage, node, .. } = &mut branch.play;
            let node = node.take().expect("a node runs between two steps");
            stage.check_all(&node).await;
            self.trace.note(format_args!("{}: {} events at {now}", stage.oracle.store, stage.oracle.end()));
            drop(node);
            let ttl_ms = Some(stage.world.settings.idempotency_ttl_ms);
            let found = audit_directory_for(&stage.world.disk, &log_rules::layout(), ttl_ms)
                .expect("the disk is well");
            let findings: Vec<_> = found.findings().collect();
            assert_eq!(findings, [] as [&_; 0], "verify finds nothing in {}", stage.oracle.store);
            assert_eq!(found.alerts_to_look_at, stage.oracle.alerts_to_look_at(), "{}", stage.oracle.store);
            self.tally.events += stage.oracle.end();
            self.tally.states(found.states().into_values());
            self.tally.struck(stage.world.disk.hits());
        }
        self.tally.struck(self.desk.disk.hits());
        self.tally
    }

    /// True when every source is healthy and all of its log is in the model.
    fn has_everything(&self) -> bool {
        let status = self.worker().status();
        let well = status.sources.len() == self.branches.len()
            && status.sources.iter().all(|source| source.state == SourceState::Well);
        well && self.branches.iter().all(|branch| {
            let (node, end) = (branch.play.running().id(), branch.play.stage.oracle.end());
            let reached = self.worker().central().look(|central| central.as_of().get(&node).copied());
            reached.unwrap_or_default().0 == end
        })
    }
}
