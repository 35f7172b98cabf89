//! That there is always a way on, by trying it: from any world, one process goes for all leases, step by step.

use crate::node::{Held, Process};
use crate::stock::Level;
use crate::world::{Mishaps, PROCESSES, Sharing, Step, World};

/// More steps than any way takes.
const STEPS_MAX: usize = 50;

/// Every other process stands still, whatever it was doing.
pub(crate) fn goes_on_alone(sharing: &Sharing, world: &World, number: usize) -> bool {
    let takes_over =
        |other| vec![Step::TakeOverFromDead(other), Step::TakeOverFromPaused(other), Step::NoteMark(other)];
    let left = Mishaps { pauses: u8::MAX, ..Mishaps::default() };
    goes_on(sharing, &World { left, ..world.clone() }, number, takes_over)
}

/// The others answer, so nobody takes them for paused. No probe of theirs succeeds.
pub(crate) fn goes_on_among_others(sharing: &Sharing, world: &World, number: usize) -> bool {
    let answers = |other| {
        let mut steps =
            vec![Step::Sync(other), Step::EndOwnTerm(other), Step::NoteMark(other), Step::Exit(other)];
        steps.extend(Level::ALL.map(|level| Step::GiveUpLease(other, level)));
        steps.push(Step::TakeOverFromDead(other));
        steps
    };
    goes_on(sharing, &World { left: Mishaps::default(), ..world.clone() }, number, answers)
}

fn goes_on(sharing: &Sharing, world: &World, number: usize, of_other: impl Fn(usize) -> Vec<Step>) -> bool {
    let mut steps = vec![Step::Exit(number), Step::Join(number), Step::Probe(number), Step::CatchUp(number)];
    steps.extend(Level::ALL.map(|level| Step::AskForLease(number, level)));
    steps.extend((0..PROCESSES).filter(|other| *other != number).flat_map(of_other));
    let mut world = world.clone();
    for _ in 0..STEPS_MAX {
        if may_decide(&world, number) {
            return true;
        }
        let Some(next) = steps.iter().find_map(|step| sharing.step(&world, *step)) else { return false };
        world = next;
    }
    false
}

/// On every level, and it would be acknowledged.
fn may_decide(world: &World, number: usize) -> bool {
    let ready = |process: &Process| !process.lost && process.leases == [Held::Ready; 2];
    world.nodes[number].lasting().is_some_and(ready)
}
