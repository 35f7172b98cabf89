//! One run: chooses a process for each request, and compares its answer with the possible histories.

use crate::model_check::CATALOGUE;
use crate::oracle::{Act, Expect, LevelRequest, LevelVerb};
use crate::processes::group::{PendingCommand, ProcessGroup, Trouble};
use crate::processes::possible_histories::PossibleHistories;
use crate::processes::timed_effects::TimedEffects;
use crate::tally::RunTally;
use crate::trace::RunTrace;
use crate::workload::StepGenerator;
use onhand_app::ports::HistoryError;
use onhand_app::{CommandError, Outcome};
use onhand_sim_machine::disk::{Fault, SimDisk};
use onhand_sim_machine::random::Random;

/// Places for processes, and the most that run at once.
pub(super) const PLACES: usize = 3;

/// Acts without an answer before the run settles their outcomes.
const OPEN_MAX: usize = 2;

/// The state of an act before its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Was {
    New,
    /// Its process was frozen: the act is among those without an answer.
    Frozen,
}

/// One run of several processes on one data directory.
pub struct SharedRun<'a> {
    pub(super) random: Random,
    pub(super) workload: StepGenerator,
    pub(super) group: ProcessGroup,
    pub(super) histories: PossibleHistories,
    pub(super) timed: TimedEffects,
    pub(super) skus: &'static [&'static str],
    /// The frozen process, and its command in progress.
    pub(super) frozen: Option<(usize, Act, PendingCommand)>,
    pub(super) tally: RunTally,
    pub(super) trace: &'a mut RunTrace,
}

impl<'a> SharedRun<'a> {
    /// A new directory, or one that a single process has used until now, and all processes on it.
    pub fn new(seed: u64, trace: &'a mut RunTrace) -> Self {
        let mut random = Random::new(seed);
        let skus = CATALOGUE.get(..2 + random.below(6)).expect("within the catalogue");
        let disk = SimDisk::new(random.draw());
        let group = ProcessGroup::new(disk, PLACES, &mut random);
        let workload = StepGenerator::new(random.draw(), skus);
        let mut shared = Self {
            random,
            workload,
            group,
            histories: PossibleHistories::new(),
            timed: TimedEffects::default(),
            skus,
            frozen: None,
            tally: RunTally::default(),
            trace,
        };
        (0..PLACES).for_each(|place| shared.set_clock(place));
        if shared.random.percent(40) {
            shared.run_alone();
        }
        (0..PLACES).for_each(|place| shared.begin(place));
        shared
    }

    /// One process has the directory alone; the next process that joins moves its log.
    pub(super) fn run_alone(&mut self) {
        let begun = self.group.begin(0, true, None);
        assert!(begun, "a new directory opens");
        for _ in 0..self.random.below(20) {
            self.ask_at(0);
        }
        self.group.stop(0, None);
    }

    /// Runs until so many operations were requested, and then compares logs, levels, central and oracles.
    ///
    /// # Panics
    /// When something differs.
    pub fn run(mut self, operations: u64) -> RunTally {
        while self.tally.operations < operations {
            let what = self.random.below(1_000);
            match what {
                0..=679 => self.ask(),
                680..=719 => self.upkeep(),
                720..=799 => self.look(),
                800..=819 => self.alerts(),
                820..=849 => self.group.pass(1 + self.random.draw() % 2_000),
                850..=874 => self.freeze(),
                875..=889 => self.thaw(),
                890..=899 => self.kill(),
                900..=914 => self.stop(),
                915..=929 => self.refuse(),
                930..=939 => self.heal(),
                940..=949 => self.kill_in_a_call(),
                950..=957 => self.join_amid(),
                958..=965 => self.clock(),
                966..=979 => self.hold(),
                980..=989 => self.import(),
                _ => self.power_cut(),
            }
            self.reap();
            self.one_time();
            let operations = self.group.disk.operations();
            self.trace.note(format_args!(
                "{what}: {} worlds, {operations} disk operations",
                self.histories.count()
            ));
        }
        self.close()
    }

    /// A process that runs and is not frozen; starts one when there is none.
    pub(super) fn place(&mut self) -> usize {
        let frozen = self.frozen.as_ref().map(|(place, ..)| *place);
        let able: Vec<usize> =
            (0..PLACES).filter(|place| self.group.lives(*place) && Some(*place) != frozen).collect();
        if let Some(place) = able.get(self.random.below(able.len())) {
            return *place;
        }
        let place = (0..PLACES).find(|place| Some(*place) != frozen).expect("one at most is frozen");
        self.begin(place);
        place
    }

