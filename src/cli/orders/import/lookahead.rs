//! Which order may be placed while others are under way: one that shares no SKU with an order before it that is not placed yet.
//!
//! So many requests are under way at once, and stock still goes to whoever comes first in the file: the outcome is that of one
//! order after the other, on every run. Shipping takes nothing from others, so nobody waits for it, except a credit note: it looks
//! for what was shipped before.

use std::collections::{HashMap, HashSet, VecDeque};

use super::jobs::Job;
use onhand_domain::Sku;

/// Orders that are looked at for one that need not wait.
const LOOKAHEAD: usize = 64;

/// The next orders of the file.
#[derive(Debug, Default)]
pub(super) struct Lookahead {
    waiting: VecDeque<Job>,
    /// The SKUs of the orders that are being placed, and of credit notes under way.
    busy: HashSet<Sku>,
    /// The SKUs of the orders that are placed and being shipped, with the number of these orders.
    leaving: HashMap<Sku, u32>,
}

impl Lookahead {
    /// True when it takes no more.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= LOOKAHEAD
    }

    /// Adds the next order of the file.
    pub(super) fn add(&mut self, job: Job) {
        self.waiting.push_back(job);
    }

    /// Takes the first order that need not wait; it is under way from then on.
    pub(super) fn take(&mut self) -> Option<Job> {
        let mut before: HashSet<&Sku> = HashSet::new();
        let at = self.waiting.iter().position(|job| {
            let waits = |sku: &Sku| {
                self.busy.contains(sku)
                    || before.contains(sku)
                    || (job.is_credit_note && self.leaving.contains_key(sku))
            };
            let is_free = !job.skus().any(waits);
            if !is_free {
                before.extend(job.skus());
            }
            is_free
        })?;
        let job = self.waiting.remove(at)?;
        self.busy.extend(job.skus().cloned());
        Some(job)
    }

    /// An order is placed or refused, or a credit note done: those behind it need not wait any more.
    pub(super) fn done(&mut self, job: &Job) {
        for sku in job.skus() {
            self.busy.remove(sku);
        }
    }

    /// An order that is placed is being shipped.
    pub(super) fn ships(&mut self, job: &Job) {
        for sku in job.skus() {
            *self.leaving.entry(sku.clone()).or_default() += 1;
        }
    }

    /// It is shipped.
    pub(super) fn shipped(&mut self, job: &Job) {
        for sku in job.skus() {
            if let Some(orders) = self.leaving.get_mut(sku) {
                *orders -= 1;
                if *orders == 0 {
                    self.leaving.remove(sku);
                }
            }
        }
    }
}
