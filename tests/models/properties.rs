//! What must hold whatever has happened.

use crate::node::{Held, Node};
use crate::planted::Bug;
use crate::progress::{goes_on_alone, goes_on_among_others};
use crate::stock::{Change, Changes, Entry, Level};
use crate::world::{PROCESSES, Sharing, World};
use stateright::Property;

/// Those that are held against every state.
pub(crate) fn all() -> Vec<Property<Sharing>> {
    vec![
        Property::always("what was acknowledged stands for ever", |_, world: &World| {
            world.acknowledged.all(|change| stands(world, change))
        }),
        Property::always("a version is of one change, and a key has one effect", |_, world: &World| {
            is_once(world)
        }),
        Property::always("what was shown is not rolled back", |_, world: &World| {
            world.shown.all(|change| stands(world, change))
        }),
        Property::always(
            "what is shown is what is acknowledged, all of it",
            |sharing: &Sharing, world: &World| {
                (0..PROCESSES).all(|number| shows_what_is_marked(sharing, world, number))
            },
        ),
        Property::always("no two hold one level", |_, world: &World| {
            Level::ALL.into_iter().all(|level| holders(world, level) <= 1)
        }),
        Property::always("any process goes on alone", |sharing: &Sharing, world: &World| {
            (0..PROCESSES).all(|number| goes_on_alone(sharing, world, number))
        }),
        Property::always(
            "any process goes on among others that answer",
            |sharing: &Sharing, world: &World| {
                (0..PROCESSES).all(|number| goes_on_among_others(sharing, world, number))
            },
        ),
    ]
}

/// It is in a log, where everybody finds it.
fn stands(world: &World, change: Change) -> bool {
    let is_in = |node: &Node| node.believable().iter().any(|entry| entry.change == change);
    world.nodes.iter().any(is_in)
}

/// Over all logs.
fn is_once(world: &World) -> bool {
    let entries = || world.nodes.iter().flat_map(Node::marked);
    let version = |entry: &Entry| (entry.level(), entry.after.version());
    let alike = |one: &Entry, other: &Entry| one.change == other.change || version(one) == version(other);
    entries().enumerate().all(|(place, one)| !entries().skip(place + 1).any(|other| alike(one, other)))
}

/// What a reader of any level is shown at this process now. Where a change is under way it waits; once the term is over
/// it is refused.
fn shows_what_is_marked(sharing: &Sharing, world: &World, number: usize) -> bool {
    let node = &world.nodes[number];
    let marked = world.nodes.iter().fold(Changes::default(), |known, node| known.taking_in(node.marked()));
    let known = world.knows(number);
    let waits = |level| node.is_under_way(level) && !sharing.has(Bug::ApplyBeforeDurable);
    let is_right = |level: Level| waits(level) || known.of(level) == marked.of(level);
    node.lasting().is_none() || Level::ALL.into_iter().all(is_right)
}

/// How many processes may decide on a level, and have it acknowledged.
fn holders(world: &World, level: Level) -> usize {
    let lasting = world.nodes.iter().filter_map(Node::lasting);
    lasting.filter(|process| process.leases[level as usize] != Held::No).count()
}
