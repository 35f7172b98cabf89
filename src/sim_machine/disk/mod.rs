//! A disk in memory that loses and tears data, and misreports syncs, exactly as far as a real one may.
//!
//! The real disk is `RealDisk`; the contract of both is in [`onhand_disk`]. Within that contract this disk does the
//! following.
//!
//! **Bytes.** Each file has a page cache, which readers see, and a durable image. `sync_data` brings the first to the
//! second. At a power cut each 512-byte sector with unsynced bytes is kept, dropped, zeroed, filled with noise, torn at
//! some byte, or filled from another sector, each independently; an unsynced length is kept, lost or reached in part.
//! Only unsynced bytes are at risk: writing a sector again does not endanger the durable bytes in it. What is cut off
//! may have been written back just before, so that without a sync it may be there again after a power cut.
//!
//! **A failed `sync_data`** loses the unsynced bytes and marks them clean, as Linux does: readers go on seeing them, no later
//! sync brings them to the disk, unless their sector is written again. The new length may survive without its bytes.
//!
//! **Names.** Creating, renaming, removing a file and making or renaming a directory are fixed by `sync_dir` of the
//! directory they happen in, or of both. Before that a power cut keeps or drops each of them independently, as a whole.
//! Syncing a file does not fix its name. A failed `sync_dir` fixes nothing and may be repeated.
//!
//! **Crashes.** [`SimDisk::stop`], or [`Fault::Crash`], stops the machine at some point; from then on every handle is
//! invalid, every lock released, and every call fails with an error that [`is_crash`] recognises. [`SimDisk::reboot`]
//! decides by a [`Crash`] which unsynced data survives. A [`SimDisk::fork`] in between lets one history end in many ways.
//!
//! **Chance** comes from seeds alone and nothing here reads a clock: one thread and the same seeds give the same run.
//!
//! Not modelled: space running out by itself, permissions, links, EINTR, a call that never returns, disks that lose
//! data that they reported as synced.

mod content;
mod crash;
mod fault;
mod handle;
mod machine;
mod names;
mod tree;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

pub use crash::Crash;
pub use fault::{DiskOperation, Fault, Hits, Injection, is_crash};

use handle::SimFile;
use machine::Machine;
use names::spelled;
use onhand_disk::{Disk, DiskFile, OpenMode};

/// The simulated disk. A clone is the same disk; a [`SimDisk::fork`] is another one.
#[derive(Debug, Clone)]
pub struct SimDisk {
    machine: Arc<Mutex<Machine>>,
    process: u32,
}

impl SimDisk {
    /// An empty disk. `seed` decides how much of a call takes effect when a fault strikes it.
    pub fn new(seed: u64) -> Self {
        Self { machine: Arc::new(Mutex::new(Machine::new(seed))), process: 0 }
    }

    /// A second disk in the state of this one, operation counter and planned faults included; it has no handles or locks.
    #[must_use]
    pub fn fork(&self) -> Self {
        let mut machine = self.machine.lock().clone();
        machine.forget_handles();
        Self { machine: Arc::new(Mutex::new(machine)), process: self.process }
    }

    /// The same disk for one process of several: faults can be planned for it alone ([`Injection::by`]).
    #[must_use]
    pub fn of(&self, process: u32) -> Self {
        Self { machine: Arc::clone(&self.machine), process }
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        let mut machine = self.machine.lock();
        machine.caller = self.process;
        machine
    }

    /// Crashes and starts again: [`SimDisk::stop`], then [`SimDisk::reboot`].
    pub fn crash(&self, how: Crash) {
        self.reboot(how);
    }

    /// Stops the machine. The reboot decides which unsynced data survives.
    pub fn stop(&self) {
        self.machine.lock().stop();
    }

    /// True between a stop and the next reboot.
    pub fn is_stopped(&self) -> bool {
        self.machine.lock().is_stopped()
    }

    /// Starts the machine again after a stop. The operation counter continues and planned faults stay planned, so that
    /// a second fault can strike the recovery.
    pub fn reboot(&self, how: Crash) {
        self.machine.lock().reboot(how);
    }

