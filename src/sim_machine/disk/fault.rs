//! Planned faults: which operation fails, and how.
//!
//! Operations are counted over all disk calls from 1, so that a test can loop `n = 1..` until no fault strikes any more.

use std::collections::BTreeMap;
use std::io;

/// A kind of disk call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DiskOperation {
    /// `open` of a file that exists, or that is missing and may not be created.
    Open,
    /// `open` that creates the file.
    Create,
    /// A `rename` of a file or directory.
    Rename,
    /// A `remove` of a file.
    Remove,
    /// A `list` of a directory.
    List,
    /// A `create_dir_all`, also when the directory exists.
    CreateDirAll,
    /// A `sync_dir`, which fixes names.
    SyncDir,
    /// A `read_at` of an open file.
    ReadAt,
    /// A `write_at` of an open file.
    WriteAt,
    /// A `sync_data` of an open file.
    SyncData,
    /// A `len` of an open file.
    Len,
    /// A `truncate`, which cuts or extends a file.
    Truncate,
    /// A `preallocate` of space behind the end.
    Preallocate,
    /// A `try_lock` of a file or directory.
    TryLock,
}

/// How an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// `EIO`, and nothing happened; a failed `sync_data` loses the dirty bytes (see the module).
    Eio,
    /// `EIO`, although the call had its full effect.
    EioAfterEffect,
    /// `ENOSPC`, for calls that need room: create, `create_dir_all`, `write_at`, `preallocate`, `sync_data`.
    NoSpace,
    /// A `write_at` reports fewer bytes than asked; the next `write_at` fails with `ENOSPC`.
    ShortWrite,
    /// The machine stops: the call takes effect wholly, in part or not at all, and the disk is dead until `reboot`.
    Crash,
    /// The process that calls is killed: the call takes effect wholly, in part or not at all, and all later calls of
    /// the process fail. Other processes go on.
    Kill,
    /// The call panics before it has any effect.
    Panic,
}

/// One planned fault: strikes the first operation from number `n` on that can fail in this way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Injection {
    first: u64,
    fault: Fault,
    only: Option<DiskOperation>,
    by: Option<u32>,
    sticky: bool,
}

impl Injection {
    /// `fault` strikes once, at operation `n` or the first after it that can fail in that way.
    pub const fn at(n: u64, fault: Fault) -> Self {
        Self { first: n, fault, only: None, by: None, sticky: false }
    }

    /// Restricts the fault to this kind of operation.
    #[must_use]
    pub const fn only(self, operation: DiskOperation) -> Self {
        Self { only: Some(operation), ..self }
    }

    /// Restricts the fault to calls of one process, see [`SimDisk::of`](super::SimDisk::of).
    #[must_use]
    pub const fn by(self, process: u32) -> Self {
        Self { by: Some(process), ..self }
    }

    /// Strikes repeatedly until the faults are cleared. A crash still strikes once.
    #[must_use]
    pub const fn sticky(self) -> Self {
        Self { sticky: true, ..self }
    }

    fn strikes(&self, number: u64, operation: DiskOperation, process: u32) -> bool {
        number >= self.first
            && self.only.is_none_or(|only| only == operation)
            && self.by.is_none_or(|by| by == process)
            && can_fail(operation, self.fault)
    }
}

fn can_fail(operation: DiskOperation, fault: Fault) -> bool {
    match fault {
        Fault::Eio | Fault::EioAfterEffect | Fault::Crash | Fault::Kill | Fault::Panic => true,
        Fault::ShortWrite => operation == DiskOperation::WriteAt,
        Fault::NoSpace => matches!(
            operation,
            DiskOperation::Create
                | DiskOperation::CreateDirAll
                | DiskOperation::WriteAt
                | DiskOperation::SyncData
                | DiskOperation::Preallocate
        ),
    }
}

/// How often each fault struck each kind of operation.
pub type Hits = BTreeMap<(DiskOperation, Fault), u64>;

/// The operation counter and the faults that have not struck yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Schedule {
    operations: u64,
    planned: Vec<Injection>,
    hits: Hits,
}

impl Schedule {
    /// Counts an operation and returns the fault that strikes it. Of several faults the one planned first strikes.
    pub(super) fn count(&mut self, operation: DiskOperation, process: u32) -> Option<Fault> {
        self.operations += 1;
        let strikes = |plan: &Injection| plan.strikes(self.operations, operation, process);
        let position = self.planned.iter().position(strikes)?;
        let struck = self.planned.remove(position);
        let lasting = struck.sticky && !matches!(struck.fault, Fault::Crash | Fault::Kill);
        if struck.fault == Fault::ShortWrite {
            let next = Injection { first: self.operations + 1, fault: Fault::NoSpace, ..struck };
            self.planned.insert(position, next.only(DiskOperation::WriteAt));
        } else if lasting {
            self.planned.insert(position, struck);
        }
        *self.hits.entry((operation, struck.fault)).or_default() += 1;
        Some(struck.fault)
    }

