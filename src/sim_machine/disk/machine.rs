//! The state behind a simulated disk, and the only place where a planned fault strikes a call.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::Path;

use rustix::io::Errno;

use super::content::FileContent;
use super::crash::Crash;
use super::fault::{DiskOperation, Fault, Schedule, Stopped};
use super::names::NameTable;
use super::tree::{FileId, TreeNode};
use crate::random::Random;
use onhand_disk::{LockOutcome, OpenMode};

/// The size limit of a file, `EFBIG` beyond it: the simulator holds files in memory, twice.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// The number of an open handle.
pub(super) type HandleId = u64;

/// The whole state of a disk.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    pub(super) names: NameTable,
    pub(super) schedule: Schedule,
    contents: BTreeMap<FileId, FileContent>,
    /// The open files and directories; empty while the machine is stopped, so no handle outlives a crash.
    open: BTreeMap<HandleId, TreeNode>,
    locks: BTreeMap<TreeNode, HandleId>,
    /// The last number of a file or a handle; no number is reused, even after a reboot.
    last_id: u64,
    stopped: bool,
    /// The number of the process that makes the current call.
    pub(super) caller: u32,
    /// Processes that were killed in the middle of a call.
    killed: HashSet<u32>,
    random: Random,
}

impl Machine {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            names: NameTable::new(),
            schedule: Schedule::default(),
            contents: BTreeMap::new(),
            open: BTreeMap::new(),
            locks: BTreeMap::new(),
            last_id: 0,
            stopped: false,
            caller: 0,
            killed: HashSet::new(),
            random: Random::new(seed),
        }
    }

    pub(super) const fn is_stopped(&self) -> bool {
        self.stopped
    }

    pub(super) fn has_killed(&self, process: u32) -> bool {
        self.killed.contains(&process)
    }

    /// Stops the machine: handles become invalid, locks are released, unsynced bytes stay undecided.
    pub(super) fn stop(&mut self) {
        self.stopped = true;
        self.forget_handles();
    }

    /// Decides the fate of unsynced bytes and names, and starts the machine again.
    pub(super) fn reboot(&mut self, how: Crash) {
        self.stop();
        match how {
            Crash::ProcessKill => {}
            Crash::DropUnsynced => {
                self.names.power_cut(|| false);
                self.contents.values_mut().for_each(FileContent::drop_unsynced);
            }
            Crash::PowerCut { seed } => {
                let mut random = Random::new(seed);
                self.names.power_cut(|| random.percent(50));
                self.contents.values_mut().for_each(|content| content.power_cut(&mut random));
            }
        }
        self.collect();
        self.stopped = false;
    }

    /// Drops handles and locks: they belong to processes that are gone.
    pub(super) fn forget_handles(&mut self) {
        self.open.clear();
        self.locks.clear();
    }

    pub(super) fn close(&mut self, handle: HandleId) {
        self.open.remove(&handle);
        self.locks.retain(|_, holder| *holder != handle);
    }

    /// A call on the disk itself: counted, and struck by a fault that is due.
    pub(super) fn perform<T>(
        &mut self,
        operation: DiskOperation,
        effect: impl FnOnce(&mut Self) -> io::Result<T>,
    ) -> io::Result<T> {
        if self.stopped || self.killed.contains(&self.caller) {
            return Err(io::Error::other(Stopped));
        }
        let Some(fault) = self.schedule.count(operation, self.caller) else { return effect(self) };
        let takes_effect = match fault {
            Fault::EioAfterEffect => true,
            Fault::Crash | Fault::Kill => self.random.percent(50),
            Fault::Eio | Fault::NoSpace | Fault::ShortWrite | Fault::Panic => false,
        };
        if takes_effect {
            drop(effect(self));
        }
        Err(self.strike(fault))
    }

    /// A call on an open file, which is passed to the effect.
    pub(super) fn perform_on<T>(
        &mut self,
        handle: HandleId,
        operation: DiskOperation,
        effect: impl FnOnce(&mut FileContent) -> io::Result<T>,
    ) -> io::Result<T> {
        let file = self.file_of(handle)?;
        self.perform(operation, |machine| effect(machine.content(file)))
    }

    /// True with a probability of one half.
    pub(super) fn by_chance(&mut self) -> bool {
        self.random.percent(50)
    }

    pub(super) fn open(&mut self, path: &Path, mode: OpenMode) -> io::Result<HandleId> {
        let may_create = matches!(mode, OpenMode::CreateNew | OpenMode::OpenOrCreate);
        let creates = may_create && matches!(self.names.find(path), Ok(None));
        let operation = if creates { DiskOperation::Create } else { DiskOperation::Open };
        self.perform(operation, |machine| {
            let file = match (machine.names.find(path)?, mode) {
                (Some(_), OpenMode::CreateNew) => return Err(Errno::EXIST.into()),
                (Some(file), _) => file,
                (None, OpenMode::Read | OpenMode::Write) => return Err(Errno::NOENT.into()),
                (None, OpenMode::CreateNew | OpenMode::OpenOrCreate) => {
                    let file = machine.new_file(FileContent::default());
                    machine.names.create(path, file)?;
                    file
                }
            };
            Ok(machine.handle_of(TreeNode::File(file)))
        })
    }

    /// Opens a directory, which can only be locked.
    pub(super) fn open_dir(&mut self, directory: &Path) -> io::Result<HandleId> {
        self.perform(DiskOperation::Open, |machine| {
            let directory = machine.names.find_directory(directory)?;
            Ok(machine.handle_of(TreeNode::Directory(directory)))
        })
    }

    fn handle_of(&mut self, node: TreeNode) -> HandleId {
        self.last_id += 1;
        self.open.insert(self.last_id, node);
        self.last_id
    }

    /// Writes as many bytes as chance and the faults allow, and returns their number.
    pub(super) fn write(&mut self, handle: HandleId, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let file = self.file_of(handle)?;
        let offset = within_limit(offset.saturating_add(bytes.len() as u64)).map(|end| end - bytes.len())?;
        let fault = self.schedule.count(DiskOperation::WriteAt, self.caller);
        let count = match fault {
            None | Some(Fault::EioAfterEffect) => bytes.len(),
            Some(Fault::Crash | Fault::Kill) => self.random.below(bytes.len() + 1),
            Some(Fault::ShortWrite) => bytes.len().min(1 + self.random.below(bytes.len().saturating_sub(1))),
            Some(Fault::Eio | Fault::NoSpace | Fault::Panic) => 0,
        };
        self.content(file).write(bytes.get(..count).unwrap_or_default(), offset);
        match fault {
            None | Some(Fault::ShortWrite) => Ok(count),
            Some(fault) => Err(self.strike(fault)),
        }
    }

    pub(super) fn sync_data(&mut self, handle: HandleId) -> io::Result<()> {
        let file = self.file_of(handle)?;
        let fault = self.schedule.count(DiskOperation::SyncData, self.caller);
        match fault {
            None | Some(Fault::EioAfterEffect) => self.content(file).sync(),
            Some(Fault::Eio | Fault::NoSpace) => self.content(file).lose_dirty(),
            Some(Fault::Crash | Fault::Kill) if self.random.percent(50) => self.content(file).sync(),
            Some(Fault::Crash | Fault::Kill | Fault::ShortWrite | Fault::Panic) => {}
        }
        fault.map_or(Ok(()), |fault| Err(self.strike(fault)))
    }

    pub(super) fn try_lock(&mut self, handle: HandleId) -> io::Result<LockOutcome> {
        let node = self.node_of(handle)?;
        self.perform(DiskOperation::TryLock, |machine| {
            let holder = *machine.locks.entry(node).or_insert(handle);
            Ok(if holder == handle { LockOutcome::Acquired } else { LockOutcome::HeldElsewhere })
        })
    }

    pub(super) fn sync_dir(&mut self, directory: &Path) -> io::Result<()> {
        self.perform(DiskOperation::SyncDir, |machine| {
            machine.names.sync_dir(directory)?;
            machine.collect();
            Ok(())
        })
    }

    /// Creates a durable file, bypassing the calls.
    pub(super) fn put(&mut self, path: &Path, bytes: &[u8]) {
        let file = self.new_file(FileContent::durable_from(bytes));
        self.names.put(path, file);
    }

    pub(super) fn durable(&self, path: &Path) -> Option<&[u8]> {
        self.contents.get(&self.names.find_durable(path)?).map(FileContent::durable)
    }

    pub(super) fn corrupt(&mut self, path: &Path, offset: usize, byte: u8) -> io::Result<()> {
        let file = self.names.find_durable(path).ok_or(Errno::NOENT)?;
        if self.content(file).corrupt(offset, byte) { Ok(()) } else { Err(Errno::INVAL.into()) }
    }

    fn new_file(&mut self, content: FileContent) -> FileId {
        self.last_id += 1;
        self.contents.insert(self.last_id, content);
        self.last_id
    }

    fn node_of(&self, handle: HandleId) -> io::Result<TreeNode> {
        let alive = !self.killed.contains(&self.caller);
        self.open.get(&handle).copied().filter(|_| alive).ok_or_else(|| io::Error::other(Stopped))
    }

    fn file_of(&self, handle: HandleId) -> io::Result<FileId> {
        match self.node_of(handle)? {
            TreeNode::File(file) => Ok(file),
            TreeNode::Directory(_) => Err(Errno::ISDIR.into()),
        }
    }

    fn content(&mut self, file: FileId) -> &mut FileContent {
        self.contents.get_mut(&file).expect("a file keeps its content while it is open or has a name")
    }

    /// Drops files that are not open and that no crash can bring back.
    fn collect(&mut self) {
        let open = self.open.values().filter_map(|node| match node {
            TreeNode::File(file) => Some(*file),
            TreeNode::Directory(_) => None,
        });
        let needed: HashSet<FileId> = self.names.mentioned().chain(open).collect();
        self.contents.retain(|file, _| needed.contains(file));
    }

    /// The error of a fault; a crash also stops the machine.
    fn strike(&mut self, fault: Fault) -> io::Error {
        match fault {
            Fault::Eio | Fault::EioAfterEffect => Errno::IO.into(),
            Fault::NoSpace | Fault::ShortWrite => Errno::NOSPC.into(),
            Fault::Crash => {
                self.stop();
                io::Error::other(Stopped)
            }
            Fault::Kill => {
                self.killed.insert(self.caller);
                io::Error::other(Stopped)
            }
            Fault::Panic => panic!("planned panic at disk operation {}", self.schedule.operations()),
        }
    }
}

