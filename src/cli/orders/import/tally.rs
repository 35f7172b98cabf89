//! The sums of a run.

use std::collections::{BTreeMap, HashMap};

use smol_str::SmolStr;

use super::jobs::Job;
use super::outcome::{LineOutcome, OrderOutcome, Reported, ShortSku};
use super::reason::Reason;
use super::wire::OrderShown;
use onhand_domain::Sku;

/// What a run has done, and what of the file it has refused.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Orders and credit notes that the run has seen to.
    pub(super) done: u64,
    pub(super) placed: u64,
    /// Orders that were there already.
    pub(super) there: u64,
    /// Orders that this run has shipped.
    pub(super) shipped: u64,
    pub(super) pieces: PieceSums,
    /// Minor units, by currency.
    pub(super) amounts: BTreeMap<SmolStr, u128>,
    /// Orders that are not shipped, though they should be, by the code of the reason.
    pub(super) unshipped: BTreeMap<SmolStr, u64>,
    pub(super) returns: ReturnSums,
    /// Of a dry run: orders that would get all, and those that would get less.
    pub(super) fine: u64,
    pub(super) short: u64,
    /// Of a dry run: the missing pieces, and the orders that miss them.
    pub(super) short_skus: BTreeMap<Sku, (i64, u64)>,
    /// For the report, by place.
    pub(super) reported: HashMap<usize, Reported>,
}

/// The pieces of the orders that are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PieceSums {
    pub(super) ordered: i128,
    pub(super) cancelled: i128,
    pub(super) waiting: i128,
    pub(super) held: i128,
    pub(super) shipped: i128,
}

/// The lines of credit notes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ReturnSums {
    pub(super) credit_notes: u64,
    pub(super) received: u64,
    /// Lines that an earlier run has returned.
    pub(super) there: u64,
    /// The pieces of both.
    pub(super) pieces: i128,
}

impl Tally {
    /// Counts an order.
    pub(super) fn note(&mut self, job: &Job, outcome: OrderOutcome) {
        self.done += 1;
        match outcome {
            OrderOutcome::There { order, created, shipped, unshipped } => {
                self.shipped += u64::from(shipped);
                *(if created { &mut self.placed } else { &mut self.there }) += 1;
                self.pieces.add(&order);
                if let (Some(currency), Some(total)) = (order.currency, order.total) {
                    let total = u128::try_from(total).unwrap_or_default();
                    *self.amounts.entry(currency).or_default() += total;
                }
                if let Some(code) = unshipped {
                    *self.unshipped.entry(code).or_default() += 1;
                }
            }
            OrderOutcome::Refused(reason) => {
                self.reported.insert(job.place, Reported::Order(reason));
            }
            OrderOutcome::Credited(lines) => self.credited(job, &lines),
            OrderOutcome::Fine => self.fine += 1,
            OrderOutcome::Short { skus, refused } => {
                let reasons = self.short_of(skus);
                self.short += u64::from(refused.is_none());
                let reported = refused.map_or(Reported::Skus(reasons), Reported::Order);
                self.reported.insert(job.place, reported);
            }
        }
    }

    /// Counts what an order would lack; the reason for the rows of each SKU.
    fn short_of(&mut self, skus: Vec<ShortSku>) -> HashMap<Sku, Reason> {
        let mut reasons = HashMap::new();
        for ShortSku { sku, asked, left } in skus {
            let missing = asked - left;
            let (pieces, orders) = self.short_skus.entry(sku.clone()).or_default();
            (*pieces, *orders) = (*pieces + missing, *orders + 1);
            let detail = format!(
                "{asked} are asked and {left} left by the orders before it: {missing} would be short"
            );
            reasons.insert(sku, Reason::new("short", detail));
        }
        reasons
    }

    fn credited(&mut self, job: &Job, lines: &BTreeMap<u64, LineOutcome>) {
        self.returns.credit_notes += 1;
        let mut refused = BTreeMap::new();
        for line in &job.lines {
            let pieces = -i128::from(line.pieces.get());
            match lines.get(&line.row) {
                Some(LineOutcome::Received) => {
                    (self.returns.received, self.returns.pieces) =
                        (self.returns.received + 1, self.returns.pieces + pieces);
                }
                Some(LineOutcome::There) => {
                    (self.returns.there, self.returns.pieces) =
                        (self.returns.there + 1, self.returns.pieces + pieces);
                }
                Some(LineOutcome::Refused(reason)) => {
                    refused.insert(line.row, reason.clone());
                }
                None => {}
            }
        }
        if !refused.is_empty() {
            self.reported.insert(job.place, Reported::Lines(refused));
        }
    }
}

impl PieceSums {
    fn add(&mut self, order: &OrderShown) {
        for line in &order.lines {
            self.ordered += i128::from(line.qty);
            self.cancelled += i128::from(line.cancelled);
            self.waiting += i128::from(line.waiting);
            self.held += i128::from(line.open);
            self.shipped += i128::from(line.shipped);
        }
    }
}
