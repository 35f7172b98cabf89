//! The processes: each a ledger with its log and its leases, all on one disk, advanced in turns while a command is awaited.

use crate::model_check::{IdentitySeen, ListedCatalogue, command, identity_seen, listed, shown};
use crate::oracle::{Act, Oracle, Shown};
use crate::processes::clock::PlaceClock;
use crate::processes::process::{Process, ProcessStart, drive};
use onhand_app::ports::Clock;
use onhand_app::stock::ReadError;
use onhand_app::{CommandError, Meta, Outcome};
use onhand_domain::{Command, Timestamp};
use onhand_sim_machine::disk::{Crash, Fault, Injection, SimDisk};
use onhand_sim_machine::random::Random;
use onhand_sim_machine::{SimClock, SimIds};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// Turns after which a command must have its answer.
const TURNS_MAX: usize = 20_000;

/// A command that a process executes.
pub(super) type PendingCommand = Pin<Box<dyn Future<Output = Result<Outcome, CommandError>>>>;

/// A fault that strikes one process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trouble {
    /// Disk calls of all processes that succeed before the fault.
    pub(super) after: u64,
    pub(super) fault: Fault,
    pub(super) sticky: bool,
}

/// A place in which one process after the other runs.
pub(super) struct ProcessSlot {
    pub(super) process: Option<Process>,
    /// The process number for planned faults, of the process that runs here or ran last.
    pub(super) number: u32,
    pub(super) clock: Arc<PlaceClock>,
    /// The drift of the wall clock, in milliseconds a step.
    pub(super) drift: i64,
}

/// The processes on one disk.
pub(super) struct ProcessGroup {
    pub(super) disk: SimDisk,
    pub(super) clock: Arc<SimClock>,
    ids: Arc<SimIds>,
    segment_bytes: u64,
    snapshot_every: u64,
    pub(super) places: Vec<ProcessSlot>,
    begun: u32,
}

impl ProcessGroup {
    pub(super) fn new(disk: SimDisk, places: usize, random: &mut Random) -> Self {
        let clock = Arc::new(SimClock::default());
        clock.set(Timestamp::parse("2026-11-20T16:00:00Z").expect("a time"));
        let (segment_bytes, snapshot_every) = (1_500 << random.below(6), 3 << random.below(6));
        let place = |_| ProcessSlot {
            process: None,
            number: 0,
            clock: Arc::new(PlaceClock::new(&clock)),
            drift: random.whole(3) - 1,
        };
        let places = (0..places).map(place).collect();
        Self { disk, clock, ids: Arc::default(), segment_bytes, snapshot_every, places, begun: 0 }
    }

    /// Starts a process; false when its disk failed, or it was killed meanwhile.
    pub(super) fn begin(&mut self, place: usize, alone: bool, trouble: Option<Trouble>) -> bool {
        self.begun += 1;
        let number = self.begun;
        if let Some(Trouble { after, fault, sticky }) = trouble {
            self.plan(number, after, fault, sticky);
        }
        let at = self.place(place);
        at.number = number;
        let clock = Arc::clone(&at.clock) as Arc<dyn Clock>;
        let beginning = ProcessStart {
            disk: self.disk.of(number),
            clock,
            ids: Arc::clone(&self.ids),
            segment_bytes: self.segment_bytes,
            snapshot_every: self.snapshot_every,
        };
        let begun = if alone { beginning.alone() } else { beginning.join() };
        self.disk.clear_faults_of(number);
        match begun {
            Ok(mut process) => {
                process.sick = trouble.is_some();
                self.place(place).process = Some(process);
                true
            }
            Err(error) => {
                assert!(trouble.is_some(), "a process starts after every crash: {error}");
                false
            }
        }
    }

    fn plan(&self, number: u32, after: u64, fault: Fault, sticky: bool) {
        let injection = Injection::at(self.disk.operations() + 1 + after, fault).by(number);
        self.disk.inject(if sticky { injection.sticky() } else { injection });
    }

    pub(super) fn place(&mut self, place: usize) -> &mut ProcessSlot {
        self.places.get_mut(place).expect("there is a place")
    }

    fn process(&self, place: usize) -> &Process {
        self.places.get(place).and_then(|place| place.process.as_ref()).expect("somebody is there")
    }

    fn process_mut(&mut self, place: usize) -> Option<&mut Process> {
        self.place(place).process.as_mut()
    }

    pub(super) fn lives(&self, place: usize) -> bool {
        self.places.get(place).is_some_and(|place| place.process.is_some())
    }

    /// True when a running process has kept time until now and could write it to the log.
    pub(super) fn is_kept(&self) -> bool {
        let mut there = self.places.iter().filter_map(|place| place.process.as_ref());
        there.any(|process| !process.sick)
    }

    /// True when the disk of a running process may have failed to write its time.
    pub(super) fn has_sick(&self) -> bool {
        self.places.iter().filter_map(|place| place.process.as_ref()).any(|process| process.sick)
    }

    pub(super) fn freeze(&mut self, place: usize, frozen: bool) {
        if let Some(process) = self.process_mut(place) {
            process.frozen = frozen;
        }
    }

    /// Plans a fault for the process of a place.
    pub(super) fn trouble(&mut self, place: usize, trouble: Trouble) {
        let number = self.place(place).number;
        self.plan(number, trouble.after, trouble.fault, trouble.sticky);
        if let Some(process) = self.process_mut(place) {
            process.sick = true;
        }
    }

