//! A node: a directory with log, mark and term, and its process, while there is one.

use crate::stock::{Changes, Entry, Level};
use smallvec::SmallVec;

/// The file `term` (`adapters/file/log/term.rs`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Term {
    pub(crate) number: u8,
    /// Where the log ends for good.
    pub(crate) end: Option<usize>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Node {
    /// What a reader of the file sees. The disk has it up to the mark; what it has of the rest is not known.
    pub(crate) log: SmallVec<[Entry; 4]>,
    /// So many entries are acknowledged, and read by other processes.
    pub(crate) mark: usize,
    pub(crate) term: Term,
    /// What the term is again after a power cut, while its file's name is not durable.
    pub(crate) term_before: Option<Term>,
    pub(crate) process: Option<Process>,
}

/// What a process has in memory.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Process {
    pub(crate) term: u8,
    /// The levels whose leases are ready, as the last decision left them. Any other is read from the logs when it is needed.
    pub(crate) memory: Changes,
    pub(crate) leases: [Held; 2],
    /// A sync of the log has failed. It takes nothing more before a probe has succeeded.
    pub(crate) lost: bool,
}

/// How it stands with a lease (`app/ledger/sharing`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Held {
    No,
    /// Held, and what other processes wrote may not be known.
    New,
    Ready,
}

impl Node {
    /// Opens the log: reads it to its end, makes that durable, and marks it (`adapters/file/recovery/open.rs`).
    pub(crate) fn open(&mut self, end: usize) {
        self.log.truncate(end);
        self.mark = self.log.len();
    }

    /// A process begins its term, in a directory that it has opened.
    pub(crate) fn begin(&mut self) {
        self.end_term(None);
        let term = self.term.number;
        self.process = Some(Process { term, memory: Changes::default(), leases: [Held::No; 2], lost: false });
    }

    /// The present term is over, and the log ends there, or where it ends.
    pub(crate) fn end_term(&mut self, end: Option<usize>) {
        self.term = Term { number: self.term.number + 1, end };
        self.term_before = None;
    }

    /// The log has failed: it takes nothing more, and memory goes back to what is durable. The bytes stay in the file.
    pub(crate) fn fail(&mut self) {
        let Self { log, mark, process: Some(process), .. } = self else { return };
        process.lost = true;
        let rolled_back = log[*mark..].iter();
        process.memory = rolled_back.fold(process.memory, |memory, entry| memory.without(entry.change));
    }

    /// What the other processes read.
    pub(crate) fn marked(&self) -> &[Entry] {
        &self.log[..self.mark]
    }

    /// What is on its way to the disk.
    pub(crate) fn under_way(&self) -> &[Entry] {
        match &self.process {
            Some(process) if !process.lost => &self.log[self.mark..],
            _ => &[],
        }
    }

    pub(crate) fn is_under_way(&self, level: Level) -> bool {
        self.under_way().iter().any(|entry| entry.level() == level)
    }

    /// What everybody believes of the log in the end, if the process does nothing more.
    pub(crate) fn believable(&self) -> &[Entry] {
        let end = if self.process.is_some() { self.mark } else { self.term.end.unwrap_or(usize::MAX) };
        &self.log[..end.min(self.log.len())]
    }

    /// The process, while its term lasts.
    pub(crate) fn lasting(&self) -> Option<&Process> {
        self.process.as_ref().filter(|process| process.term == self.term.number)
    }
}
