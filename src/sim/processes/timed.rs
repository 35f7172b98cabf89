//! Checks beside the oracles: holds that expire, each by its own time, and one import, step by step. No act of the
//! oracles uses their SKUs.

use crate::oracle::STORE;
use crate::processes::run::SharedRun;
use crate::processes::timed_effects::TimedHold;
use onhand_app::{CommandError, Meta, Outcome};
use onhand_domain::imports::{ImportRow, ImportRows};
use onhand_domain::stock::{AdjustKind, Commit, Reserve, StockCommand, Verb};
use onhand_domain::{Command, Expected, ImportId, Quantity, Rejection, ReservationId, Sku, StoreId};

/// The SKU of holds that run out.
const HELD: &str = "P";
/// The SKU of the import.
const IMPORTED: &str = "O";
/// Holds that are followed at once.
const HOLDS_MAX: usize = 16;
/// The allowed difference of log time between two processes: one may not have read the logs of the others for a while.
const SLACK_MS: i64 = 100;

fn stock(verb: Verb) -> Command {
    let store_id = StoreId::new(STORE).expect("a store");
    let sku = Sku::new(HELD).expect("a SKU");
    Command::Stock(StockCommand { store_id, sku, expected: Expected::Any, verb })
}

fn pieces(pieces: i64) -> Quantity {
    Quantity::new(pieces).expect("a few pieces")
}

fn named(id: u32) -> ReservationId {
    ReservationId::new(&format!("timed-{id}")).expect("a name")
}

impl SharedRun<'_> {
    /// Executes a command at a process; none when its outcome is unknown.
    fn ask_aside(&mut self, place: usize, command: Command) -> Option<Result<Outcome, Rejection>> {
        let asking = self.group.ask_for(place, command, Meta::default());
        match self.group.answer(place, asking) {
            Some(Ok(outcome)) => Some(Ok(outcome)),
            Some(Err(CommandError::Refused(refusal))) => Some(Err(refusal.rejection)),
            None | Some(Err(CommandError::Contended)) => None,
            Some(Err(_)) => {
                self.failed(place);
                None
            }
        }
    }

    /// Reserves a piece for a while, or commits one that was reserved.
    pub(super) fn hold(&mut self) {
        // First: if no process was left to keep time, the holds are dropped here.
        let place = self.place();
        if !self.timed.holds.is_empty() && self.random.percent(60) {
            return self.come_for_a_hold(place);
        }
        let asked = self.group.passed();
        self.timed.named += 1;
        let (id, ttl_seconds) = (self.timed.named, 1 + self.random.whole(4));
        let (reservation_id, qty) = (named(id), pieces(1));
        let reserve = Reserve { qty, reservation_id, ttl_seconds: Some(ttl_seconds), reference: None };
        match self.ask_aside(place, stock(Verb::Reserve(reserve))) {
            Some(Ok(_)) => {
                let granted = self.group.passed();
                self.trace.note(format_args!("hold {id} for {ttl_seconds} s, granted at {granted} ms"));
                self.timed.holds.push(TimedHold { id, asked, granted, ttl: ttl_seconds * 1_000 });
                if self.timed.holds.len() > HOLDS_MAX {
                    self.timed.holds.remove(0);
                }
            }
            Some(Err(_)) => {
                let (place, delta) = (self.place(), pieces(1_000));
                self.ask_aside(place, stock(Verb::Adjust { delta, reason: None, reference: None }));
            }
            None => {}
        }
    }

    /// Checks that a hold lasts exactly for the time it was granted.
    fn come_for_a_hold(&mut self, place: usize) {
        let chosen = self.random.below(self.timed.holds.len());
        let TimedHold { id, asked, granted, ttl } = self.timed.holds.swap_remove(chosen);
        let begun = self.group.passed();
        let commit = Commit { reservation_id: named(id), qty: None, close_remainder: true };
        let Some(outcome) = self.ask_aside(place, stock(Verb::Commit(commit))) else { return };
        let ended = self.group.passed();
        self.trace.note(format_args!("hold {id} committed at {begun} to {ended} ms: {}", outcome.is_ok()));
        if let Err(refused) = outcome {
            assert!(
                ended >= asked + ttl - SLACK_MS,
                "hold {id} of {ttl} ms is gone after {} ms: {refused}",
                ended - asked
            );
        } else {
            assert!(
                begun <= granted + ttl + SLACK_MS,
                "hold {id} of {ttl} ms is there after {} ms",
                begun - granted
            );
        }
    }

    /// Checks that processes that keep time agree about it.
    pub(super) fn one_time(&self) {
        if let Some((earliest, latest)) = self.group.log_times() {
            let apart = latest - earliest;
            assert!(apart <= SLACK_MS, "the log times of two processes are {apart} ms apart");
        }
    }

    /// Sends the next row of the import to a process.
    pub(super) fn import(&mut self) {
        let done = self.timed.steps;
        let row = ImportRow {
            row: done + 1,
            store_id: StoreId::new(STORE).expect("a store"),
            sku: Sku::new(IMPORTED).expect("a SKU"),
            kind: AdjustKind::StockIn,
            quantity: pieces(1),
            reference: None,
            occurred_at: None,
            opening_stock: None,
        };
        let import_id = ImportId::new("rows").expect("an id");
        let (after_row, through_row) = (done, done + 1);
        let rows =
            ImportRows { import_id, after_row, through_row, last: false, rows: vec![row], is_own: true };
        let place = self.place();
        match self.ask_aside(place, Command::Import(rows)) {
            Some(Ok(_)) => (self.timed.steps, self.timed.unsure) = (done + 1, false),
            Some(Err(Rejection::ImportOutOfStep { rows_done })) => {
                assert!(self.timed.unsure && rows_done == done + 1, "{rows_done} rows, {done} acknowledged");
                (self.timed.steps, self.timed.unsure) = (rows_done, false);
            }
            Some(Err(refused)) => panic!("row {} is refused: {refused}", done + 1),
            None => self.timed.unsure = true,
        }
    }

    /// Checks that each acknowledged row has had its effect once.
    pub(super) fn imported_once(&mut self) {
        let place = self.place();
        let Ok(seen) = self.group.shown(place, IMPORTED) else { return };
        let (on_hand, done) =
            (seen.level.map_or(0, |(on_hand, ..)| on_hand.unsigned_abs()), self.timed.steps);
        let may_be = done..=done + u64::from(self.timed.unsure);
        assert!(may_be.contains(&on_hand), "{on_hand} rows imported, {done} acknowledged");
    }
}