/// A file offset or length within the limit of the simulator.
pub(super) fn within_limit(length: u64) -> io::Result<usize> {
    if length > FILE_BYTES_MAX {
        return Err(Errno::FBIG.into());
    }
    usize::try_from(length).map_err(|_| Errno::FBIG.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_file_lives_on_in_its_handle_and_then_is_forgotten() {
        let log = Path::new("/data/log");
        let mut machine = Machine::new(1);
        machine.put(log, b"old");
        let handle = machine.open(log, OpenMode::Write).unwrap();
        machine.names.remove(log).unwrap();
        machine.sync_dir(Path::new("/data")).unwrap();
        assert_eq!(machine.write(handle, b"+", 3).unwrap(), 1);
        machine.close(handle);
        machine.sync_dir(Path::new("/data")).unwrap();
        assert!(machine.contents.is_empty());
    }

    #[test]
    fn a_file_whose_removal_is_not_fixed_is_kept_for_the_crash() {
        let log = Path::new("/data/log");
        let mut machine = Machine::new(1);
        machine.put(log, b"old");
        machine.names.remove(log).unwrap();
        machine.reboot(Crash::ProcessKill);
        assert_eq!(machine.names.find(log).unwrap(), None);
        machine.reboot(Crash::DropUnsynced);
        assert_eq!(machine.durable(log), Some(b"old".as_slice()));
    }

    #[test]
    fn a_file_that_a_crash_took_is_forgotten() {
        let mut machine = Machine::new(1);
        machine.open(Path::new("/log"), OpenMode::CreateNew).unwrap();
        machine.reboot(Crash::DropUnsynced);
        assert!(machine.contents.is_empty());
    }
}