    /// Heals the disk of a place.
    pub(super) fn heal(&mut self, place: usize) {
        let number = self.place(place).number;
        self.disk.clear_faults_of(number);
    }

    pub(super) fn is_sick(&self, place: usize) -> bool {
        self.process(place).sick
    }

    /// Heals all disks, and waits until every process that can has noticed.
    pub(super) fn heal_all(&mut self) {
        self.disk.clear_faults();
        for _ in 0..TURNS_MAX {
            let waits = |process: &Process| !process.is_well() && !process.is_over();
            if !self.places.iter().filter_map(|place| place.process.as_ref()).any(waits) {
                break;
            }
            self.pass(1);
        }
        for process in self.places.iter_mut().filter_map(|place| place.process.as_mut()) {
            assert!(process.is_well() || process.is_over(), "a disk that is well is written again");
            process.sick = false;
        }
    }

    /// Does maintenance: indexes, snapshots, archive.
    pub(super) fn upkeep(&mut self, place: usize) {
        let Some(process) = self.process_mut(place) else { return };
        let done = process.maintenance.step();
        assert!(done.is_ok() || process.sick, "the disk is well");
    }

    /// Kills a process: its memory is gone, its files are closed.
    pub(super) fn kill(&mut self, place: usize) {
        let at = self.place(place);
        (at.process, at.number) = (None, 0);
    }

    /// True when a fault has killed the process of a place.
    pub(super) fn was_killed(&self, place: usize) -> bool {
        self.places.get(place).is_some_and(|place| self.disk.has_killed(place.number))
    }

    /// Stops a process as `serve` does at its end, possibly during a request; returns the outcome of that request, if any.
    pub(super) fn stop(
        &mut self,
        place: usize,
        asking: Option<PendingCommand>,
    ) -> Option<Result<Outcome, CommandError>> {
        let mut process = self.place(place).process.take()?;
        process.close();
        let answer = asking.and_then(|mut asking| {
            let mut context = Context::from_waker(Waker::noop());
            match asking.as_mut().poll(&mut context) {
                Poll::Ready(outcome) => Some(outcome),
                Poll::Pending => None,
            }
        });
        process.leave();
        let number = std::mem::take(&mut self.place(place).number);
        self.disk.clear_faults_of(number);
        answer
    }

    /// True when the term of the process is over.
    pub(super) fn is_over(&self, place: usize) -> bool {
        self.process(place).is_over()
    }

    /// Starts an act.
    pub(super) fn ask(&self, place: usize, oracle: &Oracle, act: &Act) -> PendingCommand {
        let (command, meta) = command(oracle, 0, act);
        self.ask_for(place, command, meta)
    }

    /// Starts a command.
    pub(super) fn ask_for(&self, place: usize, command: Command, meta: Meta) -> PendingCommand {
        let ledger = Arc::clone(&self.process(place).ledger);
        Box::pin(async move { ledger.execute(command, &meta).await })
    }

    /// Runs a command for at most so many turns; returns its outcome when it has one.
    pub(super) fn turns(
        &mut self,
        place: usize,
        asking: &mut PendingCommand,
        turns: usize,
    ) -> Option<Result<Outcome, CommandError>> {
        (0..turns).find_map(|_| if self.was_killed(place) { None } else { self.turn(place, asking) })
    }

    /// Waits for the outcome of a command; none when its process is killed meanwhile.
    pub(super) fn answer(
        &mut self,
        place: usize,
        mut asking: PendingCommand,
    ) -> Option<Result<Outcome, CommandError>> {
        let outcome = self.turns(place, &mut asking, TURNS_MAX);
        if self.was_killed(place) {
            return None;
        }
        Some(outcome.expect("a command comes to an end"))
    }

    fn turn(&mut self, place: usize, asking: &mut PendingCommand) -> Option<Result<Outcome, CommandError>> {
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(outcome) = asking.as_mut().poll(&mut context) {
            return Some(outcome);
        }
        // A failure reaches the caller through its ticket.
        let _ = self.process(place).log.write_waiting();
        if let Poll::Ready(outcome) = asking.as_mut().poll(&mut context) {
            return Some(outcome);
        }
        self.pass(1);
        None
    }

    /// Cuts the power: all processes are gone, and the disk has what was synced.
    pub(super) fn power_cut(&mut self, how: Crash) {
        (0..self.places.len()).for_each(|place| self.kill(place));
        self.disk.clear_faults();
        self.disk.crash(how);
    }

    /// The view that one process has of a SKU.
    pub(super) fn shown(&self, at: usize, sku: &str) -> Result<Shown, ReadError> {
        let ledger = Arc::clone(&self.process(at).ledger);
        self.read(at, shown(&ledger, &Oracle::new(0), sku))
    }

    /// The lists of one process.
    pub(super) fn listed(&self, at: usize) -> Result<ListedCatalogue, ReadError> {
        let ledger = Arc::clone(&self.process(at).ledger);
        self.read(at, listed(&ledger))
    }

    /// One process's view of identity.
    pub(super) fn identity(&self, at: usize) -> Result<IdentitySeen, ReadError> {
        let ledger = Arc::clone(&self.process(at).ledger);
        self.read(at, identity_seen(&ledger))
    }

    fn read<T>(&self, at: usize, read: impl Future<Output = Result<T, ReadError>>) -> Result<T, ReadError> {
        drive(&self.process(at).log, read)
    }
}