    /// Plans a fault for a later operation.
    pub fn inject(&self, injection: Injection) {
        self.machine.lock().schedule.plan(injection);
    }

    /// Removes the planned faults, sticky ones too: the disk is healthy again.
    pub fn clear_faults(&self) {
        self.machine.lock().schedule.clear();
    }

    /// Removes the faults planned for one process: its disk is healthy again.
    pub fn clear_faults_of(&self, process: u32) {
        self.machine.lock().schedule.clear_of(process);
    }

    /// True when a planned fault has killed that process in the middle of a call.
    pub fn has_killed(&self, process: u32) -> bool {
        self.machine.lock().has_killed(process)
    }

    /// The number of calls so far, failed ones included, without calls on a stopped machine or an invalid handle.
    pub fn operations(&self) -> u64 {
        self.machine.lock().schedule.operations()
    }

    /// The faults that have struck so far. A loop over `n` is done when none has struck.
    pub fn hits(&self) -> Hits {
        self.machine.lock().schedule.hits().clone()
    }

    /// The durable image of a file: the bytes under its durable name when everything unsynced is lost.
    pub fn file(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        self.machine.lock().durable(&spelled(path.as_ref())).map(<[u8]>::to_vec)
    }

    /// The durable names of all files, sorted.
    pub fn files(&self) -> Vec<PathBuf> {
        self.machine.lock().names.durable()
    }

    /// Creates a durable file with the directories above it, bypassing the calls; a replaced file keeps only its open
    /// handles.
    pub fn put(&self, path: impl AsRef<Path>, bytes: &[u8]) {
        self.machine.lock().put(&spelled(path.as_ref()), bytes);
    }

    /// Overwrites one byte of a durable file, bypassing the calls, in the page cache too.
    ///
    /// # Errors
    /// `NotFound` without such a durable file, `InvalidInput` when the file is shorter.
    pub fn corrupt(&self, path: impl AsRef<Path>, offset: usize, byte: u8) -> io::Result<()> {
        self.machine.lock().corrupt(&spelled(path.as_ref()), offset, byte)
    }
}

