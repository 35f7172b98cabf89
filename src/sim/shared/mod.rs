//! Several processes on one data directory, run by one seed: who may change a level goes from one to the other, and they are
//! killed, stopped, and paused in the middle of what they do, past the time of their leases.
//!
//! What nobody was told of may have happened or not, and may still come to be known when its process is taken over from. So
//! there is not one oracle but one for each way it may have gone; what is seen says which of them are still possible, and one
//! must be.

mod end;
mod house;
mod look;
mod worlds;

use crate::app::{CommandError, Outcome};
use crate::sim::disk::SimDisk;
use crate::sim::oracle::{Act, Expect, Order, Wish};
use crate::sim::random::Random;
use crate::sim::shop::Shop;
use crate::sim::stage::CATALOGUE;
use crate::sim::tally::Tally;
use crate::sim::trace::Trace;
use house::{Asking, House, TTL_MS};
use worlds::Worlds;

/// Processes there may be at once.
const PLACES: usize = 3;

/// Acts without an answer that are kept in mind, before somebody looks what became of them.
const OPEN_MAX: usize = 2;

/// How it stands with an act that is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Was {
    New,
    /// It may have happened since its process was frozen, and is kept in mind.
    Frozen,
}

/// One run.
pub struct Shared<'a> {
    random: Random,
    shop: Shop,
    house: House,
    worlds: Worlds,
    skus: &'static [&'static str],
    /// What a frozen process was asked.
    frozen: Option<(usize, Act, Asking)>,
    tally: Tally,
    trace: &'a mut Trace,
}

impl<'a> Shared<'a> {
    /// An empty directory, and all processes on it.
    pub fn new(seed: u64, trace: &'a mut Trace) -> Self {
        let mut random = Random::new(seed);
        let skus = CATALOGUE.get(..2 + random.below(6)).expect("within the catalogue");
        let disk = SimDisk::new(random.draw());
        let mut house = House::new(disk, 1_500 << random.below(6), 3 << random.below(6));
        (0..PLACES).for_each(|place| house.begin(place));
        let shop = Shop::new(random.draw(), skus);
        Self {
            random,
            shop,
            house,
            worlds: Worlds::new(),
            skus,
            frozen: None,
            tally: Tally::default(),
            trace,
        }
    }

    /// Runs until that many operations were asked for, and then holds everything against everything.
    ///
    /// # Panics
    /// When something is not as it should be.
    pub fn run(mut self, operations: u64) -> Tally {
        while self.tally.operations < operations {
            let what = self.random.below(1_000);
            match what {
                0..=749 => self.ask(),
                750..=789 => self.upkeep(),
                790..=879 => self.look(),
                880..=899 => self.alerts(),
                900..=929 => self.house.pass(1 + self.random.draw() % 2_000),
                930..=959 => self.freeze(),
                960..=974 => self.thaw(),
                975..=984 => self.kill(),
                985..=994 => self.stop(),
                _ => self.power_cut(),
            }
            let operations = self.house.disk.operations();
            self.trace
                .note(format_args!("{what}: {} worlds, {operations} disk operations", self.worlds.count()));
        }
        self.close()
    }

    /// A process that goes about its work; one is begun when there is none.
    fn place(&mut self) -> usize {
        let frozen = self.frozen.as_ref().map(|(place, ..)| *place);
        let able: Vec<usize> =
            (0..PLACES).filter(|place| self.house.lives(*place) && Some(*place) != frozen).collect();
        if let Some(place) = able.get(self.random.below(able.len())) {
            return *place;
        }
        let place = (0..PLACES).find(|place| Some(*place) != frozen).expect("one at most is frozen");
        self.house.begin(place);
        place
    }

    /// The version of a level can be known only while it is `certain` what has happened, and nobody else comes first.
    fn act(&mut self, certain: bool) -> Act {
        let certain = certain && self.worlds.certain();
        let mut acts = self.shop.acts(self.worlds.likely());
        let mut act = acts.swap_remove(0);
        match &mut act {
            Act::One(order, _) => timeless(order, certain),
            Act::Batch { items, .. } => items.iter_mut().for_each(|(order, _)| timeless(order, certain)),
            Act::Say(_, expect, _) => known(expect, certain),
            Act::Describe { .. } => {}
        }
        act
    }

    fn ask(&mut self) {
        let (place, act) = (self.place(), self.act(true));
        self.tally.operations += 1;
        self.trace.note(format_args!("{place} {act:?}"));
        let asking = self.house.ask(place, self.worlds.likely(), &act);
        self.end(place, &act, asking, Was::New);
    }

