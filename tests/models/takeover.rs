//! How a process comes, and what it does about one that is gone (`adapters/file/sharing`).

use crate::planted::Bug;
use crate::world::{PROCESSES, Sharing, World};

impl Sharing {
    /// A process comes into a directory that has none, and reads the logs of all who are gone before it does anything else.
    pub(crate) fn join(&self, world: &World, number: usize) -> Option<World> {
        let is_left = |number: &usize| world.nodes[*number].process.is_none();
        if !is_left(&number) {
            return None;
        }
        let mut next = world.clone();
        self.open(&mut next, number);
        next.nodes[number].begin();
        for other in (0..PROCESSES).filter(is_left).filter(|other| *other != number) {
            self.finish_log(&mut next, other);
        }
        Some(next)
    }

    /// Nobody has the `LOCK` of a process that is waited for.
    pub(crate) fn take_over_from_dead(&self, world: &World, number: usize) -> Option<World> {
        let is_dead = world.nodes[number].process.is_none();
        if !is_dead || !world.is_waited_for(number) || !is_anybody_but(world, number) {
            return None;
        }
        let mut next = world.clone();
        self.finish_log(&mut next, number);
        Some(next)
    }

    /// A process that is waited for has not renewed its leases, by the clock of another one. Nothing rests on that clock.
    pub(crate) fn take_over_from_paused(&self, world: &World, number: usize) -> Option<World> {
        let node = &world.nodes[number];
        node.lasting()?;
        if !world.is_waited_for(number) || !is_anybody_but(world, number) || self.has(Bug::PausedKeepsLeases)
        {
            return None;
        }
        let mut mark = node.mark;
        if self.has(Bug::MarkReadWithoutLock) {
            (_, mark) = world.noted.filter(|(holder, _)| Some(*holder) == world.holder(number))?;
        }
        let mut next = self.ended_term(world, number, Some(mark));
        next.left.pauses = next.left.pauses.checked_sub(1)?;
        next.noted = None;
        Some(next)
    }

    pub(crate) fn note_mark(&self, world: &World, number: usize) -> Option<World> {
        let node = &world.nodes[number];
        let looks =
            self.has(Bug::MarkReadWithoutLock) && world.left.pauses > 0 && world.is_waited_for(number)
                || self.has(Bug::LostFileLookedAtTwice) && world.is_asked_over_lost_file(number);
        let noted = world.holder(number).map(|holder| (holder, node.mark));
        let is_new = node.lasting().is_some() && noted != world.noted;
        (looks && is_new).then(|| World { noted, ..world.clone() })
    }

    /// The term of a process that may be there is over, and its log ends there.
    pub(crate) fn ended_term(&self, world: &World, number: usize, end: Option<usize>) -> World {
        let mut next = world.clone();
        let node = &mut next.nodes[number];
        let before = node.term;
        node.end_term(end);
        node.term_before = Some(before).filter(|_| self.has(Bug::TermNotDurable));
        next
    }

    /// Reads the log of a process that has ended as its own next start would, and ends its term.
    fn finish_log(&self, next: &mut World, number: usize) {
        self.open(next, number);
        next.nodes[number].end_term(None);
    }

    fn open(&self, next: &mut World, number: usize) {
        let node = &mut next.nodes[number];
        let end = node.term.end.filter(|_| !self.has(Bug::RestartIgnoresEnd)).unwrap_or(node.log.len());
        node.open(if self.has(Bug::DeadLogReadToMark) { node.mark } else { end });
        next.shown = next.shown.with_all(node.marked());
    }
}

fn is_anybody_but(world: &World, number: usize) -> bool {
    (0..PROCESSES).any(|other| other != number && world.nodes[other].process.is_some())
}
