//! How much a run has been through: a count is honest only if the faults hit something that was going on.

use crate::domain::State;
use crate::sim::disk::{Fault, Hits, Operation};
use crate::sim::play::{Doing, Step};
use std::collections::BTreeMap;
use std::fmt;

/// Counts over one run or many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Acts that were asked of a ledger, retries too.
    pub operations: u64,
    /// Events in the logs at the end.
    pub events: u64,
    /// Things that were said of products, stores and thresholds.
    pub said: u64,
    /// Alerts that were raised.
    pub raised: u64,
    /// Alerts that were cleared.
    pub cleared: u64,
    /// Times a machine stopped.
    pub crashes: u64,
    /// Times it stopped again during the start, or the start was refused by the disk.
    pub relapses: u64,
    /// Steps in which a disk refused.
    pub refusals: u64,
    /// Passes of a worker.
    pub passes: u64,
    /// Dead letters, all of which were redriven.
    pub letters: u64,
    /// Times a process was taken over from.
    pub takeovers: u64,
    /// Faults that struck, by operation and fault.
    pub hits: BTreeMap<(Operation, Fault), u64>,
}

impl Tally {
    /// One step of a node more.
    pub fn step(&mut self, step: &Step) {
        let (Step::Do(doing) | Step::Crash(doing, ..) | Step::Refuse { doing, .. }) = step else {
            self.operations += u64::from(matches!(step, Step::Again(_)));
            return;
        };
        if let Doing::Acts(acts) = doing {
            self.operations += acts.len() as u64;
        }
        match step {
            Step::Crash(_, _, _, relapses) => {
                self.crashes += 1 + relapses.len() as u64;
                self.relapses += relapses.len() as u64;
            }
            Step::Refuse { .. } => self.refusals += 1,
            _ => {}
        }
    }

    /// Faults that a disk had.
    pub fn struck(&mut self, hits: Hits) {
        for (what, count) in hits {
            *self.hits.entry(what).or_default() += count;
        }
    }

    /// What a ledger has come to.
    pub fn states<'a>(&mut self, states: impl Iterator<Item = &'a State>) {
        for state in states {
            match state {
                State::Product(_) | State::Store(_) | State::Threshold(_) => self.said += state.version(),
                State::Alert(alert) => {
                    // It was raised first, and then in turn.
                    self.raised += alert.version.div_ceil(2);
                    self.cleared += alert.version / 2;
                }
                _ => {}
            }
        }
    }

    /// Another run.
    pub fn add(&mut self, other: Self) {
        let Self { operations, events, said, raised, cleared, crashes, .. } = other;
        let Self { relapses, refusals, passes, letters, takeovers, hits, .. } = other;
        self.operations += operations;
        self.events += events;
        self.said += said;
        self.raised += raised;
        self.cleared += cleared;
        self.crashes += crashes;
        self.relapses += relapses;
        self.refusals += refusals;
        self.passes += passes;
        self.letters += letters;
        self.takeovers += takeovers;
        self.struck(hits);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: u64 = self.hits.values().sum();
        writeln!(formatter, "operations  {}", self.operations)?;
        writeln!(formatter, "events      {}", self.events)?;
        writeln!(
            formatter,
            "catalogue   {} times something was said of a product, a store or a threshold",
            self.said
        )?;
        writeln!(formatter, "alerts      {} raised, {} cleared, once each", self.raised, self.cleared)?;
        writeln!(formatter, "crashes     {}, {} of them during a start", self.crashes, self.relapses)?;
        writeln!(formatter, "refusals    {} times the disk refused, and was well again", self.refusals)?;
        writeln!(
            formatter,
            "central     {} passes, {} dead letters, all redriven",
            self.passes, self.letters
        )?;
        writeln!(formatter, "takeovers   {}", self.takeovers)?;
        write!(formatter, "faults      {faults} struck, by operation:")?;
        let mut last = None;
        for ((operation, fault), count) in &self.hits {
            if last != Some(operation) {
                write!(formatter, "\n  {:<13}", format!("{operation:?}"))?;
                last = Some(operation);
            }
            write!(formatter, " {fault:?} {count}")?;
        }
        Ok(())
    }
}