    /// Until it has its answer, which is held against what may have happened.
    fn end(&mut self, place: usize, act: &Act, asking: Asking, was: Was) {
        let outcome = self.house.answer(place, asking);
        self.heard(place, act, outcome, was);
        if self.worlds.open() > OPEN_MAX {
            self.settle();
        }
    }

    fn heard(&mut self, place: usize, act: &Act, outcome: Result<Outcome, CommandError>, was: Was) {
        match outcome {
            // Nobody gave up the lease: a frozen process is taken over from after a while, a living one ends with its work.
            Err(CommandError::Contended | CommandError::Overloaded) => {}
            Err(CommandError::ReadOnly) => self.over(place),
            Err(CommandError::History(_) | CommandError::OutcomeUnknown | CommandError::Closed) => {
                if was == Was::New {
                    self.worlds.perhaps(act);
                }
                self.over(place);
            }
            known => self.worlds.heard(act, known),
        }
    }

    /// It was taken over from, and ends; another one is begun in its place.
    fn over(&mut self, place: usize) {
        assert!(self.house.was_taken_over(place), "a process fails for no other reason");
        self.tally.takeovers += 1;
        self.house.kill(place);
        self.house.begin(place);
    }

    fn upkeep(&mut self) {
        let place = self.place();
        self.house.upkeep(place);
    }

    /// Stops in the middle of a command, and does nothing more until it is thawed: no renewal either.
    fn freeze(&mut self) {
        if self.frozen.is_some() {
            return self.thaw();
        }
        let (place, act) = (self.place(), self.act(false));
        self.tally.operations += 1;
        let turns = self.random.below(5);
        self.trace.note(format_args!("{place} frozen after {turns} turns in {act:?}"));
        let mut asking = self.house.ask(place, self.worlds.likely(), &act);
        if let Some(outcome) = self.house.turns(place, &mut asking, turns) {
            return self.heard(place, &act, outcome, Was::New);
        }
        self.worlds.perhaps(&act);
        self.house.freeze(place);
        self.frozen = Some((place, act, asking));
    }

    /// Goes on where it was, after a while that may be longer than its leases last.
    fn thaw(&mut self) {
        let Some((place, act, asking)) = self.frozen.take() else { return };
        self.house.pass(self.random.below(2 * TTL_MS) as u64);
        self.trace.note(format_args!("{place} goes on"));
        self.house.thaw(place);
        self.end(place, &act, asking, Was::Frozen);
    }

    fn kill(&mut self) {
        let place = self.random.below(PLACES);
        self.trace.note(format_args!("{place} killed"));
        if let Some((frozen, act, asking)) = self.frozen.take() {
            if frozen == place {
                drop(asking);
            } else {
                self.frozen = Some((frozen, act, asking));
            }
        }
        self.house.kill(place);
        self.tally.crashes += 1;
        if self.random.percent(60) {
            self.house.begin(place);
        }
    }

    fn stop(&mut self) {
        let place = self.place();
        self.trace.note(format_args!("{place} stopped"));
        self.house.stop(place);
        if self.random.percent(80) {
            self.house.begin(place);
        }
    }

    /// All processes at once, and the disk has what was synced.
    fn power_cut(&mut self) {
        self.frozen = None;
        (0..PLACES).for_each(|place| self.house.kill(place));
        let how = self.shop.aftermath();
        self.trace.note(format_args!("all killed, {how:?}"));
        self.house.disk.crash(how);
        self.tally.crashes += 1;
        (0..PLACES).for_each(|place| self.house.begin(place));
        self.settle();
    }

    /// Looks what became of everything without an answer: it can come to be known no more after this.
    fn settle(&mut self) {
        if let Some((place, _, asking)) = self.frozen.take() {
            drop(asking);
            self.house.kill(place);
        }
        for place in 0..PLACES {
            if !self.house.lives(place) {
                self.house.begin(place);
            }
        }
        self.look();
        self.look();
        self.worlds.settle();
    }
}

/// Time passes while several processes talk, so nothing here runs out; and who knows a version must know it.
fn timeless(order: &mut Order, certain: bool) {
    if let Wish::Reserve { ttl_seconds, .. } = &mut order.wish {
        *ttl_seconds = None;
    }
    known(&mut order.expect, certain);
}

fn known(expect: &mut Expect, certain: bool) {
    if *expect == Expect::Right && !certain {
        *expect = Expect::Any;
    }
}
