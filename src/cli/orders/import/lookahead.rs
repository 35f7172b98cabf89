//! Which order may be sent while others are under way: one that shares no SKU with an order before it.
//!
//! So many requests are under way at once, and stock still goes to whoever comes first in the file: the outcome is that of one
//! order after the other, on every run.

use std::collections::{HashSet, VecDeque};

use super::jobs::Job;
use onhand_domain::Sku;

/// Orders that are looked at for one that need not wait.
const LOOKAHEAD: usize = 64;

/// The next orders of the file.
#[derive(Debug, Default)]
pub(super) struct Lookahead {
    waiting: VecDeque<Job>,
    /// The SKUs of the orders under way.
    busy: HashSet<Sku>,
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
            let is_free = !job.skus().any(|sku| self.busy.contains(sku) || before.contains(sku));
            if !is_free {
                before.extend(job.skus());
            }
            is_free
        })?;
        let job = self.waiting.remove(at)?;
        self.busy.extend(job.skus().cloned());
        Some(job)
    }

    /// An order is not under way any more.
    pub(super) fn done(&mut self, job: &Job) {
        for sku in job.skus() {
            self.busy.remove(sku);
        }
    }
}
