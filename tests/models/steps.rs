//! What a process does: when it can, and what comes of it. Whatever is done under a lock is one step.

use crate::node::{Held, Process};
use crate::planted::Bug;
use crate::stock::{Change, Changes, Entry, Level};
use crate::world::{Sharing, Step, World};

impl Sharing {
    pub(crate) fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    /// The world after a step; nothing when it cannot be taken.
    pub(crate) fn step(&self, world: &World, step: Step) -> Option<World> {
        match step {
            Step::AskForLease(number, level) => ask_for_lease(world, number, level),
            Step::CatchUp(number) => catch_up(world, number),
            Step::Decide(number, change) => self.decide(world, number, change),
            Step::Sync(number) => self.sync(world, number),
            Step::SyncFails(number) => sync_fails(world, number),
            Step::Probe(number) => probe(world, number),
            Step::GiveUpLease(number, level) => self.give_up_lease(world, number, level),
            Step::EndOwnTerm(number) => self.end_own_term(world, number),
            Step::Exit(number) => exit(world, number),
            Step::Stop(number) => self.stop(world, number),
            Step::Kill(number) => gone(world, number),
            Step::Join(number) => self.join(world, number),
            Step::TakeOverFromDead(number) => self.take_over_from_dead(world, number),
            Step::TakeOverFromPaused(number) => self.take_over_from_paused(world, number),
            Step::NoteMark(number) => self.note_mark(world, number),
            Step::SyncDirectory(number) => sync_directory(world, number),
            Step::PowerCut(kept) => power_cut(world, kept),
        }
    }

    /// `app/ledger/decision.rs`. What is only in memory nobody else sees, so deciding and appending are one step.
    fn decide(&self, world: &World, number: usize, change: Change) -> Option<World> {
        let process = world.nodes[number].process.as_ref()?;
        let level = change.level();
        let held = process.leases[level as usize];
        let ready = held == Held::Ready || held == Held::New && self.has(Bug::DecideBeforeCatchingUp);
        if !ready || process.lost || process.memory.has(change) {
            return None;
        }
        let after = process.memory.of(level).with(change);
        let mut next = changed(world, number, |process| process.memory = process.memory.with(change));
        next.nodes[number].log.push(Entry { change, after });
        if !change.has_key() {
            next.sent = next.sent.with(change);
        }
        Some(next)
    }

    /// `adapters/file/writer.rs`. The mark is written in the process's own term only, under the lock on it. From outside a
    /// group that is synced and not marked is like one that is not synced, so both are one step.
    fn sync(&self, world: &World, number: usize) -> Option<World> {
        let group = world.nodes[number].under_way();
        if group.is_empty() {
            return None;
        }
        let mut next = world.clone();
        let node = &mut next.nodes[number];
        if node.lasting().is_none() && !self.has(Bug::AcceptStaleTerm) {
            node.fail();
            return Some(next);
        }
        node.mark = node.log.len();
        next.acknowledged = next.acknowledged.with_all(group);
        next.shown = next.shown.with_all(group);
        Some(next)
    }

    /// `app/ledger/sharing/keeping.rs`. Somebody asks for it, and what was decided under it is durable or rolled back.
    fn give_up_lease(&self, world: &World, number: usize, level: Level) -> Option<World> {
        let (me, node) = (world.holder(number)?, &world.nodes[number]);
        let is_asked_for = world.leases[level as usize].before == Some(me);
        let is_lost = node.process.as_ref()?.lost && !self.has(Bug::LeaseReleasedOverLostFile);
        if !is_asked_for || node.is_under_way(level) || is_lost {
            return None;
        }
        let mut next = changed(world, number, |process| {
            process.leases[level as usize] = Held::No;
            process.memory = process.memory.moved_to(level, Changes::default());
        });
        next.leases[level as usize].release(me);
        Some(next)
    }

    /// Somebody asks for a lease while the file is lost: the group in it is to be out of the log before anybody else decides.
    fn end_own_term(&self, world: &World, number: usize) -> Option<World> {
        let node = &world.nodes[number];
        let process = node.lasting()?;
        let goes_on = self.has(Bug::LeaseReleasedOverLostFile) || self.has(Bug::LostFileKeepsLeases);
        if self.has(Bug::LostFileLookedAtTwice) {
            world.noted.filter(|(holder, _)| Some(*holder) == world.holder(number))?;
        } else if goes_on || !world.is_asked_over_lost_file(number) {
            return None;
        }
        let ends_where_it_ends =
            self.has(Bug::LostFileEndsWhereItEnds) || self.has(Bug::LostFileLookedAtTwice) && !process.lost;
        Some(self.ended_term(world, number, (!ends_where_it_ends).then_some(node.mark)))
    }