    pub(super) fn plan(&mut self, injection: Injection) {
        self.planned.push(injection);
    }

    pub(super) fn clear(&mut self) {
        self.planned.clear();
    }

    pub(super) fn clear_of(&mut self, process: u32) {
        self.planned.retain(|plan| plan.by != Some(process));
    }

    pub(super) const fn operations(&self) -> u64 {
        self.operations
    }

    pub(super) const fn hits(&self) -> &Hits {
        &self.hits
    }
}

/// The error of every call after a simulated crash, and of every handle from before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the simulated machine has stopped")]
pub(super) struct Stopped;

/// True when an error is the simulated crash itself and not a fault that a running program has to handle.
pub fn is_crash(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Stopped>)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strikes(injection: Injection, operations: &[DiskOperation]) -> Vec<Option<Fault>> {
        let mut schedule = Schedule::default();
        schedule.plan(injection);
        operations.iter().map(|operation| schedule.count(*operation, 0)).collect()
    }

    /// Description, plan, operations, and the fault that strikes each of them.
    type FaultCase<'a> = (&'a str, Injection, &'a [DiskOperation], &'a [Option<Fault>]);

    use DiskOperation::{Len, ReadAt, Rename, SyncData, WriteAt};

    #[test]
    fn plans_and_what_they_strike() {
        let eio = Some(Fault::Eio);
        let full = Some(Fault::NoSpace);
        let short = Some(Fault::ShortWrite);
        let crash = Some(Fault::Crash);
        let rows: [FaultCase; 9] = [
            ("once", Injection::at(2, Fault::Eio), &[Len; 4], &[None, eio, None, None]),
            ("sticky", Injection::at(2, Fault::Eio).sticky(), &[Len; 4], &[None, eio, eio, eio]),
            ("never reached", Injection::at(3, Fault::Eio), &[Len; 2], &[None, None]),
            (
                "only one kind",
                Injection::at(1, Fault::Eio).only(SyncData),
                &[WriteAt, SyncData, SyncData],
                &[None, eio, None],
            ),
            (
                "no space waits for a call that needs some",
                Injection::at(1, Fault::NoSpace),
                &[ReadAt, Rename, WriteAt, WriteAt],
                &[None, None, full, None],
            ),
            (
                "short write, then the next write fails",
                Injection::at(1, Fault::ShortWrite),
                &[Len, WriteAt, Len, WriteAt, WriteAt],
                &[None, short, None, full, None],
            ),
            (
                "sticky short write, then no write gets through",
                Injection::at(1, Fault::ShortWrite).sticky(),
                &[WriteAt, WriteAt, SyncData, WriteAt],
                &[short, full, None, full],
            ),
            ("a crash strikes once", Injection::at(1, Fault::Crash).sticky(), &[Len; 2], &[crash, None]),
            ("panic", Injection::at(2, Fault::Panic), &[Len; 2], &[None, Some(Fault::Panic)]),
        ];
        for (story, injection, operations, wanted) in rows {
            assert_eq!(strikes(injection, operations), wanted, "{story}");
        }
    }

    #[test]
    fn the_schedule_counts_operations_and_hits() {
        let mut schedule = Schedule::default();
        schedule.plan(Injection::at(2, Fault::Eio).sticky());
        for _ in 0..4 {
            schedule.count(WriteAt, 0);
        }
        assert_eq!(schedule.operations(), 4);
        assert_eq!(*schedule.hits(), BTreeMap::from([((WriteAt, Fault::Eio), 3)]));
        schedule.clear();
        assert_eq!(schedule.count(WriteAt, 0), None);
    }

    #[test]
    fn of_two_faults_the_one_planned_first_strikes_first() {
        let mut schedule = Schedule::default();
        schedule.plan(Injection::at(1, Fault::Eio));
        schedule.plan(Injection::at(1, Fault::Crash));
        assert_eq!([schedule.count(Len, 0), schedule.count(Len, 0)], [Some(Fault::Eio), Some(Fault::Crash)]);
    }

    #[test]
    fn only_the_crash_is_taken_for_a_crash() {
        assert!(is_crash(&io::Error::other(Stopped)));
        assert!(!is_crash(&io::Error::from(rustix::io::Errno::IO)));
        assert!(!is_crash(&io::Error::other("the simulated machine has stopped")));
    }
}
