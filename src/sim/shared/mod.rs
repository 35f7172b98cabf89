//! Several processes on one data directory, run by one seed: who may change a level goes from one to the other, and they are
//! killed at any call, stopped, paused in the middle of what they do, past the time of their leases; their disks refuse, their
//! wall clocks are wrong, others join at any moment, and the directory may have been that of one process before.
//!
//! What nobody was told of may have happened or not, and may still come to be known when its process is taken over from. So
//! there is not one oracle but one for each way it may have gone; what is seen says which of them are still possible, and one
//! must be. What depends on time has no part in them: holds that run out and an import are followed aside (`aside.rs`).

mod aside;
mod clock;
mod end;
mod house;
mod look;
mod process;
mod upset;
mod worlds;

use crate::app::ports::HistoryError;
use crate::app::{CommandError, Outcome};
use crate::sim::disk::{Fault, SimDisk};
use crate::sim::oracle::{Act, Expect, Order, Wish};
use crate::sim::random::Random;
use crate::sim::shop::Shop;
use crate::sim::stage::CATALOGUE;
use crate::sim::tally::Tally;
use crate::sim::trace::Trace;
use aside::Aside;
use house::{Asking, House, Trouble};
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
    aside: Aside,
    skus: &'static [&'static str],
    /// What a frozen process was asked.
    frozen: Option<(usize, Act, Asking)>,
    tally: Tally,
    trace: &'a mut Trace,
}

impl<'a> Shared<'a> {
    /// A directory that is new, or was that of one process until now, and all processes on it.
    pub fn new(seed: u64, trace: &'a mut Trace) -> Self {
        let mut random = Random::new(seed);
        let skus = CATALOGUE.get(..2 + random.below(6)).expect("within the catalogue");
        let disk = SimDisk::new(random.draw());
        let house = House::new(disk, PLACES, &mut random);
        let shop = Shop::new(random.draw(), skus);
        let mut shared = Self {
            random,
            shop,
            house,
            worlds: Worlds::new(),
            aside: Aside::default(),
            skus,
            frozen: None,
            tally: Tally::default(),
            trace,
        };
        (0..PLACES).for_each(|place| shared.set_clock(place));
        if shared.random.percent(40) {
            shared.run_alone();
        }
        (0..PLACES).for_each(|place| shared.begin(place));
        shared
    }

    /// One process has the directory for itself; whoever joins next moves it in.
    fn run_alone(&mut self) {
        let begun = self.house.begin(0, true, None);
        assert!(begun, "a new directory opens");
        for _ in 0..self.random.below(20) {
            self.ask_at(0);
        }
        self.house.stop(0, None);
    }

    /// Runs until that many operations were asked for, and then holds everything against everything.
    ///
    /// # Panics
    /// When something is not as it should be.
    pub fn run(mut self, operations: u64) -> Tally {
        while self.tally.operations < operations {
            let what = self.random.below(1_000);
            match what {
                0..=679 => self.ask(),
                680..=719 => self.upkeep(),
                720..=799 => self.look(),
                800..=819 => self.alerts(),
                820..=849 => self.house.pass(1 + self.random.draw() % 2_000),
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
        self.begin(place);
        place
    }

    /// Begins a process there, which may be refused by its disk or killed in the middle of that, and is begun again then.
    fn begin(&mut self, place: usize) {
        while !self.house.lives(place) {
            if !self.house.is_kept() {
                // Nobody has kept time: it goes on from the last entry, or from this process's wall clock.
                self.aside.forget_holds();
            }
            let trouble = self.random.percent(20).then(|| self.trouble(150, true));
            if !self.house.begin(place, false, trouble) {
                self.tally.relapses += 1;
                self.trace.note(format_args!("{place} does not start: {trouble:?}"));
            }
            self.reap();
        }
    }

    /// A fault that strikes one process once, within so many calls.
    fn trouble(&mut self, within: usize, kills: bool) -> Trouble {
        let fault = if kills && self.random.percent(50) { Fault::Kill } else { self.shop.refusal() };
        Trouble { after: self.random.below(within) as u64, fault, sticky: false }
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
        let place = self.place();
        self.ask_at(place);
    }

    fn ask_at(&mut self, place: usize) {
        let act = self.act(true);
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

    /// What came of an act; nothing when its process was killed meanwhile.
    fn heard(&mut self, place: usize, act: &Act, outcome: Option<Result<Outcome, CommandError>>, was: Was) {
        match outcome {
            // Nobody gave up the lease: a frozen process is taken over from after a while, a living one ends with its work.
            Some(Err(CommandError::Contended | CommandError::Overloaded)) => {}
            Some(Err(CommandError::ReadOnly)) => self.failed(place),
            None
            | Some(Err(CommandError::History(_) | CommandError::OutcomeUnknown | CommandError::Closed)) => {
                if was == Was::New {
                    self.worlds.perhaps(act);
                }
                if let Some(Err(CommandError::History(HistoryError::Contradiction(reason)))) = &outcome {
                    panic!("{reason}");
                }
                self.failed(place);
            }
            Some(known) => self.worlds.heard(act, known),
        }
    }

    /// It answers nothing: because its term is over, and another one is begun in its place; or because its disk refuses.
    fn failed(&mut self, place: usize) {
        self.reap();
        if !self.house.lives(place) {
            return;
        }
        if self.house.is_over(place) {
            self.tally.takeovers += 1;
            self.house.kill(place);
            self.begin(place);
        } else {
            assert!(self.house.is_sick(place), "a process fails for no other reason");
        }
    }

    fn upkeep(&mut self) {
        let place = self.place();
        self.house.upkeep(place);
    }

    /// Looks what became of everything without an answer: it can come to be known no more after this.
    fn settle(&mut self) {
        if let Some((place, _, asking)) = self.frozen.take() {
            drop(asking);
            self.house.kill(place);
        }
        self.reap();
        self.heal_all();
        (0..PLACES).for_each(|place| self.begin(place));
        self.heal_all();
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
