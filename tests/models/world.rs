//! Three processes, and what can happen to them.

use crate::lease::{Holder, Lease};
use crate::node::Node;
use crate::planted::Bug;
use crate::properties;
use crate::stock::{Change, Changes, Level};
use stateright::{Model, Property};
use std::array;

pub(crate) const PROCESSES: usize = 3;

/// The protocol, and how large the world is in which it is explored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sharing {
    pub(crate) bug: Option<Bug>,
    /// What callers ask for.
    pub(crate) changes: &'static [Change],
    pub(crate) mishaps: Mishaps,
}

/// How often something goes wrong, at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Mishaps {
    /// A sync fails.
    pub(crate) failures: u8,
    /// A process is killed, or told to stop.
    pub(crate) ends: u8,
    /// A process is taken for paused; whether it is makes no difference.
    pub(crate) pauses: u8,
    /// All processes end, and what was not synced may be gone. Not more than one.
    pub(crate) power_cuts: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) nodes: [Node; PROCESSES],
    pub(crate) leases: [Lease; 2],
    /// Changes without a key that were decided on: nobody sends them again.
    pub(crate) sent: Changes,
    pub(crate) acknowledged: Changes,
    /// Whatever a mark has ever covered: any reader may have been shown it.
    pub(crate) shown: Changes,
    /// What may go wrong still.
    pub(crate) left: Mishaps,
    /// Of which process somebody has noted the mark, to end its term later; only with a bug.
    pub(crate) noted: Option<(Holder, usize)>,
}

/// What happens, to which process. A process that is paused is one whose turn does not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    AskForLease(usize, Level),
    CatchUp(usize),
    /// Decides on a change, and appends it.
    Decide(usize, Change),
    /// Syncs what was appended, marks it and acknowledges it.
    Sync(usize),
    /// The caller hears that the outcome is unknown, and memory goes back.
    SyncFails(usize),
    Probe(usize),
    GiveUpLease(usize, Level),
    EndOwnTerm(usize),
    /// Its term is over, and it has noticed.
    Exit(usize),
    Stop(usize),
    Kill(usize),
    Join(usize),
    /// Another process reads the log of this one, which has ended, to its end.
    TakeOverFromDead(usize),
    /// Another process ends the term of this one at its mark.
    TakeOverFromPaused(usize),
    /// The mark of a process is noted, to end its term later.
    NoteMark(usize),
    /// The name of the term's file becomes durable.
    SyncDirectory(usize),
    /// What was not synced is kept of these logs, by their bits. All marks are gone.
    PowerCut(u8),
}

impl World {
    pub(crate) fn new(left: Mishaps) -> Self {
        let mut nodes: [Node; PROCESSES] = array::from_fn(|_| Node::default());
        nodes.iter_mut().for_each(Node::begin);
        let (leases, noted) = Default::default();
        let (sent, acknowledged, shown) = Default::default();
        Self { nodes, leases, sent, acknowledged, shown, left, noted }
    }

    /// A process and its present term.
    pub(crate) fn holder(&self, number: usize) -> Option<Holder> {
        let process = self.nodes[number].process.as_ref()?;
        Some(Holder { node: number, term: process.term })
    }

    pub(crate) fn lasts(&self, holder: Holder) -> bool {
        self.nodes[holder.node].term.number == holder.term
    }

    /// A lease names the node in its present term.
    pub(crate) fn is_waited_for(&self, number: usize) -> bool {
        let holder = Holder { node: number, term: self.nodes[number].term.number };
        self.leases.iter().any(|lease| lease.names(holder))
    }

    /// Somebody asks this process for a lease while its file is lost.
    pub(crate) fn is_asked_over_lost_file(&self, number: usize) -> bool {
        let me = self.holder(number);
        let is_lost = self.nodes[number].process.as_ref().is_some_and(|process| process.lost);
        is_lost && self.leases.iter().any(|lease| lease.before == me)
    }

    /// What a process knows once it has read the logs of all as far as their marks.
    pub(crate) fn knows(&self, number: usize) -> Changes {
        let memory = self.nodes[number].process.as_ref().map_or(Changes::default(), |process| process.memory);
        self.nodes.iter().fold(memory, |known, node| known.taking_in(node.marked()))
    }
}

impl Model for Sharing {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self.mishaps)]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        for number in 0..PROCESSES {
            let known = world.knows(number);
            for change in
                self.changes.iter().filter(|change| !known.has(**change) && !world.sent.has(**change))
            {
                steps.push(Step::AskForLease(number, change.level()));
                steps.push(Step::Decide(number, *change));
            }
            steps.extend(Level::ALL.map(|level| Step::GiveUpLease(number, level)));
            let others = [
                Step::CatchUp,
                Step::Sync,
                Step::SyncFails,
                Step::Probe,
                Step::EndOwnTerm,
                Step::Exit,
                Step::Stop,
                Step::Kill,
                Step::Join,
                Step::TakeOverFromDead,
                Step::TakeOverFromPaused,
                Step::NoteMark,
                Step::SyncDirectory,
            ];
            steps.extend(others.map(|step| step(number)));
        }
        steps.extend((0..1 << PROCESSES).map(Step::PowerCut));
    }

    fn next_state(&self, world: &World, step: Step) -> Option<World> {
        self.step(world, step)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}