    /// SIGTERM, when everything is on the disk. Over a lost file the term goes on, as if the process had been killed.
    fn stop(&self, world: &World, number: usize) -> Option<World> {
        let node = &world.nodes[number];
        let keeps_term = node.lasting()?.lost && !self.has(Bug::StopsOverLostFile);
        if !node.under_way().is_empty() || keeps_term {
            return None;
        }
        let mut next = gone(world, number)?;
        next.nodes[number].end_term(None);
        Some(next)
    }
}

fn ask_for_lease(world: &World, number: usize, level: Level) -> Option<World> {
    let me = world.holder(number)?;
    if world.nodes[number].process.as_ref()?.leases[level as usize] != Held::No {
        return None;
    }
    let mut lease = world.leases[level as usize];
    let is_held = lease.ask(me, |holder| world.lasts(holder));
    if !is_held && lease == world.leases[level as usize] {
        return None;
    }
    let mut next = world.clone();
    next.leases[level as usize] = lease;
    Some(if is_held {
        changed(&next, number, |process| process.leases[level as usize] = Held::New)
    } else {
        next
    })
}

/// Reads the logs of all others as far as their marks. What was held before is ready then.
fn catch_up(world: &World, number: usize) -> Option<World> {
    let leases = world.nodes[number].process.as_ref()?.leases;
    let new = || Level::ALL.into_iter().filter(|level| leases[*level as usize] == Held::New);
    new().next()?;
    let known = world.knows(number);
    Some(changed(world, number, |process| {
        for level in new() {
            process.leases[level as usize] = Held::Ready;
            process.memory = process.memory.moved_to(level, known.of(level));
        }
    }))
}

fn sync_fails(world: &World, number: usize) -> Option<World> {
    if world.nodes[number].under_way().is_empty() {
        return None;
    }
    let mut next = world.clone();
    next.left.failures = next.left.failures.checked_sub(1)?;
    next.nodes[number].fail();
    Some(next)
}

/// `adapters/file/log/probe.rs`. What was acknowledged goes to a new file, which takes the name of the lost one.
fn probe(world: &World, number: usize) -> Option<World> {
    if !world.nodes[number].lasting()?.lost {
        return None;
    }
    let mut next = changed(world, number, |process| process.lost = false);
    let node = &mut next.nodes[number];
    node.open(node.mark);
    Some(next)
}

fn exit(world: &World, number: usize) -> Option<World> {
    let node = &world.nodes[number];
    let is_over = node.process.is_some() && node.lasting().is_none();
    is_over.then(|| {
        let mut next = world.clone();
        next.nodes[number].process = None;
        next
    })
}

/// The process ends.
fn gone(world: &World, number: usize) -> Option<World> {
    world.nodes[number].process.as_ref()?;
    let mut next = world.clone();
    next.left.ends = next.left.ends.checked_sub(1)?;
    next.nodes[number].process = None;
    Some(next)
}

fn sync_directory(world: &World, number: usize) -> Option<World> {
    world.nodes[number].term_before?;
    let mut next = world.clone();
    next.nodes[number].term_before = None;
    Some(next)
}

fn power_cut(world: &World, kept: u8) -> Option<World> {
    let mut next = world.clone();
    next.left.power_cuts = next.left.power_cuts.checked_sub(1)?;
    for (number, node) in next.nodes.iter_mut().enumerate() {
        let is_kept = kept & 1 << number != 0;
        if is_kept && node.log.len() == node.mark {
            // Nothing to choose: the step without that bit is the same.
            return None;
        }
        if !is_kept {
            node.log.truncate(node.mark);
        }
        node.term = node.term_before.take().unwrap_or(node.term);
        (node.mark, node.process) = (0, None);
    }
    Some(next)
}

/// The world after something that a process does for itself.
fn changed(world: &World, number: usize, change: impl FnOnce(&mut Process)) -> World {
    let mut next = world.clone();
    if let Some(process) = &mut next.nodes[number].process {
        change(process);
    }
    next
}