impl Disk for SimDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let handle = self.machine().open(&spelled(path), mode)?;
        let writable = mode != OpenMode::Read;
        let (machine, process) = (Arc::clone(&self.machine), self.process);
        Ok(Arc::new(SimFile { machine, process, handle, writable }))
    }

    fn open_dir(&self, directory: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let handle = self.machine().open_dir(&spelled(directory))?;
        let (machine, process) = (Arc::clone(&self.machine), self.process);
        Ok(Arc::new(SimFile { machine, process, handle, writable: false }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let (from, to) = (spelled(from), spelled(to));
        self.machine().perform(DiskOperation::Rename, |machine| machine.names.rename(&from, &to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.machine().perform(DiskOperation::Remove, |machine| machine.names.remove(&spelled(path)))
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        self.machine().perform(DiskOperation::List, |machine| machine.names.list(&spelled(directory)))
    }

    fn create_dir_all(&self, directory: &Path) -> io::Result<()> {
        self.machine()
            .perform(DiskOperation::CreateDirAll, |machine| machine.names.create_dir_all(&spelled(directory)))
    }

    fn sync_dir(&self, directory: &Path) -> io::Result<()> {
        self.machine().sync_dir(&spelled(directory))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use onhand_disk::{LockOutcome, durable_rename, read_all, write_all_at};

    const LOG: &str = "/data/log";

    fn at(name: &str) -> PathBuf {
        Path::new("/data").join(name)
    }

    fn code(error: &io::Error) -> Option<rustix::io::Errno> {
        rustix::io::Errno::from_io_error(error)
    }

    /// A disk with one durable file, and a handle of that file.
    fn disk_with(bytes: &[u8]) -> (SimDisk, Arc<dyn DiskFile>) {
        let disk = SimDisk::new(1);
        disk.put(LOG, bytes);
        let file = disk.open(Path::new(LOG), OpenMode::Write).unwrap();
        (disk, file)
    }

    fn seen(disk: &SimDisk) -> Vec<u8> {
        read_all(&*disk.open(Path::new(LOG), OpenMode::Read).unwrap()).unwrap()
    }

    #[test]
    fn synced_bytes_and_names_survive_every_crash() {
        let disk = SimDisk::new(1);
        disk.create_dir_all(Path::new("/data")).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        let file = disk.open(&at("tmp"), OpenMode::CreateNew).unwrap();
        write_all_at(&*file, b"content", 0).unwrap();
        durable_rename(&disk, &*file, &at("tmp"), Path::new(LOG)).unwrap();
        for how in
            (0..100).map(|seed| Crash::PowerCut { seed }).chain([Crash::DropUnsynced, Crash::ProcessKill])
        {
            let disk = disk.fork();
            disk.crash(how);
            assert_eq!(disk.list(Path::new("/data")).unwrap(), ["log"]);
            assert_eq!(seen(&disk), b"content");
        }
    }

    #[test]
    fn a_rename_without_a_directory_sync_can_be_lost() {
        let (disk, _file) = disk_with(b"old");
        let new = disk.open(&at("tmp"), OpenMode::CreateNew).unwrap();
        write_all_at(&*new, b"new", 0).unwrap();
        new.sync_data().unwrap();
        disk.rename(&at("tmp"), Path::new(LOG)).unwrap();
        assert_eq!(seen(&disk), b"new");
        let left: BTreeSet<Vec<u8>> = (0..50)
            .map(|seed| {
                let disk = disk.fork();
                disk.crash(Crash::PowerCut { seed });
                seen(&disk)
            })
            .collect();
        assert_eq!(left, BTreeSet::from([b"old".to_vec(), b"new".to_vec()]));
    }

    #[test]
    fn the_three_crashes_differ_in_what_is_left_of_unsynced_bytes() {
        let (disk, file) = disk_with(b"old");
        file.write_at(b"+new", 3).unwrap();
        let left = |how| {
            let disk = disk.fork();
            disk.crash(how);
            seen(&disk)
        };
        assert_eq!(left(Crash::ProcessKill), b"old+new");
        assert_eq!(left(Crash::DropUnsynced), b"old");
        let cuts: BTreeSet<Vec<u8>> = (0..200).map(|seed| left(Crash::PowerCut { seed })).collect();
        assert!(cuts.contains(b"old+new".as_slice()) && cuts.contains(b"old".as_slice()));
        assert!(cuts.iter().all(|image| image.starts_with(b"old")));
        assert!(cuts.len() > 10, "a torn tail has many shapes: {cuts:?}");
    }

    #[test]
    fn one_seed_one_aftermath() {
        let (disk, file) = disk_with(b"old");
        file.write_at(&[b'n'; 3_000], 3).unwrap();
        for name in ["a", "b", "c", "d"] {
            disk.open(&at(name), OpenMode::CreateNew).unwrap();
        }
        let left = |seed| {
            let disk = disk.fork();
            disk.crash(Crash::PowerCut { seed });
            (disk.files(), disk.file(LOG))
        };
        assert!((0..100).all(|seed| left(seed) == left(seed)));
        assert!((0..100).map(left).collect::<BTreeSet<_>>().len() > 50);
    }

    #[test]
    fn what_a_killed_process_left_unsynced_still_falls_to_the_next_power_cut() {
        let (disk, file) = disk_with(b"old");
        file.write_at(b"+new", 3).unwrap();
        disk.crash(Crash::ProcessKill);
        disk.crash(Crash::DropUnsynced);
        assert_eq!(seen(&disk), b"old");
    }

    #[test]
    fn a_crash_kills_handles_and_releases_locks() {
        let (disk, file) = disk_with(b"old");
        assert_eq!(file.try_lock().unwrap(), LockOutcome::Acquired);
        disk.stop();
        assert!(disk.is_stopped());
        assert!(is_crash(&disk.list(Path::new("/data")).unwrap_err()));
        assert!(is_crash(&file.len().unwrap_err()));

        disk.reboot(Crash::ProcessKill);
        assert!(!disk.is_stopped());
        let count = disk.operations();
        let mut buffer = [0; 1];
        let dead = [
            file.read_at(&mut buffer, 0).map(drop),
            file.write_at(b"x", 0).map(drop),
            file.sync_data(),
            file.len().map(drop),
            file.truncate(0),
            file.preallocate(1),
            file.try_lock().map(drop),
        ];
        assert!(dead.iter().all(|outcome| is_crash(outcome.as_ref().unwrap_err())));
        assert_eq!(disk.operations(), count, "calls on dead handles are no operations");

        let next = disk.open(Path::new(LOG), OpenMode::Write).unwrap();
        assert_eq!(next.try_lock().unwrap(), LockOutcome::Acquired);
        drop(file);
        let other = disk.open(Path::new(LOG), OpenMode::Read).unwrap();
        assert_eq!(
            other.try_lock().unwrap(),
            LockOutcome::HeldElsewhere,
            "a dead handle gave away a living lock"
        );
    }

    #[test]
    fn a_lock_belongs_to_one_handle_and_goes_with_it() {
        let (disk, first) = disk_with(b"");
        let second = disk.open(Path::new("/data/./log"), OpenMode::Read).unwrap();
        assert_eq!(first.try_lock().unwrap(), LockOutcome::Acquired);
        assert_eq!(first.try_lock().unwrap(), LockOutcome::Acquired);
        assert_eq!(second.try_lock().unwrap(), LockOutcome::HeldElsewhere);
        disk.rename(Path::new(LOG), &at("moved")).unwrap();
        assert_eq!(
            second.try_lock().unwrap(),
            LockOutcome::HeldElsewhere,
            "the lock is the file's, not the name's"
        );
        drop(first);
        assert_eq!(second.try_lock().unwrap(), LockOutcome::Acquired);
    }

    #[test]
    fn a_failed_sync_loses_the_bytes_and_says_ok_the_next_time() {
        for fault in [Fault::Eio, Fault::NoSpace] {
            let (disk, file) = disk_with(b"old");
            file.write_at(&[b'n'; 600], 512).unwrap();
            disk.inject(Injection::at(1, fault).only(DiskOperation::SyncData));
            file.sync_data().unwrap_err();
            file.sync_data().unwrap();
            assert!(seen(&disk).contains(&b'n'), "readers see the page cache");
            assert!(!disk.file(LOG).unwrap().contains(&b'n'));
            disk.crash(Crash::ProcessKill);
            assert!(seen(&disk).contains(&b'n'), "a killed process does not clean the cache");
            disk.crash(Crash::PowerCut { seed: 3 });
            assert!(!seen(&disk).contains(&b'n'));
        }
    }

    #[test]
    fn a_refused_call_does_nothing_and_one_that_fails_after_its_effect_has_it() {
        for (fault, happened) in [(Fault::Eio, false), (Fault::EioAfterEffect, true)] {
            let (disk, file) = disk_with(b"old");
            let next = |operation| disk.inject(Injection::at(1, fault).only(operation));
            let eio = |outcome: io::Result<()>| {
                assert_eq!(code(&outcome.unwrap_err()), Some(rustix::io::Errno::IO));
            };

            next(DiskOperation::WriteAt);
            eio(file.write_at(b"new", 0).map(drop));
            assert_eq!(seen(&disk) == b"new", happened);
            next(DiskOperation::SyncData);
            eio(file.sync_data());
            assert_eq!(disk.file(LOG).unwrap() == b"new", happened);
            next(DiskOperation::Truncate);
            eio(file.truncate(1));
            assert_eq!(seen(&disk).len() == 1, happened);
            next(DiskOperation::Create);
            eio(disk.open(&at("other"), OpenMode::CreateNew).map(drop));
            assert_eq!(disk.list(Path::new("/data")).unwrap().len() == 2, happened);
            next(DiskOperation::Rename);
            eio(disk.rename(Path::new(LOG), &at("moved")));
            assert_eq!(disk.list(Path::new("/data")).unwrap().contains(&"moved".to_owned()), happened);
            next(DiskOperation::SyncDir);
            eio(disk.sync_dir(Path::new("/data")));
            assert_eq!(disk.file(at("moved")).is_some(), happened);
        }
    }

    #[test]
    fn a_short_write_is_short_and_the_next_one_finds_the_disk_full() {
        let (disk, file) = disk_with(b"");
        disk.inject(Injection::at(1, Fault::ShortWrite));
        let error = write_all_at(&*file, &[b'n'; 100], 0).unwrap_err();
        assert_eq!(code(&error), Some(rustix::io::Errno::NOSPC));
        assert!((1..100).contains(&seen(&disk).len()));
        write_all_at(&*file, &[b'n'; 100], 0).unwrap();
    }

    #[test]
    fn a_full_disk_stays_full_until_it_is_cleared_and_still_gives_room_back() {
        let (disk, file) = disk_with(b"old");
        disk.inject(Injection::at(1, Fault::NoSpace).sticky());
        for _ in 0..3 {
            assert_eq!(code(&file.write_at(b"x", 3).unwrap_err()), Some(rustix::io::Errno::NOSPC));
        }
        file.truncate(2).unwrap();
        assert_eq!(seen(&disk), b"ol");
        disk.remove(Path::new(LOG)).unwrap();
        disk.clear_faults();
        file.write_at(b"x", 2).unwrap();
        assert_eq!(disk.hits(), Hits::from([((DiskOperation::WriteAt, Fault::NoSpace), 3)]));
    }

    #[test]
    fn a_crash_in_a_write_leaves_any_part_of_it_and_stops_the_machine() {
        let lengths: BTreeSet<usize> = (0..200)
            .map(|seed| {
                let disk = SimDisk::new(seed);
                disk.put(LOG, b"");
                let file = disk.open(Path::new(LOG), OpenMode::Write).unwrap();
                disk.inject(Injection::at(1, Fault::Crash));
                assert!(is_crash(&file.write_at(b"1234", 0).unwrap_err()));
                assert!(disk.is_stopped());
                disk.reboot(Crash::ProcessKill);
                seen(&disk).len()
            })
            .collect();
        assert_eq!(lengths, BTreeSet::from([0, 1, 2, 3, 4]));
    }

    #[test]
    fn a_crash_in_a_call_on_names_or_in_a_sync_happens_before_or_after_its_effect() {
        let after = |seed, operation: DiskOperation| {
            let disk = SimDisk::new(seed);
            disk.put(LOG, b"old");
            let file = disk.open(Path::new(LOG), OpenMode::Write).unwrap();
            disk.inject(Injection::at(1, Fault::Crash).only(operation));
            file.write_at(b"new", 0).unwrap();
            let outcome = file
                .sync_data()
                .and_then(|()| disk.rename(Path::new(LOG), &at("moved")))
                .and_then(|()| disk.sync_dir(Path::new("/data")));
            assert!(is_crash(&outcome.unwrap_err()));
            disk.reboot(Crash::DropUnsynced);
            (disk.file(LOG), disk.file(at("moved")))
        };
        let outcomes = |operation| (0..40).map(|seed| after(seed, operation)).collect::<BTreeSet<_>>();
        let (old, new) = (Some(b"old".to_vec()), Some(b"new".to_vec()));
        assert_eq!(outcomes(DiskOperation::SyncData), BTreeSet::from([(old, None), (new.clone(), None)]));
        assert_eq!(outcomes(DiskOperation::Rename), BTreeSet::from([(new.clone(), None)]));
        assert_eq!(outcomes(DiskOperation::SyncDir), BTreeSet::from([(new.clone(), None), (None, new)]));
    }

    #[test]
    fn every_operation_can_be_the_one_that_fails() {
        let story = |disk: &SimDisk| -> io::Result<()> {
            disk.create_dir_all(Path::new("/data"))?;
            disk.sync_dir(Path::new("/"))?;
            let file = disk.open(&at("tmp"), OpenMode::OpenOrCreate)?;
            file.try_lock()?;
            file.preallocate(4_096)?;
            write_all_at(&*file, b"content", 0)?;
            file.truncate(4)?;
            file.len()?;
            durable_rename(disk, &*file, &at("tmp"), Path::new(LOG))?;
            disk.open(Path::new(LOG), OpenMode::Read)?.read_at(&mut [0; 4], 0)?;
            disk.list(Path::new("/data"))?;
            disk.remove(Path::new(LOG))
        };
        let mut struck = BTreeSet::new();
        for n in 1.. {
            let disk = SimDisk::new(n);
            disk.inject(Injection::at(n, Fault::Eio));
            let outcome = story(&disk);
            let Some(((operation, _), _)) = disk.hits().into_iter().next() else {
                assert_eq!(disk.operations(), n - 1);
                break;
            };
            assert_eq!(disk.operations(), n, "{operation:?}");
            outcome.unwrap_err();
            struck.insert(operation);
        }
        assert_eq!(struck.len(), 14, "{struck:?}");
    }

    #[test]
    fn a_planned_panic_leaves_the_disk_usable() {
        let (disk, file) = disk_with(b"old");
        disk.inject(Injection::at(1, Fault::Panic).only(DiskOperation::WriteAt));
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| file.write_at(b"new", 0)));
        outcome.unwrap_err();
        assert_eq!(seen(&disk), b"old");
    }

    #[test]
    fn a_fork_goes_its_own_way() {
        let (disk, file) = disk_with(b"old");
        assert_eq!(file.try_lock().unwrap(), LockOutcome::Acquired);
        let fork = disk.fork();
        let same = disk.clone();
        file.write_at(b"new", 0).unwrap();
        assert_eq!(
            (seen(&disk), seen(&same), seen(&fork)),
            (b"new".to_vec(), b"new".to_vec(), b"old".to_vec())
        );
        let other = fork.open(Path::new(LOG), OpenMode::Read).unwrap();
        assert_eq!(other.try_lock().unwrap(), LockOutcome::Acquired);
    }

    #[test]
    fn corruption_is_on_the_disk_and_in_the_cache_or_is_refused() {
        let (disk, _file) = disk_with(b"old");
        disk.corrupt(LOG, 1, b'X').unwrap();
        assert_eq!((disk.file(LOG).unwrap(), seen(&disk)), (b"oXd".to_vec(), b"oXd".to_vec()));
        assert_eq!(disk.corrupt(LOG, 3, b'X').unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(disk.corrupt("/data/none", 0, 0).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_planted_file_replaces_what_was_there_for_good() {
        let (disk, file) = disk_with(b"old");
        disk.open(&at("tmp"), OpenMode::CreateNew).unwrap();
        disk.rename(&at("tmp"), Path::new(LOG)).unwrap();
        disk.put(LOG, b"planted");
        for seed in 0..50 {
            let disk = disk.fork();
            disk.crash(Crash::PowerCut { seed });
            assert_eq!(seen(&disk), b"planted");
        }
        assert_eq!(read_all(&*file).unwrap(), b"old");
        assert_eq!(disk.files(), [Path::new(LOG)]);
    }

    #[test]
    fn sizes_beyond_memory_are_refused() {
        let (_disk, file) = disk_with(b"");
        let refused =
            [file.write_at(b"x", u64::MAX).map(drop), file.truncate(u64::MAX), file.preallocate(1 << 40)];
        assert!(
            refused.iter().all(|outcome| outcome.as_ref().unwrap_err().kind() == io::ErrorKind::FileTooLarge)
        );
        assert_eq!(file.read_at(&mut [0; 8], u64::MAX).unwrap(), 0);
    }
}
