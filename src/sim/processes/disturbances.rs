//! Disturbances of processes: freezing, killing, stopping and joining them, faults of their disks, changes of their clocks.

use crate::processes::group::Trouble;
use crate::processes::process::TTL_MS;
use crate::processes::run::{PLACES, SharedRun, Was};

impl SharedRun<'_> {
    /// Removes the processes that a fault has killed in the middle of a call.
    pub(super) fn reap(&mut self) {
        for place in (0..PLACES).filter(|place| self.group.was_killed(*place)).collect::<Vec<_>>() {
            self.trace.note(format_args!("{place} was killed in a call"));
            self.tally.crashes += 1;
            self.drop_if_frozen(place);
            self.group.kill(place);
        }
    }

    fn drop_if_frozen(&mut self, place: usize) {
        self.frozen.take_if(|(frozen, ..)| *frozen == place);
    }

    /// Freezes a process in the middle of a command: it does no work, renewals included, until it is thawed.
    pub(super) fn freeze(&mut self) {
        if self.frozen.is_some() {
            return self.thaw();
        }
        let (place, act) = (self.place(), self.act(false));
        self.tally.operations += 1;
        let turns = self.random.below(5);
        self.trace.note(format_args!("{place} frozen after {turns} turns in {act:?}"));
        let mut asking = self.group.ask(place, self.histories.likely(), &act);
        if let Some(outcome) = self.group.turns(place, &mut asking, turns) {
            return self.take_outcome(place, &act, Some(outcome), Was::New);
        }
        self.histories.perhaps(&act);
        self.group.freeze(place, true);
        self.frozen = Some((place, act, asking));
    }

    /// Thaws the frozen process, after a time that may be longer than its leases last.
    pub(super) fn thaw(&mut self) {
        let Some((place, act, asking)) = self.frozen.take() else { return };
        self.group.pass(self.random.below(2 * TTL_MS) as u64);
        self.trace.note(format_args!("{place} goes on"));
        self.group.freeze(place, false);
        self.end(place, &act, asking, Was::Frozen);
    }

    pub(super) fn kill(&mut self) {
        let place = self.random.below(PLACES);
        self.kill_at(place);
        if self.random.percent(60) {
            self.begin(place);
        }
    }

    fn kill_at(&mut self, place: usize) {
        self.trace.note(format_args!("{place} killed"));
        self.drop_if_frozen(place);
        self.group.kill(place);
        self.tally.crashes += 1;
    }

    /// Stops a process as SIGTERM does, at a random moment of a command.
    pub(super) fn stop(&mut self) {
        let place = self.place();
        self.stop_at(place);
        if self.random.percent(80) {
            self.begin(place);
        }
    }

    fn stop_at(&mut self, place: usize) {
        self.trace.note(format_args!("{place} stopped"));
        if self.random.percent(50) {
            self.group.stop(place, None);
            return;
        }
        let act = self.act(false);
        self.tally.operations += 1;
        self.trace.note(format_args!("{place} in the middle of {act:?}"));
        let mut asking = self.group.ask(place, self.histories.likely(), &act);
        let turns = self.random.below(5);
        if let Some(outcome) = self.group.turns(place, &mut asking, turns) {
            self.take_outcome(place, &act, Some(outcome), Was::New);
            if self.group.lives(place) {
                self.group.stop(place, None);
            }
        } else if !self.group.was_killed(place) {
            match self.group.stop(place, Some(asking)) {
                Some(Ok(outcome)) => self.histories.answered(&act, Ok(outcome)),
                Some(Err(onhand_app::CommandError::Refused(refusal))) => {
                    self.histories.answered(&act, Err(refusal.into()));
                }
                _ => self.histories.perhaps(&act),
            }
        } else {
            self.histories.perhaps(&act);
        }
    }

    /// A disk fails under one process; another one requests the leases of that one; and the first one may end, or be
    /// healed, at any moment of it.
    pub(super) fn refuse(&mut self) {
        let place = self.place();
        let (sticky, trouble) = (self.random.percent(40), self.trouble(20, false));
        self.trace.note(format_args!("the disk of {place} refuses: {trouble:?}, sticky: {sticky}"));
        self.tally.refusals += 1;
        self.group.trouble(place, Trouble { sticky, ..trouble });
        for _ in 0..=self.random.below(3) {
            if self.group.lives(place) {
                self.ask_at(place);
            }
        }
        for _ in 0..self.random.below(3) {
            self.ask();
        }
        if !self.group.lives(place) || self.frozen.as_ref().is_some_and(|(frozen, ..)| *frozen == place) {
            return;
        }
        match self.random.below(4) {
            0 => self.kill_at(place),
            1 => self.stop_at(place),
            2 => self.heal(),
            _ => {}
        }
    }

    /// Heals the disks. A process that could not write its time is ahead of those that joined meanwhile.
    pub(super) fn heal(&mut self) {
        if self.group.has_sick() {
            self.timed.forget_holds();
        }
        (0..PLACES).for_each(|place| self.group.heal(place));
    }

    /// Heals all disks, and waits until every process has noticed.
    pub(super) fn heal_all(&mut self) {
        self.heal();
        self.group.heal_all();
    }

    /// Kills a process in one of its next disk calls.
    pub(super) fn kill_in_a_call(&mut self) {
        let place = self.place();
        let after = self.random.below(60) as u64;
        self.trace.note(format_args!("{place} is killed {after} calls from now"));
        self.group
            .trouble(place, Trouble { after, fault: onhand_sim_machine::disk::Fault::Kill, sticky: false });
        self.ask_at(place);
    }

    /// Another process joins while one is in the middle of a command.
    pub(super) fn join_amid(&mut self) {
        let (place, act) = (self.place(), self.act(false));
        let other = (place + 1) % PLACES;
        if self.frozen.as_ref().is_some_and(|(frozen, ..)| *frozen == other) {
            return;
        }
        self.group.kill(other);
        self.tally.operations += 1;
        let turns = self.random.below(5);
        self.trace.note(format_args!("{other} joins after {turns} turns of {place} in {act:?}"));
        let mut asking = self.group.ask(place, self.histories.likely(), &act);
        let answered = self.group.turns(place, &mut asking, turns);
        self.begin(other);
        match answered {
            Some(outcome) => self.take_outcome(place, &act, Some(outcome), Was::New),
            None => self.end(place, &act, asking, Was::New),
        }
    }

    /// Sets the wall clock of a place.
    pub(super) fn clock(&mut self) {
        let place = self.random.below(PLACES);
        self.set_clock(place);
    }

    pub(super) fn set_clock(&mut self, place: usize) {
        let ahead = self.group.set_clock(place, &mut self.random);
        self.trace.note(format_args!("the wall clock of {place} is ahead by {ahead} ms"));
    }

    /// Cuts the power: all processes end, and the disk has what was synced.
    pub(super) fn power_cut(&mut self) {
        self.frozen = None;
        let how = self.workload.aftermath();
        self.trace.note(format_args!("all killed, {how:?}"));
        self.group.power_cut(how);
        self.tally.crashes += 1;
        self.timed.forget_holds();
        (0..PLACES).for_each(|place| self.begin(place));
        self.settle();
    }
}
