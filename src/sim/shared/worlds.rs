//! What may have happened: oracles that differ in what nobody was told of.

use crate::app::{CommandError, Outcome};
use crate::sim::oracle::{Act, Answer, Done, Happened, Oracle, Shown};
use crate::sim::stage::{Heard, Listed, hear, listed_by};

/// Keys are known for longer than any run.
const KEY_TTL_MS: i64 = 1_000_000_000_000;

/// No time passes for these oracles.
const CLOCK: i64 = 0;

/// One way it may have gone.
#[derive(Clone)]
struct World {
    oracle: Oracle,
    /// Which of the acts without an answer have not happened so far.
    left: Vec<Act>,
}

/// All of them.
pub(super) struct Worlds {
    worlds: Vec<World>,
}

impl Worlds {
    pub(super) fn new() -> Self {
        let mut oracle = Oracle::new(KEY_TTL_MS);
        oracle.tells_alerts = false;
        Self { worlds: vec![World { oracle, left: Vec::new() }] }
    }

    pub(super) fn count(&self) -> usize {
        self.worlds.len()
    }

    /// One of them.
    pub(super) fn likely(&self) -> &Oracle {
        &self.worlds.first().expect("something has happened").oracle
    }

    /// True when it is the only one.
    pub(super) fn certain(&self) -> bool {
        matches!(&self.worlds[..], [world] if world.left.is_empty())
    }

    /// How many acts may happen still.
    pub(super) fn open(&self) -> usize {
        self.worlds.iter().map(|world| world.left.len()).max().unwrap_or_default()
    }

    /// Nobody knows whether this has happened, or will.
    pub(super) fn perhaps(&mut self, act: &Act) {
        for world in &mut self.worlds {
            world.left.push(act.clone());
        }
    }

    /// An answer.
    pub(super) fn heard(&mut self, act: &Act, outcome: Result<Outcome, CommandError>) {
        let Heard::Answer(answer) = hear(outcome) else { panic!("it was not answered: {act:?}") };
        let seen = plain(answer);
        // What was frozen in the middle of this very act has it behind it now.
        self.keep(&format_args!("{act:?} answered {seen:?}"), |world| {
            if let Some(place) = world.left.iter().position(|left| left == act) {
                world.left.remove(place);
            }
            plain(world.oracle.play(CLOCK, act)) == seen
        });
    }

    /// What one process shows of a SKU; of its alert nothing is known here.
    pub(super) fn saw(&mut self, sku: &str, seen: Shown) {
        let seen = Shown { alert: None, ..seen };
        self.keep(&format_args!("{sku} shown as {seen:?}"), |world| world.oracle.shown(sku) == seen);
    }

    /// The lists that one process shows.
    pub(super) fn saw_lists(&mut self, seen: &Listed) {
        self.keep(&format_args!("shown as {seen:?}"), |world| listed_by(&world.oracle) == *seen);
    }

    /// What has not happened by now will not.
    pub(super) fn settle(&mut self) {
        self.worlds.iter_mut().for_each(|world| world.left.clear());
        self.forget_twins();
        for world in &mut self.worlds {
            world.oracle.settle();
        }
    }

    /// Those that fit, after any of the open acts may have happened before.
    fn keep(&mut self, what: &dyn std::fmt::Display, mut fits: impl FnMut(&mut World) -> bool) {
        let mut kept: Vec<World> = Vec::new();
        for world in std::mem::take(&mut self.worlds) {
            for mut world in world.ways() {
                if fits(&mut world) {
                    kept.push(world);
                }
            }
        }
        assert!(!kept.is_empty(), "cannot have happened: {what}");
        self.worlds = kept;
        self.forget_twins();
        if let [world] = &mut self.worlds[..] {
            world.oracle.settle();
        }
    }

    /// Two in which everything is alike are one.
    fn forget_twins(&mut self) {
        let mut kept: Vec<World> = Vec::new();
        for world in self.worlds.drain(..) {
            let alike = |other: &World| {
                other.left == world.left
                    && other.oracle.levels == world.oracle.levels
                    && other.oracle.catalogue == world.oracle.catalogue
                    && other.oracle.knows_as(&world.oracle)
            };
            if !kept.iter().any(alike) {
                kept.push(world);
            }
        }
        self.worlds = kept;
    }
}

impl World {
    /// This world, and those in which open acts happen now, in any order.
    fn ways(self) -> Vec<Self> {
        let mut ways = vec![self];
        let mut begin = 0;
        while begin < ways.len() {
            let end = ways.len();
            for number in begin..end {
                let way = ways.get(number).cloned().into_iter();
                for (world, place) in
                    way.flat_map(|world| (0..world.left.len()).map(move |place| (world.clone(), place)))
                {
                    let mut world = world;
                    let act = world.left.remove(place);
                    world.oracle.play(CLOCK, &act);
                    ways.push(world);
                }
            }
            begin = end;
        }
        ways
    }
}

/// An answer without what depends on time, on which log an event stands in, and on who knew a threshold when.
fn plain(answer: Answer) -> Answer {
    let Answer::Done(done) = answer else { return answer };
    let timeless = |happened: Happened| Happened { at: 0, ..happened };
    let events = done.events.into_iter().filter(|happened| happened.kind != "ALERT").map(timeless).collect();
    let unapplied = done
        .unapplied
        .into_iter()
        .map(|(op, why)| (op, if why.starts_with("replayed") { "replayed".to_owned() } else { why }));
    let replays = done.replays.into_iter().map(|(op, happened)| (op, timeless(happened)));
    Answer::Done(Done {
        sequence: 0,
        events,
        unapplied: unapplied.collect(),
        replays: replays.collect(),
        replayed: done.replayed,
    })
}