    /// Starts a process, repeatedly while its disk fails or it is killed meanwhile.
    pub(super) fn begin(&mut self, place: usize) {
        while !self.group.lives(place) {
            if !self.group.is_kept() {
                // No process has kept time: log time goes on from the last entry, or from this process's wall clock.
                self.timed.forget_holds();
            }
            let trouble = self.random.percent(20).then(|| self.trouble(150, true));
            if !self.group.begin(place, false, trouble) {
                self.tally.relapses += 1;
                self.trace.note(format_args!("{place} does not start: {trouble:?}"));
            }
            self.reap();
        }
    }

    /// A fault that strikes one process once, within so many calls.
    pub(super) fn trouble(&mut self, within: usize, kills: bool) -> Trouble {
        let fault = if kills && self.random.percent(50) { Fault::Kill } else { self.workload.refusal() };
        Trouble { after: self.random.below(within) as u64, fault, sticky: false }
    }

    /// A random act. The version of a level can be used only while the history is `certain` and no other act comes first.
    pub(super) fn act(&mut self, certain: bool) -> Act {
        let certain = certain && self.histories.certain();
        let mut acts = self.workload.acts(self.histories.likely());
        let mut act = acts.swap_remove(0);
        match &mut act {
            Act::One(order, _) => timeless(order, certain),
            Act::Batch { items, .. } => items.iter_mut().for_each(|(order, _)| timeless(order, certain)),
            Act::Say(_, expect, _) => known(expect, certain),
            Act::Describe { .. } | Act::Identity(..) => {}
        }
        act
    }

    pub(super) fn ask(&mut self) {
        let place = self.place();
        self.ask_at(place);
    }

    pub(super) fn ask_at(&mut self, place: usize) {
        let act = self.act(true);
        self.tally.operations += 1;
        self.trace.note(format_args!("{place} {act:?}"));
        let asking = self.group.ask(place, self.histories.likely(), &act);
        self.end(place, &act, asking, Was::New);
    }

    /// Waits for an answer, and compares it with the possible histories.
    pub(super) fn end(&mut self, place: usize, act: &Act, asking: PendingCommand, was: Was) {
        let outcome = self.group.answer(place, asking);
        self.take_outcome(place, act, outcome, was);
        if self.histories.open() > OPEN_MAX {
            self.settle();
        }
    }

    /// Takes the outcome of an act; none when its process was killed meanwhile.
    pub(super) fn take_outcome(
        &mut self,
        place: usize,
        act: &Act,
        outcome: Option<Result<Outcome, CommandError>>,
        was: Was,
    ) {
        match outcome {
            // No process released the lease: a frozen one is taken over from after a while, a living one releases it
            // with its work done.
            Some(Err(CommandError::Contended | CommandError::Overloaded)) => {}
            Some(Err(CommandError::ReadOnly)) => self.failed(place),
            None
            | Some(Err(CommandError::History(_) | CommandError::OutcomeUnknown | CommandError::Closed)) => {
                if was == Was::New {
                    self.histories.perhaps(act);
                }
                if let Some(Err(CommandError::History(HistoryError::Contradiction(reason)))) = &outcome {
                    panic!("{reason}");
                }
                self.failed(place);
            }
            Some(known) => self.histories.answered(act, known),
        }
    }

    /// Handles a process that does not answer: its term is over, and another one is started in its place; or its disk fails.
    pub(super) fn failed(&mut self, place: usize) {
        self.reap();
        if !self.group.lives(place) {
            return;
        }
        if self.group.is_over(place) {
            self.tally.takeovers += 1;
            self.group.kill(place);
            self.begin(place);
        } else {
            assert!(self.group.is_sick(place), "a process fails for no other reason");
        }
    }

    pub(super) fn upkeep(&mut self) {
        let place = self.place();
        self.group.upkeep(place);
    }

    /// Determines the outcome of all acts without an answer: none of them can have its effect after this.
    pub(super) fn settle(&mut self) {
        if let Some((place, _, asking)) = self.frozen.take() {
            drop(asking);
            self.group.kill(place);
        }
        self.reap();
        self.heal_all();
        (0..PLACES).for_each(|place| self.begin(place));
        self.heal_all();
        self.look();
        self.look();
        self.histories.settle();
    }
}

/// Makes a request independent of time, which passes while several processes run: no hold expires, no version is guessed.
fn timeless(order: &mut LevelRequest, certain: bool) {
    if let LevelVerb::Reserve { ttl_seconds, .. } = &mut order.wish {
        *ttl_seconds = None;
    }
    known(&mut order.expect, certain);
}

fn known(expect: &mut Expect, certain: bool) {
    if *expect == Expect::Right && !certain {
        *expect = Expect::Any;
    }
}
