//! Counts of a run. They show whether faults struck during activity.

use crate::model_check::steps::{Activity, ModelStep};
use onhand_domain::State;
use onhand_sim_machine::disk::{DiskOperation, Fault, Hits};
use std::collections::BTreeMap;
use std::fmt;

/// Counts of one run or of many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunTally {
    /// Requested acts, retries included.
    pub operations: u64,
    /// Events in the logs at the end.
    pub events: u64,
    /// Changes of products, stores and thresholds.
    pub said: u64,
    /// Changes of principals, tokens and the mode.
    pub granted: u64,
    /// Alerts that were raised.
    pub raised: u64,
    /// Alerts that were cleared.
    pub cleared: u64,
    /// Times a machine stopped.
    pub crashes: u64,
    /// Times that a machine stopped again during a start, or that its disk refused the start.
    pub relapses: u64,
    /// Steps in which a disk refused.
    pub refusals: u64,
    /// Passes of a worker.
    pub passes: u64,
    /// Dead letters, all of which were redriven.
    pub letters: u64,
    /// Takeovers of one process by another.
    pub takeovers: u64,
    /// Faults that struck, by operation and fault.
    pub hits: BTreeMap<(DiskOperation, Fault), u64>,
}

impl RunTally {
    /// Counts one step of a node.
    pub fn step(&mut self, step: &ModelStep) {
        let (ModelStep::Do(doing) | ModelStep::Crash(doing, ..) | ModelStep::Refuse { doing, .. }) = step
        else {
            self.operations += u64::from(matches!(step, ModelStep::Again(_)));
            return;
        };
        if let Activity::Acts(acts) = doing {
            self.operations += acts.len() as u64;
        }
        match step {
            ModelStep::Crash(_, _, _, relapses) => {
                self.crashes += 1 + relapses.len() as u64;
                self.relapses += relapses.len() as u64;
            }
            ModelStep::Refuse { .. } => self.refusals += 1,
            _ => {}
        }
    }

    /// Adds the faults that struck a disk.
    pub fn struck(&mut self, hits: Hits) {
        for (what, count) in hits {
            *self.hits.entry(what).or_default() += count;
        }
    }

    /// Counts the states of a ledger.
    pub fn states<'a>(&mut self, states: impl Iterator<Item = &'a State>) {
        for state in states {
            match state {
                State::Product(_) | State::Store(_) | State::Threshold(_) => self.said += state.version(),
                State::Alert(alert) => {
                    // It was raised first, and then cleared and raised in turn.
                    self.raised += alert.version.div_ceil(2);
                    self.cleared += alert.version / 2;
                }
                State::Principal(_) | State::Token(_) | State::Mode(_) => self.granted += state.version(),
                _ => {}
            }
        }
    }

    /// Adds the counts of another run.
    pub fn add(&mut self, other: Self) {
        let Self { operations, events, said, granted, raised, cleared, crashes, .. } = other;
        let Self { relapses, refusals, passes, letters, takeovers, hits, .. } = other;
        self.operations += operations;
        self.events += events;
        self.said += said;
        self.granted += granted;
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

impl fmt::Display for RunTally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: u64 = self.hits.values().sum();
        writeln!(formatter, "operations  {}", self.operations)?;
        writeln!(formatter, "events      {}", self.events)?;
        writeln!(
            formatter,
            "catalogue   {} times something was said of a product, a store or a threshold",
            self.said
        )?;
        writeln!(formatter, "identity    {} changes of principals, tokens and the mode", self.granted)?;
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
